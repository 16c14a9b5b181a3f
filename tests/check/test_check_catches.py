"""Each mistake fails the check that is meant for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.check import broken_choices as broken
from tests.check import broken_networks as networks
from tests.check import broken_rules as rules
from tests.check.subjects import failed, subject

from gansweep.check import convergence, dynamics, loss, members, model, optimizer, penalty, rates, schedule

G_SCHEDULE, D_SCHEDULE = (
    "generator schedule changes only the generator",
    "discriminator schedule changes only the discriminator",
)
RESTART, BATCH = "bit-identical after a restart", "bit-identical in any batch"
LINEAR_LOSSES = "gradient descent on linear losses"
NAN = "bit-identical with a NaN member in the batch"
LOWERS_G, LOWERS_D = "a small step lowers the generator loss", "a small step lowers the discriminator loss"


def name_of(value):
    return type(value).__name__ if value.__class__.__module__.startswith("tests.check.broken_") else ""


@pytest.mark.parametrize(
    ("rule", "family", "requirements"),
    [
        (rules.RateOfTheLastCall(), rates, [G_SCHEDULE]),
        (rules.OnlyTheFirstGroup(), rates, ["no update at learning rate 0", G_SCHEDULE, D_SCHEDULE]),
        (rules.Ascends(), rates, [LOWERS_G, LOWERS_D]),
        (rules.DecaysAtRateZero(), rates, ["no update at learning rate 0"]),
        (rules.ReturnsInsteadOfMoving(), rates, ["generator rate moves only the generator"]),
        (rules.DecaysWithEveryCall(), members, [RESTART]),
        (rules.ClipsTheGlobalNorm(), members, [BATCH, NAN]),
        (rules.MomentumInAnAttribute(), members, [RESTART]),
        (rules.MomentumInTheModule(), members, [RESTART]),
        (rules.GlobalNoise(), members, ["bit-identical for the same seed"]),
        (rules.Ascends(), optimizer, ["lowers a convex quadratic"]),
        (rules.ReturnsInsteadOfMoving(), optimizer, ["lowers a convex quadratic"]),
        (rules.ClipsTheGlobalNorm(), optimizer, ["a row is independent of the others"]),
        (rules.ModifiesTheGradient(), optimizer, ["does not modify the gradient"]),
        (rules.LatestStep(), optimizer, ["uses the step count of each member"]),
        (rules.StateWithoutMembers(momentum=0.9), optimizer, ["state is tensors (K, ...)"]),
        (rules.RowNormCalledElementwise(), optimizer, ["elementwise: a row may be split"]),
    ],
    ids=name_of,
)
def test_optimizers(rule, family, requirements):
    failures = failed(subject(rule=rule), family)
    assert set(requirements) <= failures.keys(), failures


def test_coupled_members_fail_only_the_checks_of_coupling():
    """A single member resumes and counts its steps correctly."""
    clips = subject(rule=rules.ClipsTheGlobalNorm())
    assert failed(clips, members).keys() == {BATCH, NAN}
    assert failed(clips, optimizer, "uses the step count of each member") == {}


@pytest.mark.parametrize(
    ("game", "requirements"),
    [
        (broken.SwappedDiscriminator(), ["separating real from fake lowers L_D"]),
        (broken.SwappedGenerator(), ["raising fake logits lowers L_G"]),
        (broken.MeanOverMembers(), ["discriminator loss has shape (K,)"]),
        (broken.MeanOverMembersRepeated(), ["generator loss has shape (K,)"]),
        (broken.SumOverTheBatch(), ["discriminator loss is a mean over the batch"]),
        (broken.DetachedHalf(), ["discriminator gradient matches finite differences"]),
        (broken.OverflowsAtLargeLogits(), ["separating real from fake lowers L_D"]),
    ],
    ids=name_of,
)
def test_losses(game, requirements):
    failures = failed(subject(game=game), loss)
    assert set(requirements) == failures.keys(), failures


def test_a_statistic_of_the_whole_pack_couples_its_members():
    assert failed(subject(game=broken.ComparedWithThePack()), members).keys() == {BATCH, NAN}


def test_a_repeated_mean_over_members_does_not_couple_them():
    """Its gradient, summed over K, is that of each member. The check of the loss fails: its values are wrong."""
    assert not failed(subject(game=broken.MeanOverMembersRepeated()), members)


@pytest.mark.parametrize(
    ("rule", "requirements"),
    [
        (broken.PerPixel(), ["takes the gradient norm over a whole sample"]),
        (broken.PerPixelUnreduced(), ["scores each sample separately"]),
        (broken.Detached(), ["depends on the discriminator's parameters", "gradient matches finite differences"]),
        (broken.HalfDetached(), ["gradient matches finite differences"]),
        (broken.NormOfTheBatch(), ["scores each sample separately"]),
        (broken.RootAtZero(), ["finite at zero input gradient"]),
    ],
    ids=name_of,
)
def test_penalties(rule, requirements):
    failures = failed(subject(penalty=rule), penalty)
    assert set(requirements) <= failures.keys(), failures


def test_value_of_the_penalty_per_pixel():
    """An input gradient of norm 3 over 28 x 28 pixels: 4 by the paper's formula, 0.797 per pixel."""
    failures = failed(subject(penalty=broken.PerPixel(weight=1.0)), penalty)
    assert "spread over 784 0.797" in failures["takes the gradient norm over a whole sample"]


