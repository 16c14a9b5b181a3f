"""Reading of sweeps for a report. Mistake: processes that read parts of the cells lose or mix up results."""

from __future__ import annotations

import pytest
from tests.sweep.fake_cells import cell, diverged, record, write

from gansweep.forking import Forked, can_fork
from gansweep.report import study
from gansweep.report.study import Study
from gansweep.sweep.sweep import Sweep


@pytest.mark.skipif(not can_fork(), reason="processes can't be forked here")
@pytest.mark.parametrize("cores", [2, 3, 20])
def test_results_of_several_processes_are_those_of_one(tmp_path, monkeypatch, caplog, cores):
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        cells = [cell(tmp_path / name, optimizer=name, seed=seed) for seed in range(4)]
        for n, one in enumerate(cells[:3]):
            write(one, diverged(one) if n == 1 else record(one, float(n)))
        (cells[2].directory / "record.json").write_text("{")
        Sweep(tmp_path / name, cells, "python -m gansweep -m").freeze()
    sweeps = tmp_path / "x", tmp_path / "y"
    alone, forks = Study.read(*sweeps).results, []
    assert [result.state.value for result in alone] == ["completed", "diverged", "new", "new"] * 2
    caplog.clear()
    monkeypatch.setattr("gansweep.sweep.cell._logged", set())
    monkeypatch.setattr(study, "CELLS_OF_A_PROCESS", 1)
    monkeypatch.setattr(study, "num_cores", lambda: cores)
    monkeypatch.setattr(study, "Forked", lambda call: (forks.append(call), Forked(call))[1])
    assert Study.read(*sweeps).results == alone
    assert len(forks) == min(cores, 8) - 1
    assert len(caplog.messages) == 2, "one warning for each damaged record"
