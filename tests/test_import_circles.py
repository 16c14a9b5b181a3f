"""No modules import each other in a circle; imports inside functions and under TYPE_CHECKING count.

Mistake: a module of a lower layer that names a class of a higher one, so that neither can be read or moved alone.
"""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src"
# The root of the package imports `load` when it is used, and every module may import the root for its version.
ROOT = "gansweep"


def sources():
    """Return the text of every module of gansweep by its dotted name."""
    parts = {path: path.relative_to(SRC).with_suffix("").parts for path in sorted((SRC / "gansweep").rglob("*.py"))}
    return {".".join(step for step in parts[path] if step != "__init__"): path.read_text() for path in parts}


def imports(text, modules):
    """Yield those of `modules` that a source imports anywhere, all by absolute names."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from modules & {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"relative import of {node.module}"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield from modules & {inner if inner in modules else node.module}


def circle(texts):
    """Return the names of modules that import each other in a circle, () if there is none."""
    graph = {name: set(imports(text, set(texts))) for name, text in texts.items() if name != ROOT}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return tuple(error.args[1])
    return ()


def test_no_modules_import_each_other_in_a_circle():
    assert circle(sources()) == ()


@pytest.mark.parametrize("line", ["from gansweep.b import f", "import gansweep.b", "from gansweep import b"])
@pytest.mark.parametrize("form", ["{}", "if TYPE_CHECKING:\n    {}", "def f():\n    {}"])
def test_circles_are_found(line, form):
    a, b = form.format(line), "from gansweep.a import g"
    assert set(circle({"gansweep": "", "gansweep.a": a, "gansweep.b": b})) == {"gansweep.a", "gansweep.b"}
    assert circle({"gansweep": "", "gansweep.a": a, "gansweep.b": "import gansweep"}) == ()
