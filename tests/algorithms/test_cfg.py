"""Composite functional gradients: what a stage does, in the numbers that its authors' code would have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.training.small import Shapes, make_run, member, small_mlp

from gansweep.algorithms.breakdown import Breakdown, Guard
from gansweep.algorithms.cfg import CFG
from gansweep.algorithms.cfg.approximators import half_square
from gansweep.algorithms.cfg.functional_gradient import functional_gradient_step
from gansweep.feedback.gap_aware import GapAware
from gansweep.feedback.plateau import Plateau
from gansweep.layers import Linear, Network, Pass
from gansweep.losses.objective import Objective
from gansweep.losses.relativistic_pairing import RelativisticPairing
from gansweep.losses.standard import Standard
from gansweep.models.dcganx import DCGANX
from gansweep.models.initialisation import TorchDefault
from gansweep.optimizers.adam import Adam
from gansweep.optimizers.lookahead import Lookahead
from gansweep.optimizers.rmsprop import RMSprop
from gansweep.penalties.r1 import R1
from gansweep.penalties.wgan_gp import WGANGP
from gansweep.schedules.constant import Constant
from gansweep.schedules.cosine import Cosine
from gansweep.schedules.linspace import Linspace
from gansweep.training.trainer import Interrupted, train

LOGISTIC = Objective(Standard(), {})
SMALL = CFG(num_pushes=3, num_pairs=25, fit_epochs=3)
TINY = CFG(num_pushes=2, num_pairs=15, fit_epochs=2)
BATCH_NORM = DCGANX(latent_dim=4, base_width=2, depth=2, batch_norm_discriminator=True)


def run_of(box=SMALL, one=None, model=None, steps=4, **changes):
    one = one or member(1, RMSprop(alpha=0.95, eps=1e-18), objective=LOGISTIC)
    return replace(make_run(steps, one, model or small_mlp(dropout=0.0)), algorithm=box, **changes)


def pack_of(*runs, **changes):
    return runs[0].algorithm.pack(runs, Shapes().samples, **changes)


def played(*runs):
    pack = pack_of(*runs)
    return pack, list(pack.steps())


# --- known answers -----------------------------------------------------------------------------------------------


def linear(*w):
    """D(x) = w . x + 0.3 on samples (len(w),), in float64."""
    net = Network([Linear("0", len(w), 1)], TorchDefault())
    params = [torch.tensor([[w]], dtype=torch.float64), torch.full((1, 1), 0.3, dtype=torch.float64)]
    return net, params


@pytest.mark.parametrize(
    ("t", "mean", "divergence"),
    [(1, 0.75, 2.53125), (5, 2.288086, 0.253411), (10, 2.831059, 0.0142705), (15, 2.959910, 8.03619e-4)],
)
def test_the_exact_gaussian_case(t, mean, divergence):
    """p* = N(3, 1) and G_0 = N(0, 1): the log ratio is D(x) = (3 - m) x + c, and a push closes eta of the gap."""
    z = torch.randn(1, 1000, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x = z
    for _ in range(t):
        net, params = linear(3 - float((x - z).mean()))
        x = functional_gradient_step(net, params, x, torch.tensor([[0.25]]), Pass())
    m = float((x - z).mean())
    assert m == pytest.approx(3 * (1 - 0.75**t), abs=1e-12)
    assert m == pytest.approx(mean, abs=1e-6)
    assert (3 - m) ** 2 / 2 == pytest.approx(divergence, rel=1e-5)


def test_a_linear_discriminator_moves_every_sample_by_eta_w():
    net, params = linear(1.0, -2.0, 0.5)
    x = torch.randn(1, 7, 3, dtype=torch.float64)
    moved = functional_gradient_step(net, params, x, torch.tensor([[0.5]], dtype=torch.float64), Pass()) - x
    assert torch.allclose(moved, torch.tensor([0.5, -1.0, 0.25], dtype=torch.float64).expand(1, 7, 3), rtol=1e-14)


def test_the_loss_at_chance_is_two_ln_two():
    zero = torch.zeros(1, 8)
    assert float(Standard().discriminator(zero, zero)) == pytest.approx(1.3862944, abs=1e-7)


def test_the_approximators_loss_sums_over_pixels_and_halves():
    assert float(half_square(torch.zeros(1, 64, 1, 32, 32), torch.ones(1, 64, 1, 32, 32))) == 512


def test_samples_are_the_generator_followed_by_the_stored_pushes_one_by_one():
    """Bit for bit, in float64: G_T of the stored discriminators is T single pushes from where the stage began."""
    pack, _ = played(run_of())
    for player in pack.players.values():
        player.chunks = [theta.double() for theta in player.chunks]
    for stored in pack.gradient_steps.stored:
        stored.chunks = [theta.double() for theta in stored.chunks]
    x = single = torch.randn(1, 9, 1, 6, 6, dtype=torch.float64)
    for t in range(3):
        params = pack.d.params(pack.gradient_steps.stored[t].chunks)
        single = functional_gradient_step(pack.d.network, params, single, pack.gradient_steps.eta, Pass())
    assert torch.equal(pack.gradient_steps(x, 0, 3), single)
    assert torch.equal(pack.gradient_steps.of(0, x), single)
    assert torch.equal(pack.gradient_steps(pack.gradient_steps(x, 0, 1), 1, 3), single)
    assert not torch.equal(pack.gradient_steps(x, 0, 2), single)


def test_what_is_shown_begins_at_the_generator_that_the_pushes_were_made_for():
    pack = pack_of(run_of())
    steps = pack.steps()
    next(steps)
    before = pack.g.theta
    next(steps)
    params = pack.g.network.cut(before)
    z = pack.latents(0, 9, "pictures")[None]
    g_0 = pack.g.network(params, z, Pass(training=False))
    assert torch.equal(pack.generate(0, 9, "pictures"), pack.gradient_steps(g_0, 0, 3)[0])
    assert not torch.equal(pack.g.theta, before)


def test_images_are_cut_off_where_they_are_shown_and_nowhere_else():
    pack, _ = played(run_of())
    pack.gradient_steps.eta.fill_(200.0)
    shown, z = pack.generate(0, 50, "pictures"), pack.latents(0, 50, "pictures")[None]
    params, buffers = pack.origin.of()
    g_0 = pack.g.network(params, z, Pass((), buffers, training=False))
    pushed = pack.gradient_steps(g_0, 0, 3)[0]
    assert float(pushed.abs().max()) > 1
    assert torch.equal(shown, pushed.clamp(-1, 1))
    pack.gradient_steps.eta.fill_(float("inf"))
    assert not pack.generate(0, 5, "pictures").isfinite().all()


# --- what a stage is ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pool", [False, True])
def test_a_stage_is_fifteen_updates_of_the_discriminator_and_a_hundred_of_the_approximator(pool):
    box = CFG(num_pushes=15, num_pairs=640, fit_epochs=10, pool=pool)
    model = small_mlp(dropout=0.0)
    pack = pack_of(replace(run_of(box, model=model), batch_size=64))
    calls = {"pushes": 0}
    gradient = pack.d.network.input_gradient

    def counted(*given):
        calls["pushes"] += 1
        return gradient(*given)

    pack.d.network.input_gradient = counted
    steps = pack.steps()
    for stage in (1, 2):
        next(steps)
        assert int(pack.d.updates) == 15 * stage
        assert int(pack.g.updates) == 100
    assert calls["pushes"] == 2 * (150 if pool else 105 + 150)


def test_updates_before_every_push_are_the_critic_steps():
    pack = pack_of(replace(run_of(), critic_steps=4))
    next(pack.steps())
    assert int(pack.d.updates) == 12


def test_the_approximators_optimizer_begins_anew_and_the_discriminators_does_not(monkeypatch):
    pack = pack_of(run_of())
    seen = []
    step = pack.approximators.step
    steps = pack.steps()
    next(steps)
    d_before = pack.d.groups[0].state[0]["mean_square"].clone()

    def looked(z, target):
        seen.append((float(pack.g.groups[0].state[0]["mean_square"].abs().max()), int(pack.g.updates)))
        return step(z, target)

    assert float(pack.g.groups[0].state[0]["mean_square"].max()) > 0
    pack.approximators.step = looked
    next(steps)
    assert seen[0] == (0.0, 0)
    assert seen[1][0] > 0
    assert [n for _, n in seen] == list(range(9))
    assert float(d_before.max()) > 0
    assert int(pack.d.updates) == 6


def test_scheduled_betas_begin_anew_too():
    pack = pack_of(run_of(one=with_betas()))
    for _ in pack.steps():
        assert float(pack.g.beta_products) == pytest.approx(0.9 ** int(pack.g.updates), rel=1e-6)
    assert int(pack.g.updates) == 9


def with_betas():
    one = member(1, Adam(), objective=LOGISTIC)
    return replace(one, generator=replace(one.generator, beta_schedule=Constant()))


def test_the_rate_falls_where_an_epochs_loss_has_risen_three_times_at_most_and_is_back_at_the_next_stage():
    """Rates of 1e3 overshoot in every epoch; after three reductions there is no fourth."""
    box = replace(SMALL, fit_epochs=8)
    pack = pack_of(run_of(box, one=member(1, RMSprop(), lr=0.05, objective=LOGISTIC)))
    rates = []
    losses = iter([5.0, 6.0, 7.0, 6.0, 8.0, 9.0, 10.0, 11.0] * 3)  # an epoch of 25 is three batches of 10

    def rising(z, target):
        rates.append(float(pack.g.lr))
        return torch.tensor([next(mean)]), torch.ones(1)

    mean = iter([loss for loss in losses for _ in range(3)])
    pack.approximators.step = rising
    steps = pack.steps()
    report = next(steps)
    assert rates[::3] == pytest.approx([0.05, 0.05, 0.005, 5e-4, 5e-4, 5e-5, 5e-5, 5e-5])
    assert float(report.fit.decays) == 3
    assert float(report.rates["generator"]) == pytest.approx(0.05)
    next(steps)
    assert rates[24] == pytest.approx(0.05)


def test_the_start_imitates_small_noise_before_the_discriminator_has_learnt():
    pack = pack_of(run_of(replace(SMALL, num_pairs=640, fit_epochs=10, start_std=0.2)))
    assert int(pack.d.updates) == 0
    assert float(pack.start.last) < 0.5 * float(pack.start.first)
    z = torch.randn(1, 200, 4)
    images = pack.approximators(z)[0].flatten(1)
    assert images.std() == pytest.approx(0.2 * 2, rel=0.3)  # 4 latents: std * sqrt(4)
    best = z[0] @ torch.linalg.lstsq(z[0], images).solution
    assert (images - best).square().mean() < 0.1 * images.square().mean()  # linear in z, as W^T z is


def test_another_start_never_takes_from_the_trainings_streams():
    """Twice as many pairs at the start leave the first batches as they are."""
    one, other = (pack_of(run_of(replace(SMALL, start_std=std))) for std in (0.01, 0.1))
    assert torch.equal(one.draws.next("order"), other.draws.next("order"))
    assert torch.equal(one.draws.next("pairs"), other.draws.next("pairs"))


@pytest.mark.parametrize(("stage", "stops"), [(1999, False), (2000, False), (2001, True)])
def test_a_gap_of_41_stops_after_stage_2000(stage, stops):
    pack, (*_, last) = played(run_of())
    pack.step.fill_(stage)
    wide = last.discriminator._replace(real=torch.tensor([20.0]), fake=torch.tensor([-21.0]))
    pack._check_logit_gap(wide)
    (found,) = pack.monitor.read()
    assert (found is not None) == stops
    if found is not None:
        assert (found.step, found.player) == (2001, "discriminator")
        assert "too far apart" in found.cause
    pack.monitor.code.zero_()
    pack._check_logit_gap(wide._replace(real=torch.tensor([18.0])))
    assert pack.monitor.read() == [None]


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_push_looks_at_the_others_of_its_batch_where_there_is_batch_norm(batch_norm):
    model = replace(BATCH_NORM, batch_norm_discriminator=batch_norm)
    pack = pack_of(run_of(model=model))
    pack.gradient_steps.eta.fill_(1.0)
    x = torch.randn(1, 4, 1, 6, 6, generator=torch.Generator().manual_seed(3))
    changed = x.clone()
    changed[:, 2] += 1
    others = [0, 1, 3]
    difference = (pack.gradient_steps.of(0, x) - pack.gradient_steps.of(0, changed))[:, others].abs().max()
    assert bool(difference > 0) == batch_norm


def test_pushes_use_batch_statistics_and_move_the_running_ones_of_what_is_stored():
    pack = pack_of(run_of(model=BATCH_NORM))
    name = next(name for name in pack.d.buffers if name.endswith("running_mean"))
    live, stored = pack.d.buffers[name].clone(), pack.gradient_steps.stored[0].buffers[name].clone()
    x = torch.randn(1, 8, 1, 6, 6)
    pack.gradient_steps(x, 0, 1)
    assert not torch.equal(pack.gradient_steps.stored[0].buffers[name], stored)
    assert torch.equal(pack.d.buffers[name], live)


def test_the_generator_makes_samples_with_running_statistics_and_learns_with_those_of_the_batch():
    pack = pack_of(run_of(model=BATCH_NORM))
    name = next(name for name in pack.g.buffers if name.endswith("running_mean"))
    z = torch.randn(1, 8, 4)
    before = pack.g.buffers[name].clone()
    alone = torch.cat([pack.approximators(z[:, n : n + 1]) for n in range(8)], 1)
    assert torch.allclose(pack.approximators(z), alone, atol=1e-6)
    assert torch.equal(pack.g.buffers[name], before)
    pack.approximators.step(z, torch.zeros(1, 8, 1, 6, 6))
    assert not torch.equal(pack.g.buffers[name], before)


def test_in_a_pool_the_discriminator_sees_what_the_approximator_is_fitted_to():
    pack = pack_of(run_of(replace(SMALL, pool=True, num_pairs=15, num_pushes=2)))
    seen, fitted = [], []
    step, fit = pack._discriminator_step, pack.approximators.fit
    pack._discriminator_step = lambda real, fake: (seen.append(fake), step(real, fake))[1]
    pack.approximators.fit = lambda z, target, orders: (fitted.append((z, target)), fit(z, target, orders))[1]
    next(pack.steps())
    (z, target), (params, buffers) = fitted[0], pack.origin.of()
    g_0 = pack.g.network(params, z, Pass((), buffers, training=False))
    assert torch.allclose(seen[0], g_0[:, :10], atol=1e-6)
    rows = [10, 11, 12, 13, 14, 0, 1, 2, 3, 4]  # batch after batch of the pool, round and round
    assert torch.allclose(seen[1], pack.gradient_steps(g_0, 0, 1)[:, rows], atol=1e-6)
    assert torch.allclose(target, pack.gradient_steps(g_0, 0, 2), atol=1e-6)


def test_penalties_take_part():
    with_r1 = member(1, RMSprop(), objective=Objective(Standard(), {"r1": R1(weight=1.0)}))
    pack, reports = played(run_of(one=with_r1))
    curves = pack.curves(reports[-1], 0)
    assert float(curves["penalty/r1"]) > 0
    plain, _ = played(run_of(one=member(1, RMSprop(), objective=LOGISTIC)))
    assert not torch.equal(plain.d.theta, pack.d.theta)


def test_samples_go_to_the_data():
    """Points around (0.6, -0.4) from points around 0; later they would swing past."""
    data = torch.tensor([0.6, -0.4]) + 0.1 * torch.randn(400, 2, generator=torch.Generator().manual_seed(2))
    model = small_mlp(dropout=0.0, generator_widths=(16,), discriminator_widths=(16,))
    one = member(1, RMSprop(alpha=0.95, eps=1e-18), 3e-3, LOGISTIC)
    run = run_of(CFG(eta=0.02, num_pushes=5, num_pairs=100, fit_epochs=5), one, model, steps=12)
    pack = run.algorithm.pack([run], data)
    ways = [float((pack.generate(0, 200, "x").mean(0) - data.mean(0)).norm()) for _ in pack.steps()]
    assert ways == sorted(ways, reverse=True)
    assert ways[-1] < 0.1 * ways[0]


# --- members ------------------------------------------------------------------------------------------------------

R1_MEMBER = member(3, Adam(), 3e-3, Objective(Standard(), {"r1": R1(weight=1.0)}), Cosine())
GP_MEMBER = member(4, RMSprop(), 1e-3, Objective(Standard(), {"gp": WGANGP(weight=1.0)}))
GUARDED = replace(SMALL, guard=Breakdown(enabled=True, window=1, keep_every=1, fit_above=1.0001))
CASTS = {
    "rates, eta and rules": (
        small_mlp(dropout=0.0),
        [
            run_of(),
            run_of(replace(SMALL, eta=2.0, schedule_eta=Linspace()), R1_MEMBER),
            run_of(replace(SMALL, feedback_eta=Plateau(patience=0)), GP_MEMBER),
        ],
    ),
    "batch norm": (BATCH_NORM, [run_of(TINY, steps=3), run_of(replace(TINY, eta=0.1), R1_MEMBER, steps=3)]),
    "pools": (
        small_mlp(dropout=0.0),
        [run_of(replace(SMALL, pool=True)), run_of(replace(SMALL, pool=True, eta=3.0), R1_MEMBER)],
    ),
    "guards": (
        small_mlp(dropout=0.0),
        [run_of(GUARDED, steps=6), run_of(replace(GUARDED, eta=3.0), R1_MEMBER, steps=6)],
    ),
}


def alike(one, other, where=""):
    """Compare exports leaf by leaf, NaN with NaN."""
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key in one:
            alike(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, torch.Tensor):
        assert np.array_equal(one.numpy(), other.numpy(), equal_nan=one.is_floating_point()), where
    else:
        assert one == other, where


def train_with_rising_metric(pack, k):
    """Train to the end with a metric of member k that rises after every stage."""
    for report in pack.steps():
        pack.update_feedback(k, float(report.steps[pack.place[k]]), True)


@pytest.mark.parametrize("cast", CASTS)
def test_a_member_is_the_same_alone_and_in_company_at_any_place(cast):
    model, runs = CASTS[cast]
    runs = [replace(run, model=model) for run in runs]
    for order in (runs, runs[::-1]):
        pack = pack_of(*order)
        for report in pack.steps():
            for k in range(len(order)):
                pack.update_feedback(k, float(report.steps[0]), True)
        for k, run in enumerate(order):
            alone = pack_of(run)
            train_with_rising_metric(alone, 0)
            alike(pack.export(k), alone.export(0))
            assert cast != "guards" or int(alone.guard.returns) > 0
            assert torch.equal(pack.generate(k, 9, "evaluation"), alone.generate(0, 9, "evaluation"))


@pytest.mark.parametrize("cast", CASTS)
def test_a_member_goes_on_bit_for_bit_in_another_pack(cast):
    model, runs = CASTS[cast]
    runs = [replace(run, model=model) for run in runs]
    for run in runs:
        whole, torn = pack_of(run), pack_of(run)
        train_with_rising_metric(whole, 0)
        steps = torn.steps()
        for _ in range(2):
            report = next(steps)
            torn.update_feedback(0, float(report.steps[0]), True)
        other = pack_of(runs[0], run)  # beside a neighbour that begins
        other.restore(1, torn.export(0))
        assert torch.equal(other.generate(1, 9, "evaluation"), torn.generate(0, 9, "evaluation"))
        train_with_rising_metric(other, 1)
        alike(other.export(1), whole.export(0))


def test_evaluating_changes_nothing():
    for model in (BATCH_NORM, small_mlp(dropout=0.0)):
        looked, alone = pack_of(run_of(TINY, model=model)), pack_of(run_of(TINY, model=model))
        for _ in looked.steps():
            looked.generate(0, 7, "evaluation")
        for _ in alone.steps():
            pass
        alike(looked.export(0), alone.export(0))


def test_eta_has_a_schedule_and_feedback_of_its_own():
    box = replace(SMALL, eta=2.0, schedule_eta=Linspace(), feedback_eta=Plateau(factor=0.5, patience=0))
    pack = pack_of(run_of(box))
    etas, rates = [], []
    for n, report in enumerate(pack.steps()):
        etas.append(float(report.rates["eta"]))
        rates.append(float(report.rates["discriminator"]))
        pack.update_feedback(0, float(n), True)
    assert etas == pytest.approx([2 * Linspace()(n, 4) * 0.5 ** max(0, n - 1) for n in range(4)])
    assert rates == pytest.approx([1e-3] * 4)
    assert run_of(box).monitors_metric
    assert not run_of().monitors_metric


def test_the_guard_goes_back_and_slows_down():
    rule = Breakdown(enabled=True, window=3, keep_every=2, decay=0.5)
    pack = pack_of(run_of(replace(SMALL, guard=rule), steps=9))
    fits = iter([1.0, 1.1, 0.9, 1.0, 5.2, 1.0, 1.0, 1.0, 1.0])
    fit, states, etas = pack.approximators.fit, [], []

    def told(z, target, orders):
        return replace(fit(z, target, orders), last=torch.tensor([next(fits)]))

    pack.approximators.fit = told
    for report in pack.steps():
        etas.append(float(report.rates["eta"]))
        states.append((pack.g.theta, pack.d.theta, float(pack.d.updates), pack.generate(0, 5, "x")))
    for now, sound in zip(states[4], states[3], strict=True):  # of stage 5 nothing is left; stage 4 was kept
        assert torch.equal(now, sound) if isinstance(now, torch.Tensor) else now == sound
    assert not torch.equal(states[5][0], states[3][0])
    assert etas == pytest.approx([0.5] * 5 + [0.25] * 4)
    assert float(report.rates["discriminator"]) == pytest.approx(5e-4)
    assert float(report.rates["generator"]) == pytest.approx(1e-3)
    assert int(report.returns) == 1


def test_what_counts_as_broken():
    guard = Guard(Breakdown(enabled=True, window=2), 3, torch.device("cpu"))
    sound = torch.tensor([1.36, 0.5, 1.36])
    one = torch.ones(3)
    assert guard.broken(torch.tensor([0.4, 0.4, 0.4]), one) == [False] * 3  # nothing to compare with yet
    for _ in range(3):
        assert guard.broken(sound, one) == [False] * 3
    # the first fell; the second had always been there; the third's approximator is lost
    assert guard.broken(torch.tensor([0.82, 0.5, 1.37]), torch.tensor([1.0, 1.0, 5.1])) == [True, False, True]
    assert guard.broken(sound, torch.tensor([1.0, 4.9, 4.9])) == [False] * 3


# --- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trainer": {"compile": True}}, "trainer.compile=true"),
        ({"trainer": {"diagnose_every": 5}}, "trainer.diagnose_every=5"),
        ({"one": member(ema=0.9, objective=LOGISTIC)}, "trainer.ema=0.9"),
        ({"one": member(rule=Lookahead(Adam()), objective=LOGISTIC)}, "optimizer=Lookahead"),
        ({"one": member(objective=Objective(RelativisticPairing(Standard()), {}))}, "loss.game=Relativistic"),
        ({"one": member(objective=Objective(Standard(), {}, clip=0.01))}, "loss.clip=0.01"),
        ({"one": member(objective=Objective(Standard(), {}, flip=0.1))}, "loss.flip=0.1"),
        ({"one": member(objective=Objective(Standard(), {}, instance_noise=0.1))}, "loss.instance_noise=0.1"),
        ({"model": small_mlp()}, "dropout"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_name(changes, said):
    one = changes.get("one", member(objective=LOGISTIC))
    model = changes.get("model", small_mlp(dropout=0.0))
    with pytest.raises(ValueError, match=said):
        replace(make_run(4, one, model, **changes.get("trainer", {})), algorithm=SMALL)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"eta": 0.0}, "eta=0.0"),
        ({"num_pushes": 0}, "num_pushes=0"),
        ({"fit_decay": 1.5}, "fit_decay=1.5"),
        ({"max_gap": -1.0}, "max_gap=-1.0"),
        ({"feedback_eta": GapAware()}, "feedback_eta=GapAware"),
    ],
)
def test_wrong_numbers_are_refused_by_their_name(wrong, said):
    with pytest.raises(ValueError, match=said):
        CFG(**wrong)
    with pytest.raises(ValueError, match="decay=0"):
        Breakdown(decay=0.0)


@pytest.mark.parametrize("box", [replace(GUARDED, feedback_eta=Plateau(patience=0)), replace(SMALL, pool=True)])
def test_a_run_that_was_stopped_ends_like_one_that_was_not(box, tmp_path):
    run = run_of(box, steps=5)
    run = replace(run, trainer=replace(run.trainer, eval_every=1))
    whole = train(run, tmp_path / "whole")
    asked = iter([False, False, True])
    with pytest.raises(Interrupted):
        train(run, tmp_path / "torn", stop=lambda: next(asked))
    torn = train(run, tmp_path / "torn")
    assert torn["metric"] == whole["metric"]
    assert torn["curves"] == whole["curves"]
    one, other = (torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("torn", "whole"))
    alike(one["member"], other["member"])
    assert set(whole["curves"][-1]) == {"step", "discriminator_loss", "approximator_loss"}
