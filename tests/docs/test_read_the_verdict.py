"""Every sentence that a report prints is explained in read_the_verdict.md. Mistake: a new sentence without one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "src/gansweep/report"
PAGE = ROOT / "docs/howto/read_the_verdict.md"
MODULES = (
    "verdict_text",
    "verdict",
    "comparison",
    "noise",
    "tasks",
    "targets",
    "tuning",
    "diverged",
    "sensitivity",
    "response",
)
FEWEST_WORDS = 3  # shorter pieces are column heads, file names and parts of a plural


def words(text: str) -> str:
    """Return a text as words separated by single spaces, without punctuation and marks."""
    return " ".join(re.findall(r"[a-z0-9é]+", text.lower()))


def pieces(path: Path) -> list[str]:
    """Return the constant pieces of all texts of a module, without docstrings, errors and captions of figures."""
    tree = ast.parse(path.read_text())
    left_out = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        is_figure = isinstance(node, ast.FunctionDef) and (
            node.name.endswith(("_picture", "_lines")) or node.name.startswith("_dress")
        )
        if isinstance(node, ast.Raise) or is_figure:
            left_out |= {id(inner) for inner in ast.walk(node)}
    constants = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))
    parts = (part for node in constants if id(node) not in left_out for part in re.split(r"[.;:] ", node.value))
    texts = [words(part) for part in parts]
    return [text for text in texts if len(text.split()) >= FEWEST_WORDS]


@pytest.mark.parametrize("module", MODULES)
def test_every_sentence_is_explained(module):
    page = words(PAGE.read_text())
    found = pieces(REPORT / f"{module}.py")
    missing = [text for text in found if text not in page]
    assert found
    assert not missing, f"{PAGE.name} has no explanation with these words: {missing}"


def test_the_files_of_the_formulas_exist():
    files = re.findall(r"`((?:statistics|report|results)/\w+\.py)`", PAGE.read_text())
    assert len(files) > 10
    assert not [file for file in files if not (ROOT / "src/gansweep" / file).is_file()]


def test_pieces_are_found():
    """The collection itself: a text that is printed, in two pieces, and none of a docstring."""
    found = pieces(REPORT / "verdict_text.py")
    assert "no configuration is better than the untrained generator by" in found
    assert not any("return the verdict section" in text for text in found)
