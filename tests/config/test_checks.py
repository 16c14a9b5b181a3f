"""Sizes and counts that can't work are refused before anything is allocated."""

from __future__ import annotations

import re

import pytest
from tests.config.test_build_conf import composed

from gansweep.config.build import check

POINTS = ("data=ring", "data.num_samples=64", "~metric")
DIGITS = ("data=digits", "~metric")


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ([*POINTS, "model.latent_dim=1e12"], "model.latent_dim"),
        ([*POINTS, "model.discriminator_widths=[8,1e12]"], "model.discriminator_widths"),
        ([*DIGITS, "model=mlp_cfg", "model.discriminator_of.base_width=1e7"], "model.discriminator_of.base_width"),
        ([*DIGITS, "data.size=1000000"], "data.size"),
        (["data=ring", "data.num_samples=1e12", "~metric"], "data.num_samples"),
        (["data=ring", "metric=wasserstein1", "metric.num_samples=1e12"], "metric.num_samples"),
        (["data=ring", "data.num_samples=64", "metric=wasserstein1", "metric.num_samples=65"], "metric.num_samples"),
        (["metric=coverage", "metric.num_samples=2000", "metric.k=1797"], "metric.k"),
    ],
)
def test_the_setting_is_named(line, key):
    (problem,) = check(composed("device=cpu", *line)).problems
    assert problem.name == key
    assert "expected" in problem.expected


def test_data_that_do_not_fit_into_memory_are_named(monkeypatch):
    from gansweep.data.digits import Digits

    def read(self):
        raise MemoryError("Unable to allocate 64.0 GiB")

    monkeypatch.setattr(Digits, "read", read)
    (problem,) = check(composed("device=cpu", "data=digits", "data.size=9", "~metric")).problems
    assert str(problem) == "data: needs more memory than is available: Unable to allocate 64.0 GiB"


RING = ["data=ring", "model=mlp_ring"]
FEW = [*RING, "data.num_samples=80", "batch_size=8"]
PATCHES = ["data=texture", "data.num_patches=60", "batch_size=8"]


@pytest.mark.parametrize("key", ["metric", "metric_2"])
@pytest.mark.parametrize(
    ("overrides", "choice", "expected"),
    [
        (FEW, "wasserstein1", "num_samples=1024: ring has 80 points, expected at most 80"),
        (FEW, "sliced_wasserstein1", "num_samples=5000: ring has 80 points, expected at most 80"),
        (PATCHES, "kid_texture", "subset_size=200: expected at most 60"),
    ],
)
def test_more_samples_than_there_are(key, overrides, choice, expected):
    chosen = f"metric={choice}" if key == "metric" else f"metric@metric_2={choice}"
    (problem,) = check(composed(*overrides, *(["~metric"] if key == "metric_2" else []), chosen)).problems
    assert str(problem).startswith(f"{key}.{expected}")


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["metric=kid_digits", "metric.num_samples=100"], "metric.subset_size=500: expected at most 100"),
        (["metric=inception_score", "metric.num_samples=19"], "metric.num_samples=19: expected at least 20"),
        (["data.size=1000000"], r"data.size=1000000: 1797 images of digits would take .* GiB.*: expected at most \d+"),
        (["data=texture", "data.num_patches=1000000000000"], "data.num_patches=1000000000000: .* expected at most"),
        (["data=texture", "data.resize=1e6"], "data.resize=1000000.0: .* do not fit in memory"),
        ([*RING, "data.num_samples=100000000000000"], "data.num_samples=100000000000000: expected 1 to 100000000"),
        (["metric.num_samples=1000000000000"], "metric.num_samples=1000000000000: .* expected a smaller number"),
        (
            ["model.latent_dim=1000000000000"],
            "model.latent_dim=1000000000000: the generator with its gradient",
        ),
        (
            ["model.discriminator_widths=[8,1000000000000]"],
            "model.discriminator_widths=1000000000000: the discriminator",
        ),
        (["model=dcgan", "model.base_width=1000000000", "data.size=28"], "model.base_width=1000000000: the generator"),
    ],
)
def test_sizes_that_cannot_fit(overrides, expected):
    problems = check(composed(*overrides)).problems
    assert len(problems) == 1
    assert re.match(expected, str(problems[0]))


def test_costs_of_all_pairs_that_cannot_fit(monkeypatch):
    monkeypatch.setattr("gansweep.memory.available_bytes", lambda: 1_000_000)
    (problem,) = check(composed(*RING, "metric=wasserstein1")).problems
    assert str(problem).startswith("metric.num_samples=1024: the costs of all pairs of points")
    assert str(problem).endswith("expected at most 353")