@pytest.mark.parametrize(
    ("rule", "requirements"),
    [
        (broken.CountsItsCalls(), ["pure: independent of the call order"]),
        (broken.GoesBelowZero(), ["finite and non-negative"]),
        (broken.InfiniteAtFirst(), ["finite and non-negative"]),
        (broken.ValuesOneLate(), ["values(n) equals the calls"]),
        (broken.HoldsALambda(), ["can be pickled"]),
    ],
    ids=name_of,
)
def test_schedules(rule, requirements):
    failures = failed(subject(schedule=rule), schedule)
    assert set(requirements) <= failures.keys(), failures


def test_a_schedule_that_counts_its_calls_gives_both_players_wrong_rates():
    assert "learning rates are lr x schedule" in failed(subject(schedule=broken.CountsItsCalls()), rates)


@pytest.mark.parametrize(
    ("rule", "family", "requirements"),
    [
        (broken.RateOfTheOther(), rates, [G_SCHEDULE]),
        (broken.RateOfTheOther(), dynamics, [LINEAR_LOSSES]),
        (broken.GeneratorAscends(), dynamics, [LINEAR_LOSSES]),
        (broken.StepsTwice(), dynamics, [LINEAR_LOSSES]),
        (broken.CouplesMembers(), members, [BATCH, NAN]),
        (broken.StaleField(), members, [RESTART]),
    ],
    ids=name_of,
)
def test_dynamics(rule, family, requirements):
    failures = failed(subject(dynamics=rule), family)
    assert set(requirements) <= failures.keys(), failures


JACOBIAN, GRADIENT_DESCENT = "Jacobian matches finite differences", "gradient descent follows the eigenvalues"
OPTIMIZERS = "optimizer steps follow the eigenvalues"


@pytest.mark.parametrize(
    ("choice", "requirement"),
    [
        ({"penalty": broken.HalfDetached()}, JACOBIAN),
        ({"dynamics": broken.StaleField()}, GRADIENT_DESCENT),
        ({"rule": rules.DecaysWithEveryCall()}, OPTIMIZERS),
    ],
)
def test_the_trainer_disagrees_with_the_eigenvalues(choice, requirement):
    """A detached term changes the losses only; hidden state makes a step differ from its matrix."""
    assert requirement in failed(subject(**choice), convergence, requirement)


@pytest.mark.parametrize(
    ("model_", "requirements"),
    [
        (networks.WithLastLayer(), []),
        (networks.WithLastLayer(networks.MixesMembers()), [BATCH, NAN]),
        (networks.WithLastLayer(networks.WrongPullBack()), ["input gradient is that of autograd"]),
        (
            networks.WithLastLayer(networks.CountsItsPasses()),
            ["bit-identical for the same seed", RESTART],
        ),
        (networks.WithLastLayer(networks.TwoLogits()), ["discriminator has the required output shape"]),
        (
            networks.WithLastLayer(initialisation=networks.NoisyStart()),
            ["generator starts at values of its stream"],
        ),
    ],
    ids=lambda value: type(value.last).__name__ if isinstance(value, networks.WithLastLayer) else "",
)
def test_models(model_, requirements):
    failures = failed(replace(subject(), model=model_, sample_shape=(2,)), model)
    assert set(requirements) <= failures.keys(), failures
    assert requirements or not failures
