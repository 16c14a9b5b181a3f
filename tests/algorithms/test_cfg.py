"""Composite functional gradients: the numbers of a stage, compared with closed forms and with the authors' code."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.algorithms.cfg_packs import LOGISTIC, SMALL, pack_of, played, run_of
from tests.training.small import member, small_mlp

from gansweep.algorithms.cfg import CFG
from gansweep.algorithms.cfg.approximators import half_square
from gansweep.algorithms.cfg.functional_gradient import functional_gradient_step
from gansweep.layers import Linear, Network, Pass
from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.models.initialisation import TorchDefault
from gansweep.optimizers.adam import Adam
from gansweep.optimizers.rmsprop import RMSprop
from gansweep.penalties.r1 import R1
from gansweep.schedules.constant import Constant

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
    """Rates of 1e3 overshoot in every epoch; there are three reductions at most."""
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
    """Twice as many pairs at the start do not change the first batches."""
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
    rows = [10, 11, 12, 13, 14, 0, 1, 2, 3, 4]  # the batches of the pool, in cyclic order
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
    """Points around 0 move to (0.6, -0.4); after more steps they would overshoot."""
    data = torch.tensor([0.6, -0.4]) + 0.1 * torch.randn(400, 2, generator=torch.Generator().manual_seed(2))
    model = small_mlp(dropout=0.0, generator_widths=(16,), discriminator_widths=(16,))
    one = member(1, RMSprop(alpha=0.95, eps=1e-18), 3e-3, LOGISTIC)
    run = run_of(CFG(eta=0.02, num_pushes=5, num_pairs=100, fit_epochs=5), one, model, steps=12)
    pack = run.algorithm.pack([run], data)
    ways = [float((pack.generate(0, 200, "x").mean(0) - data.mean(0)).norm()) for _ in pack.steps()]
    assert ways == sorted(ways, reverse=True)
    assert ways[-1] < 0.1 * ways[0]


# --- members ------------------------------------------------------------------------------------------------------


# --- what is refused ---------------------------------------------------------------------------------------------
