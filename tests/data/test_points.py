"""Point data sets: distributions and reproducibility."""

from __future__ import annotations

import math

import pytest
import torch

from gansweep.data.circle import Circle
from gansweep.data.four_lines import FourLines
from gansweep.data.gaussian import Gaussian
from gansweep.data.grid import Grid
from gansweep.data.line import Line
from gansweep.data.ring import Ring
from gansweep.data.swiss_roll import SwissRoll

TOYS = [Circle(), FourLines(), Gaussian(), Grid(), Line(), Ring(), SwissRoll()]
ALL = pytest.mark.parametrize("toy", TOYS, ids=lambda toy: toy.name)

# E |x|, the W1 distance to a generator collapsed to the origin
MEAN_LENGTH = [
    (Gaussian(), math.sqrt(math.pi / 2)),
    (Line(), 0.5),
    (Circle(), 1.0),
    (FourLines(), 1.0402),
]


@ALL
def test_points_depend_only_on_the_seed(toy):
    again, other = type(toy)(), type(toy)(seed=1)
    assert toy.samples.shape == (10_000, 2)
    assert toy.samples.dtype == torch.float32
    assert torch.equal(toy.samples, again.samples)
    assert toy.content_hash == again.content_hash != other.content_hash
    assert toy.check() is None


@pytest.mark.parametrize("toy", [Circle(), FourLines(), Gaussian(), Grid(), Line(), Ring()], ids=lambda toy: toy.name)
def test_mean_is_the_origin(toy):
    assert toy.samples.mean(0).abs().max() < 0.05


@pytest.mark.parametrize(("toy", "expected"), MEAN_LENGTH, ids=lambda value: str(value)[:10])
def test_mean_distance_from_the_origin(toy, expected):
    assert toy.samples.norm(dim=1).mean().item() == pytest.approx(expected, rel=0.02)


def test_modes_of_the_ring():
    ring = Ring(num_modes=5, radius=3.0, std=0.1, num_samples=20_000)
    angles = 2 * math.pi * torch.arange(5) / 5
    centres = 3 * torch.stack([angles.cos(), angles.sin()], 1)
    mode = torch.cdist(ring.samples, centres).argmin(1)
    counts = mode.bincount(minlength=5)
    assert (counts / 20_000 - 0.2).abs().max() < 0.012
    off = ring.samples - centres[mode]
    assert off.std(0).tolist() == pytest.approx([0.1, 0.1], rel=0.03)
    assert off.prod(1).mean().abs() < 1e-3


def test_modes_of_the_grid_are_equally_likely():
    grid = Grid(side=3, spacing=0.5, std=0.01, num_samples=20_000)
    place = (grid.samples / 0.5).round()
    places, counts = place.unique(dim=0, return_counts=True)
    assert sorted(map(tuple, places.tolist())) == [(x, y) for x in (-1.0, 0.0, 1.0) for y in (-1.0, 0.0, 1.0)]
    assert (counts / 20_000 - 1 / 9).abs().max() < 0.01
    assert (grid.samples - 0.5 * place).std().item() == pytest.approx(0.01, rel=0.03)


def test_grid_with_an_even_side_is_centred():
    assert sorted(Grid(side=2, std=0.0).samples.unique().tolist()) == [-0.5, 0.5]


@pytest.mark.parametrize(
    "toy", [Ring(num_modes=5, radius=3.0), Ring(num_modes=1), Grid(side=4, spacing=0.7), Grid(side=1)]
)
def test_points_are_near_the_centres(toy):
    distance, mode = torch.cdist(toy.samples, toy.centres).min(1)
    assert distance.max() < 5.5 * toy.std
    assert len(mode.unique()) == len(toy.centres) == len(toy.centres.unique(dim=0))
    # the mean length of a two-dimensional normal vector
    assert distance.mean().item() == pytest.approx(toy.std * math.sqrt(math.pi / 2), rel=0.03)


def test_line_is_horizontal_and_uniform():
    x, y = Line(half_length=2.0).samples.T
    assert not y.any()
    assert x.std().item() == pytest.approx(4 / math.sqrt(12), rel=0.02)


def test_four_lines_are_two_vertical_and_two_horizontal_segments():
    points = FourLines(distance=2.0, length=1.0).samples
    upright, flat = points[:, 0].abs() == 2, points[:, 1].abs() == 2
    assert bool((upright ^ flat).all())
    for on, along in ((upright, 1), (flat, 0)):
        assert on.float().mean().item() == pytest.approx(0.5, abs=0.02)
        assert points[on, along].abs().max() <= 0.5
        assert points[on, along].std().item() == pytest.approx(1 / math.sqrt(12), rel=0.03)
        assert (points[on, 1 - along] > 0).float().mean().item() == pytest.approx(0.5, abs=0.03)


def test_swiss_roll_has_radius_proportional_to_angle():
    roll = SwissRoll(radius=3.0, std=0.0)
    radius = roll.samples.norm(dim=1).double()
    angle = torch.atan2(roll.samples[:, 1], roll.samples[:, 0]).double()
    turns = (4.5 * math.pi * radius / 3 - angle) / (2 * math.pi)
    assert (turns - turns.round()).abs().max() < 1e-4
    assert radius.min().item() == pytest.approx(1, abs=0.01)
    assert radius.max().item() == pytest.approx(3, abs=0.01)


@pytest.mark.parametrize(
    ("toy", "wrong"),
    [
        (Ring, {"num_modes": 0}),
        (Ring, {"std": -1.0}),
        (Ring, {"radius": math.nan}),
        (Grid, {"side": 0}),
        (Grid, {"spacing": math.inf}),
        (Line, {"half_length": -1.0}),
        (Circle, {"num_samples": 0}),
        (FourLines, {"length": -0.5}),
        (SwissRoll, {"radius": -2.0}),
        (Ring, {"seed": -1}),
        (Circle, {"num_samples": 10**12}),
    ],
)
def test_settings_out_of_range(toy, wrong):
    with pytest.raises(ValueError, match=rf"{next(iter(wrong))}="):
        toy(**wrong)
