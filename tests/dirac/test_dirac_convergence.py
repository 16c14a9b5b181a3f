"""Convergence of the nine methods of the paper's table 1: measured and printed."""

from __future__ import annotations

import numpy as np
import pytest

from gansweep.dirac import convergence
from gansweep.dirac.convergence import ROWS, markdown, measure
from gansweep.dirac.fields.gan import WGAN
from gansweep.dirac.fields.r1 import R1


@pytest.fixture(scope="module")
def rows():
    """Measure all rows at larger rates, which need fewer steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convergence, "RATES", np.array([0.2, 0.3]))
        return convergence.measured_rows(num_steps=600)


def test_measured_verdicts_equal_the_printed_ones_except_for_dragan(rows):
    """With densities the discriminator is constant at the equilibrium, so DRAGAN's field is discontinuous."""
    differing = []
    for general, on_points, _, on_gaussians in rows:
        assert on_points.converges is general.converges.general
        if on_gaussians.converges is not general.converges.absolutely_continuous:
            differing.append(general.label)
    assert differing == ["DRAGAN"]


def test_measured_factors_equal_the_moduli(rows):
    for general, on_points, smooth, on_gaussians in rows:
        for field, measured in ((general, on_points), (smooth, on_gaussians)):
            if measured.by_eigenvalues:
                np.testing.assert_allclose(measured.factor, measured.predicted, atol=6e-3, err_msg=repr(field))


def test_printed_verdicts():
    printed = [tuple(general.converges) for general, _ in ROWS]
    assert printed == [(True, False), (False, False), (False, False), (True, False)] + [(True, True)] * 5


def test_the_table_has_printed_and_measured_verdicts(rows):
    lines = markdown(rows).splitlines()
    assert len(lines) == 11
    assert lines[2].startswith("| unregularised | yes | yes | -0.25 |")
    assert lines[2].endswith("| yes |")
    assert [line.split("|")[1].strip() for line in lines[2:] if "no: absolutely continuous" in line] == ["DRAGAN"]


def test_there_is_no_verdict_where_eigenvalues_and_trajectories_disagree():
    """Ten steps are not enough for the distance to fall below the threshold."""
    assert measure(R1(0.3), num_steps=10).converges is None
    assert measure(WGAN(), num_steps=10).converges is False
