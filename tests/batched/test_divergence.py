"""Divergence is recorded with step, player and cause."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.training.small import MeanDistance, Shapes, make_run, member, small_mlp
from tests.training.test_resume import scalars

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.divergence import Cause, DivergenceMonitor
from gansweep.batched.member import Member, PlayerSettings
from gansweep.batched.pack import PackSettings, finite
from gansweep.batched.player import norms
from gansweep.losses.objective import Objective
from gansweep.losses.wasserstein import Wasserstein
from gansweep.optimizers.lion import Lion
from gansweep.optimizers.sgd import SGD
from gansweep.penalties.wgan_gp import WGANGP
from gansweep.training.trainer import train

GP = Objective(Wasserstein(), {"gp": WGANGP(weight=10.0)})


def one_player_too_fast(player: str) -> Member:
    """Return a member whose rate is far too high for one of its players."""
    one = member(1, SGD(), 1e-6, GP)
    return replace(one, **{player: PlayerSettings(SGD(), 1e6, one.generator.schedule)})


def test_a_divergence_is_a_result(tmp_path):
    record = train(make_run(steps=40, one=one_player_too_fast("discriminator")), tmp_path)
    assert record["state"] == "diverged"
    assert record["metric"]["final"] is None
    assert record["metric"]["untrained"] > 0
    assert 1 <= record["divergence"]["step"] <= 9
    assert record["divergence"]["player"] == "discriminator"
    assert record["steps"] == record["divergence"]["step"]


def test_the_recorded_step_does_not_depend_on_check_every(tmp_path):
    steps = {
        train(make_run(steps=40, one=one_player_too_fast("discriminator"), check_every=n), tmp_path / str(n))[
            "divergence"
        ]["step"]
        for n in (1, 2, 7)
    }
    assert len(steps) == 1


def test_the_step_of_the_divergence_is_in_the_curves(tmp_path):
    found = []
    for n in (1, 7):
        run = make_run(steps=40, one=one_player_too_fast("discriminator"), check_every=n, log_every=100)
        step = train(run, tmp_path / str(n))["divergence"]["step"]
        curves = scalars(tmp_path / str(n))
        ((at, loss),) = curves["loss/discriminator"]
        assert at == step
        assert curves["Metric/mean_distance"][0][0] == 0
        found.append(loss)
    assert found[0] == found[1] > 1e30


def test_the_generator_is_recorded_when_its_parameters_are_not_finite(tmp_path):
    record = train(make_run(one=one_player_too_fast("generator"), steps=40), tmp_path)
    assert record["state"] == "diverged"
    assert record["divergence"]["player"] == "generator"


def test_a_constant_generator_is_detected(tmp_path):
    pack = AdversarialPack(
        [member(1)],
        small_mlp(),
        Shapes().samples,
        PackSettings(batch_size=10, check_every=1, patience=3),
        critic_steps=1,
    )
    steps = pack.steps()
    next(steps)
    assert pack.monitor.read() == [None]
    last = [n for n, slot in enumerate(pack.g.network.slots) if slot.role == "bias"][-1]
    with torch.no_grad():
        pack.g.params()[last].fill_(1e4)  # tanh saturates
    for _ in steps:
        pass
    (divergence,) = pack.monitor.read()
    assert divergence is not None
    assert divergence.as_dict() == {"step": 4, "player": "generator", "cause": "output is constant"}


def test_a_zero_gradient_is_detected_after_patience_checks():
    monitor = DivergenceMonitor(3, torch.device("cpu"), patience=2)
    fake, due = torch.rand(3, 4, 5), torch.tensor([True, True, False])
    for step in (10, 20):
        assert monitor.read() == [None, None, None]
        monitor.check_stuck(due, torch.tensor([step] * 3), fake, torch.tensor([0.0, 0.1, 0.0]), due)
    first, *others = monitor.read()
    assert others == [None, None]
    assert first is not None
    assert (first.step, first.cause) == (20, "gradient is zero")


def test_a_generator_that_recovers_is_not_ended():
    monitor = DivergenceMonitor(1, torch.device("cpu"), patience=2)
    due = torch.tensor([True])
    for step, spread in enumerate([0.0, 1.0, 0.0, 1.0, 0.0]):
        monitor.check_stuck(due, torch.tensor([step]), spread * torch.rand(1, 4, 5), torch.ones(1), due)
    assert monitor.read() == [None]


def test_a_check_that_is_not_counted_detects_but_is_not_stored():
    """The check after the last step, which a longer run does not have."""
    monitor, yes, no = (
        DivergenceMonitor(1, torch.device("cpu"), patience=2),
        torch.tensor([True]),
        torch.tensor([False]),
    )
    constant, gradient = torch.zeros(1, 4, 5), torch.ones(1)
    monitor.check_stuck(yes, torch.tensor([5]), constant, gradient, counted=yes)
    monitor.check_stuck(yes, torch.tensor([7]), torch.rand(1, 4, 5), gradient, counted=no)
    assert monitor.num_stuck.tolist() == [[1, 0]]
    monitor.check_stuck(yes, torch.tensor([8]), constant, gradient, counted=no)
    assert monitor.num_stuck.tolist() == [[1, 0]]
    (divergence,) = monitor.read()
    assert divergence is not None
    assert divergence.step == 8


def test_the_first_cause_is_recorded():
    monitor = DivergenceMonitor(1, torch.device("cpu"))
    monitor.record(Cause.NON_FINITE_LOSS, torch.tensor([True]), torch.tensor([4]))
    monitor.record(Cause.NON_FINITE_SAMPLES, torch.tensor([True]), torch.tensor([5]))
    (divergence,) = monitor.read()
    assert divergence is not None
    assert divergence.as_dict() == {"step": 4, "player": "discriminator", "cause": "loss is not finite"}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_one_entry_that_is_not_finite_is_found_at_every_place(value):
    largest = torch.finfo(torch.float32).max
    samples = torch.full((66, 1, 5, 13), -largest)  # more entries than a vector of the processor, and a remainder
    samples[:65].flatten(1)[range(65), range(65)] = value
    assert finite(samples).tolist() == [False] * 65 + [True]


def test_non_finite_samples_are_not_evaluated(tmp_path):
    class Strict(MeanDistance):
        def __call__(self, data, fake):
            assert fake.isfinite().all()
            return super().__call__(data, fake)

    one = one_player_too_fast("generator")
    one = replace(one, generator=replace(one.generator, lr=float("inf")))
    record = train(make_run(one=one, metric=Strict(), eval_every=1, check_every=100), tmp_path)
    assert record["state"] == "diverged"


@pytest.mark.parametrize("seed", [1, 2])
def test_a_run_without_divergence_completes(seed, tmp_path):
    record = train(make_run(one=member(seed)), tmp_path)
    assert record["state"] == "completed"
    assert [e["step"] for e in record["metric"]["evaluations"]] == [0, 4, 8, 12]
    assert record["metric"]["final"] == record["metric"]["evaluations"][-1]["value"]


@pytest.mark.parametrize("resumed", [False, True])
def test_a_single_nan_gradient_is_recorded_although_the_parameters_stay_finite(resumed):
    """Lion takes the sign of its momentum, and the sign of NaN is 0."""

    def pack_of():
        members = [member(1, Lion()), member(2, Lion())]
        return AdversarialPack(
            members, small_mlp(), Shapes().samples, PackSettings(batch_size=10, check_every=2), critic_steps=1
        )

    pack = pack_of()
    next(pack.steps())
    gradients = [torch.zeros_like(theta) for theta in pack.d.chunks]
    gradients[0][pack.place[1], 3] = float("nan")
    pack.d.apply(gradients, norms(gradients))
    assert pack.d.finite().all()
    if resumed:
        saved, pack = [pack.export(k) for k in range(2)], pack_of()
        for k in range(2):
            pack.restore(k, saved[k])
    next(pack.steps())
    first, second = (pack.monitor.read()[pack.place[k]] for k in range(2))
    assert first is None
    assert second is not None
    assert second.as_dict() == {"step": 2, "player": "discriminator", "cause": "gradient is not finite"}
