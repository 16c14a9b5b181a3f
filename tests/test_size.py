"""Files have at most 300 lines, functions at most 50.

Mistake: a file or function that grows until a reader can't take it in at once.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILE_LINES, FUNCTION_LINES = 300, 50


def too_long(text):
    """Yield what is too long in the text of a file."""
    if (count := len(text.splitlines())) > FILE_LINES:
        yield f"{count} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            count = (node.end_lineno or node.lineno) - node.lineno + 1
            if count > FUNCTION_LINES:
                yield f"{node.name}: {count} lines"


@pytest.mark.parametrize("folder", ["src", "scripts", "tests"])
def test_files_and_functions_are_short(folder):
    paths = sorted((ROOT / folder).rglob("*.py"))
    assert paths
    long = [f"{path.relative_to(ROOT)}: {what}" for path in paths for what in too_long(path.read_text())]
    assert not long, "\n".join(long)


def test_long_files_and_functions_are_found():
    body = "    pass\n" * FUNCTION_LINES
    assert list(too_long(f"def f():\n{body}")) == ["f: 51 lines"]
    assert list(too_long("x = 1\n" * (FILE_LINES + 1))) == ["301 lines"]
    assert list(too_long("x = 1\n" * FILE_LINES)) == []
