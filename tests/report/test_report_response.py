"""Response curves in a report. Mistakes: points of another method, N/A as a value, a best that is not better."""

from __future__ import annotations

import numpy as np
import pytest
from tests.sweep.fake_cells import cell, diverged, record, write

from gansweep.report import response
from gansweep.report.formats import TableOptions, judge
from gansweep.report.study import Study
from gansweep.results.table import write as write_table
from gansweep.sweep.sweep import Sweep

RATES = [float(f"{rate:.2g}") for rate in np.geomspace(1e-5, 1e-1, 9)]
BEST = {"adam": 1e-3, "sgd": 1e-2}


def swept(root, level=20.0, rates=RATES, lower_is_better=True):
    """Write two optimizers with a known best rate; the largest rate diverges."""
    root.mkdir()
    rng, cells = np.random.default_rng(0), []
    for name in BEST:
        for rate in rates:
            one = cell(root, optimizer=name, lr=rate, seed=0)
            cells.append(one)
            value = level + 10 * np.log10(rate / BEST[name]) ** 2 + rng.normal(0, 1)
            content = diverged(one) if rate == RATES[-1] else record(one, value if lower_is_better else -value)
            content["metric"]["lower_is_better"] = lower_is_better
            write(one, content)
    write_table(Sweep(root, cells, "x"))
    (verdict,) = judge(Study.read(root), TableOptions())
    return verdict


@pytest.mark.parametrize("lower_is_better", [True, False])
def test_the_best_rate_of_each_method(tmp_path, lower_is_better):
    verdict = swept(tmp_path / "x", lower_is_better=lower_is_better)
    if not lower_is_better:  # with values below 0 against an untrained value of 400
        assert all(row[2] == "no better than untrained" for row in response.section(verdict).blocks[1].rows)
        return
    _, table, _ = response.section(verdict).blocks
    assert [row[:2] for row in table.rows] == [["lr", "optimizer=adam"], ["lr", "optimizer=sgd"]]
    for row, best in zip(table.rows, BEST.values(), strict=True):
        low, high = map(float, row[3].split(" to "))
        assert float(row[2]) == pytest.approx(best, rel=0.6)
        assert low <= best <= high
        assert float(row[4]) == pytest.approx(20, abs=3)
        assert row[6] == "1"
    (axis,) = response.response_picture(verdict).axes
    assert axis.get_xscale() == "log"
    assert len(axis.collections) == 2


def test_nothing_is_best_that_is_no_better_than_untrained(tmp_path):
    _, table, _ = response.section(swept(tmp_path / "x", level=500.0)).blocks
    assert all(row[2] == "no better than untrained" for row in table.rows)


def test_four_rates_have_no_curve(tmp_path):
    assert response.section(swept(tmp_path / "x", rates=RATES[:4])) is None
