"""Each mistake is caught by the promise that it breaks."""

from __future__ import annotations

import pytest
from tests.check import broken_choices as broken
from tests.check.subjects import failed, subject

from gansweep.check import convergence, dynamics, loss, members, optimizer, penalty, rates, schedule

G_ALONE, D_ALONE = "the generator's schedule changes it alone", "the discriminator's schedule changes it alone"
RESTART, COMPANY = "goes on bit for bit after a restart", "the same bits beside other neighbours"
DESCENDS = "where nothing bends, each player descends"
NAN = "the same bits beside a NaN neighbour"
DOWN_G, DOWN_D = "a small step lowers the generator's loss", "a small step lowers the discriminator's loss"


def named(value):
    return type(value).__name__ if value.__class__.__module__.endswith("broken_choices") else ""


@pytest.mark.parametrize(
    ("rule", "family", "promises"),
    [
        (broken.RateOfTheLastCall(), rates, [G_ALONE]),
        (broken.OnlyTheFirstGroup(), rates, ["at rate 0 nothing moves", G_ALONE, D_ALONE]),
        (broken.Ascends(), rates, [DOWN_G, DOWN_D]),
        (broken.DecaysAtRateZero(), rates, ["at rate 0 nothing moves"]),
        (broken.ReturnsInsteadOfMoving(), rates, ["the generator's rate moves it alone"]),
        (broken.DecaysWithEveryCall(), members, [RESTART]),
        (broken.ClipsTheGlobalNorm(), members, [COMPANY, NAN]),
        (broken.MomentumInAnAttribute(), members, [RESTART]),
        (broken.MomentumInTheModule(), members, [RESTART]),
        (broken.GlobalNoise(), members, ["the same seed gives the same bits"]),
        (broken.Ascends(), optimizer, ["goes downhill on a bowl"]),
        (broken.ReturnsInsteadOfMoving(), optimizer, ["goes downhill on a bowl"]),
        (broken.MendsNaN(), optimizer, ["a NaN in a gradient shows, in its own row"]),
        (broken.ClipsTheGlobalNorm(), optimizer, ["moves a row as if it were alone"]),
        (broken.SpoilsTheGradient(), optimizer, ["leaves the gradient as it was"]),
        (broken.LatestStep(), optimizer, ["counts each member's own steps"]),
        (broken.StateWithoutMembers(momentum=0.9), optimizer, ["remembers tensors (K, ...)"]),
        (broken.RowNormCalledElementwise(), optimizer, ["elementwise: a row may come in parts"]),
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
    assert failed(clips, optimizer, "counts each member's own steps") == {}


@pytest.mark.parametrize(
    ("game", "promises"),
    [
        (broken.SwappedDiscriminator(), ["the discriminator gains by separating"]),
        (broken.SwappedGenerator(), ["the generator gains by raising its logits"]),
        (broken.MeanOverMembers(), ["the discriminator's leaves as (K,)"]),
        (broken.MeanOverMembersRepeated(), ["the generator's leaves as (K,)"]),
        (broken.SumOverTheBatch(), ["the discriminator's is a mean over the batch"]),
        (broken.DetachedHalf(), ["the discriminator's gradient is its slope"]),
        (broken.RatherLarge(), ["the discriminator gains by separating"]),
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
        (broken.PerPixel(), ["sees the slope of a whole sample"]),
        (broken.PerPixelUnreduced(), ["prices each sample by itself"]),
        (broken.Detached(), ["reaches the discriminator's parameters", "its gradient is its slope"]),
        (broken.HalfDetached(), ["its gradient is its slope"]),
        (broken.NormOfTheBatch(), ["prices each sample by itself"]),
        (broken.RootAtZero(), ["finite on a flat critic"]),
    ],
    ids=named,
)
def test_penalties(price, promises):
    found = failed(subject(penalty=price), penalty)
    assert set(promises) <= found.keys(), found


def test_the_price_per_pixel_is_the_one_that_was_measured():
    """A critic of slope 3 on 28 x 28 pixels: 4 by the paper's formula, next to nothing pixel by pixel."""
    found = failed(subject(penalty=broken.PerPixel(weight=1.0)), penalty)
    assert "spread over 784 0.797" in found["sees the slope of a whole sample"]


@pytest.mark.parametrize(
    ("law", "promises"),
    [
        (broken.CountsItsCalls(), ["pure: may be asked in any order"]),
        (broken.GoesBelowZero(), ["finite and never below 0"]),
        (broken.InfiniteAtFirst(), ["finite and never below 0"]),
        (broken.ValuesOneLate(), ["values(n) are the calls"]),
        (broken.HoldsALambda(), ["pickles"]),
    ],
    ids=named,
)
def test_schedules(law, promises):
    found = failed(subject(schedule=law), schedule)
    assert set(promises) <= found.keys(), found


def test_a_schedule_that_counts_gives_both_players_other_rates():
    assert "the trainer's rates are lr x schedule" in failed(subject(schedule=broken.CountsItsCalls()), rates)


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


JACOBIAN, PLAIN = "the game's Jacobian is that of its losses", "plain steps follow the eigenvalues"
OWN = "the optimizers' steps follow their eigenvalues"


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
