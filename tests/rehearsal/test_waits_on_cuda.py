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
from gansweep.training.trainer import _diagnose, pack_of

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


def trained(tmp_path, num_members, *overrides, steps=3):
    """Return a pack, its sessions and the report of its last step."""
    run = run_on("cuda", *overrides, steps=12)
    runs = [replace(run, member=replace(run.member, seed=seed)) for seed in range(num_members)]
    sessions = [TrainingSession(run, tmp_path / f"{num_members}-{k}") for k, run in enumerate(runs)]
    pack = pack_of(runs)
    for k, session in enumerate(sessions):
        session.pack, session.k = pack, k
    for _, report in zip(range(steps), pack.steps(), strict=False):
        for session in sessions:
            session.record_step(report)
    return pack, sessions, report


@pytest.mark.parametrize("name", ["adversarial", "guarded cfg", "coopnets", "gap-aware"])
def test_a_checkpoint_waits_once(name, tmp_path):
    """Mistake: every tensor of a member is copied on its own."""
    with PretendedDevice() as device:
        _, sessions, _ = trained(tmp_path, 2, *ALGORITHMS[name], "trainer.diagnose_every=null")
        for session in sessions:
            device.waits.clear()
            session.save()
            assert device.waits.total() == 1, device.waits


@pytest.mark.parametrize("num_members", [1, 3])
def test_a_diagnosis_of_a_pack_waits_once(num_members, tmp_path):
    with PretendedDevice() as device:
        pack, sessions, report = trained(tmp_path, num_members, *MLP, "trainer.diagnose_every=3")
        for _ in range(2):  # the second one has a field to compare with
            device.waits.clear()
            _diagnose(pack, sessions, report)
            assert device.waits.total() == 1, device.waits
        assert [len(session.recorder.diagnoses) for session in sessions] == [2] * num_members


def test_a_stage_of_cfg_waits_once_for_its_guard(tmp_path):
    """Mistake: saving a member's state waits, so that a stage waits for each member."""
    with PretendedDevice() as device:
        run = run_on("cuda", *ALGORITHMS["guarded cfg"], "algorithm.guard.keep_every=1", steps=12)
        steps = pack_of([replace(run, member=replace(run.member, seed=seed)) for seed in range(3)]).steps()
        next(steps)
        for _ in range(3):
            device.waits.clear()
            next(steps)
            assert device.waits.total() == 1, device.waits


def test_an_evaluation_waits_four_times(tmp_path):
    """For whether samples are finite, their range, their features, and whether they vary."""
    with PretendedDevice() as device:
        _, sessions, _ = trained(tmp_path, 2, *MLP, "metric=digits", "metric.num_samples=100")
        for session in sessions:
            session._evaluate()
            device.waits.clear()
            session._evaluate()
            assert device.waits.total() <= 4, device.waits


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
