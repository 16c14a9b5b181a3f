"""Sizes that no memory holds, and more samples than there are: refused before anything is allocated."""

from __future__ import annotations

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
    assert problem.where == key
    assert "expected" in problem.message


def test_data_that_do_not_fit_into_memory_are_named(monkeypatch):
    from gansweep.data.digits import Digits

    def read(self):
        raise MemoryError("Unable to allocate 64.0 GiB")

    monkeypatch.setattr(Digits, "read", read)
    (problem,) = check(composed("device=cpu", "data=digits", "data.size=9", "~metric")).problems
    assert str(problem) == "data: needs more memory than is available: Unable to allocate 64.0 GiB"
