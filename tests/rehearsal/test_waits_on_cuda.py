"""Host synchronisations during training do not grow with the number of members of a pack."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from tests.config.test_every_choice_trains import MLP, SMALL
from tests.rehearsal.algorithms import ALGORITHMS
from tests.rehearsal.pretended import PretendedDevice
from tests.rehearsal.rehearsal import run_on

from gansweep.training.pack_size import TIMED_STEPS, WARM_STEPS, seconds_alone
from gansweep.training.session import TrainingSession
from gansweep.training.trainer import pack_of

pytestmark = pytest.mark.rehearsal
DIRAC = ["model=dirac", *SMALL["dirac"]]
SCHEDULED = [*MLP, "critic_steps=3", "schedule@schedule_critic=linspace", "schedule@schedule_beta=linspace"]
RUNS = {name: ALGORITHMS[name] for name in ("adversarial", "guarded cfg", "coopnets", "denoising", "quadratic")}
RUNS |= {"dirac": DIRAC, "scheduled": SCHEDULED}


@pytest.mark.parametrize("name", RUNS)
def test_a_point_of_the_curves_waits_once(name, tmp_path):
    """At most once for the curves and once for the values in the record, for any number of members."""
    for num_members in (1, 2, 5):
        with PretendedDevice() as device:
            run = run_on("cuda", *RUNS[name], "trainer.tensorboard=true", steps=12)
            runs = [replace(run, member=replace(run.member, seed=seed)) for seed in range(num_members)]
            sessions = [TrainingSession(run, tmp_path / f"{num_members}-{k}") for k, run in enumerate(runs)]
            pack = pack_of(runs)
            for k, session in enumerate(sessions):
                session.pack, session.k = pack, k
            device.reset()
            for step, report in zip(range(4), pack.steps(), strict=False):
                device.waits.clear()
                for session in sessions:
                    session.record_step(report)
                most = 2 if (step + 1) % run.trainer.log_every == 0 else 0
                assert device.waits.total() <= most, (num_members, device.waits)
        for session in sessions:
            session.close()


def test_the_time_of_a_step_is_that_of_the_device(monkeypatch):
    """Every reading of the clock follows a synchronisation, and the clock is not the CPU time of the process."""
    waits_before_readings = []

    def clock():
        waits_before_readings.append(device.waits.total())
        device.waits.clear()
        return 0.0

    monkeypatch.setattr(time, "perf_counter", clock)
    with PretendedDevice() as device:
        seconds_alone(run_on("cuda", *MLP, steps=12))
    assert len(waits_before_readings) == 2 * (WARM_STEPS + TIMED_STEPS)
    assert all(waits_before_readings)
