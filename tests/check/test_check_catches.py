"""Each mistake is caught by the promise that it breaks."""

from __future__ import annotations

import pytest
from tests.check import broken_choices as broken
from tests.check.subjects import failed, subject

from gansweep.check import convergence, dynamics, loss, members, optimizer, penalty, rates, schedule

G_ALONE, D_ALONE = (
    "generator schedule changes only the generator",
    "discriminator schedule changes only the discriminator",
)
RESTART, COMPANY = "bit-identical after a restart", "bit-identical in any batch"
DESCENDS = "gradient descent on linear losses"
NAN = "bit-identical with a NaN member in the batch"
DOWN_G, DOWN_D = "a small step lowers the generator loss", "a small step lowers the discriminator loss"


def named(value):
    return type(value).__name__ if value.__class__.__module__.endswith("broken_choices") else ""


@pytest.mark.parametrize(
    ("rule", "family", "promises"),
    [
        (broken.RateOfTheLastCall(), rates, [G_ALONE]),
        (broken.OnlyTheFirstGroup(), rates, ["no update at learning rate 0", G_ALONE, D_ALONE]),
        (broken.Ascends(), rates, [DOWN_G, DOWN_D]),
        (broken.DecaysAtRateZero(), rates, ["no update at learning rate 0"]),
        (broken.ReturnsInsteadOfMoving(), rates, ["generator rate moves only the generator"]),
        (broken.DecaysWithEveryCall(), members, [RESTART]),
        (broken.ClipsTheGlobalNorm(), members, [COMPANY, NAN]),
        (broken.MomentumInAnAttribute(), members, [RESTART]),
        (broken.MomentumInTheModule(), members, [RESTART]),
        (broken.GlobalNoise(), members, ["bit-identical for the same seed"]),
        (broken.Ascends(), optimizer, ["lowers a convex quadratic"]),
        (broken.ReturnsInsteadOfMoving(), optimizer, ["lowers a convex quadratic"]),
        (broken.MendsNaN(), optimizer, ["a NaN gradient reaches its own row only"]),
        (broken.ClipsTheGlobalNorm(), optimizer, ["a row is independent of the others"]),
        (broken.SpoilsTheGradient(), optimizer, ["does not modify the gradient"]),
        (broken.LatestStep(), optimizer, ["uses the step count of each member"]),
        (broken.StateWithoutMembers(momentum=0.9), optimizer, ["state is tensors (K, ...)"]),
        (broken.RowNormCalledElementwise(), optimizer, ["elementwise: a row may be split"]),
    ],
    ids=named,
)
def test_optimizers(rule, family, promises):
    found = failed(subject(rule=rule), family)
    assert set(promises) <= found.keys(), found


def test_an_advice_is_not_given_for_another_mistake():
    """Members that are coupled do as they please in company; alone, this one resumes and counts as it should."""
    clips = subject(rule=broken.ClipsTheGlobalNorm())
    assert failed(clips, members).keys() == {COMPANY, NAN}
    assert failed(clips, optimizer, "uses the step count of each member") == {}


@pytest.mark.parametrize(
    ("game", "promises"),
    [
        (broken.SwappedDiscriminator(), ["separating real from fake lowers L_D"]),
        (broken.SwappedGenerator(), ["raising fake logits lowers L_G"]),
        (broken.MeanOverMembers(), ["discriminator loss has shape (K,)"]),
        (broken.MeanOverMembersRepeated(), ["generator loss has shape (K,)"]),
        (broken.SumOverTheBatch(), ["discriminator loss is a mean over the batch"]),
        (broken.DetachedHalf(), ["discriminator gradient matches finite differences"]),
        (broken.RatherLarge(), ["separating real from fake lowers L_D"]),
    ],
    ids=named,
)
def test_losses(game, promises):
    found = failed(subject(game=game), loss)
    assert set(promises) == found.keys(), found


def test_a_number_of_the_whole_pack_couples_its_members():
    assert failed(subject(game=broken.ComparedWithThePack()), members).keys() == {COMPANY, NAN}


def test_a_mean_over_members_moves_nobody_and_is_caught_all_the_same():
    """Summed over K, its gradient is each member's own; the reported losses are wrong, and the end by NaN."""
    assert not failed(subject(game=broken.MeanOverMembersRepeated()), members)


@pytest.mark.parametrize(
    ("price", "promises"),
    [
        (broken.PerPixel(), ["takes the gradient norm over a whole sample"]),
        (broken.PerPixelUnreduced(), ["scores each sample separately"]),
        (broken.Detached(), ["depends on the discriminator's parameters", "gradient matches finite differences"]),
        (broken.HalfDetached(), ["gradient matches finite differences"]),
        (broken.NormOfTheBatch(), ["scores each sample separately"]),
        (broken.RootAtZero(), ["finite at zero input gradient"]),
    ],
    ids=named,
)
def test_penalties(price, promises):
    found = failed(subject(penalty=price), penalty)
    assert set(promises) <= found.keys(), found


def test_the_price_per_pixel_is_the_one_that_was_measured():
    """A critic of slope 3 on 28 x 28 pixels: 4 by the paper's formula, next to nothing pixel by pixel."""
    found = failed(subject(penalty=broken.PerPixel(weight=1.0)), penalty)
    assert "spread over 784 0.797" in found["takes the gradient norm over a whole sample"]


@pytest.mark.parametrize(
    ("law", "promises"),
    [
        (broken.CountsItsCalls(), ["pure: independent of the call order"]),
        (broken.GoesBelowZero(), ["finite and non-negative"]),
        (broken.InfiniteAtFirst(), ["finite and non-negative"]),
        (broken.ValuesOneLate(), ["values(n) equals the calls"]),
        (broken.HoldsALambda(), ["can be pickled"]),
    ],
    ids=named,
)
def test_schedules(law, promises):
    found = failed(subject(schedule=law), schedule)
    assert set(promises) <= found.keys(), found


def test_a_schedule_that_counts_gives_both_players_other_rates():
    assert "learning rates are lr x schedule" in failed(subject(schedule=broken.CountsItsCalls()), rates)


@pytest.mark.parametrize(
    ("way", "family", "promises"),
    [
        (broken.RateOfTheOther(), rates, [G_ALONE]),
        (broken.RateOfTheOther(), dynamics, [DESCENDS]),
        (broken.GeneratorAscends(), dynamics, [DESCENDS]),
        (broken.StepsTwice(), dynamics, [DESCENDS]),
        (broken.CouplesMembers(), members, [COMPANY, NAN]),
        (broken.StaleField(), members, [RESTART]),
    ],
    ids=named,
)
def test_ways_to_play(way, family, promises):
    found = failed(subject(dynamics=way), family)
    assert set(promises) <= found.keys(), found


JACOBIAN, PLAIN = "Jacobian matches finite differences", "gradient descent follows the eigenvalues"
OWN = "optimizer steps follow the eigenvalues"


@pytest.mark.parametrize(
    ("choice", "promise"),
    [
        ({"penalty": broken.HalfDetached()}, JACOBIAN),
        ({"dynamics": broken.StaleField()}, PLAIN),
        ({"rule": broken.DecaysWithEveryCall()}, OWN),
    ],
)
def test_the_trainer_is_held_against_the_eigenvalues(choice, promise):
    """What is cut off from a gradient bends the losses alone; what is remembered makes steps no matrix."""
    assert promise in failed(subject(**choice), convergence, promise)
