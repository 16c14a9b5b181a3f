"""docs/tutorial.ipynb runs from top to bottom."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
pytest.importorskip("matplotlib")

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "tutorial.ipynb"


def run(folder: Path):
    """Return the executed notebook; an error in a cell is raised."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3")
    return client.execute(cwd=str(folder))


def text(cell) -> str:
    return "".join(out.get("text", "") + out.get("data", {}).get("text/plain", "") for out in cell.get("outputs", []))


@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("GANSWEEP_CACHE", str(tmp_path / "cache"))
    cells = [cell for cell in run(tmp_path).cells if cell.cell_type == "code"]
    printed = "\n".join(map(text, cells))
    assert "weight=-1: expected a number >= 0" in printed
    assert "completed after 300 steps" in printed
    assert "is first of 4 by final W1" in printed
    assert sum("image/png" in out.get("data", {}) for cell in cells for out in cell.outputs) == 2


def test_the_stored_notebook_was_run_in_order_and_is_small():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert NOTEBOOK.stat().st_size < 150_000
    assert "/root" not in NOTEBOOK.read_text()
    assert "/home/" not in NOTEBOOK.read_text()
