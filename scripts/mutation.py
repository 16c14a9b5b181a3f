"""Mutation testing: insert sign, factor and axis defects one at a time and count how many the tests detect.

    python scripts/mutation.py                      all folders, 150 defects drawn by --seed
    python scripts/mutation.py --folders penalties --count 0   all defects of one folder

Each defect is a change of one operator or number in a temporary copy of src/: + and - swapped, *
and / swapped, a factor of 2, another axis, mean and sum swapped, min and max swapped. The test
module with the name of the file runs first; if it passes, all tests of the folder run. Docstrings,
checks of arguments and annotations are not changed.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("losses", "penalties", "optimizers", "schedules", "metrics")
# Plots, text, command lines and downloads contain no arithmetic.
SKIPPED = {"__main__", "__init__", "picture", "curves", "cache", "weights_file", "torchvision_inception", "inception"}
SWAPS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
CALLS = {"mean": "sum", "sum": "mean", "min": "max", "max": "min", "amin": "amax", "amax": "amin"}
AXES = {"dim", "axis"}
TIMEOUT_S = 300


@dataclass(frozen=True)
class Defect:
    """One changed node of a file."""

    file: Path
    line: int
    what: str
    source: str


def main() -> int:
    """Run, print a report, and return 0 if at least nine of ten defects are detected."""
    parser = argparse.ArgumentParser(description="Insert defects and count how many the tests detect.")
    parser.add_argument("--folders", default=",".join(FOLDERS))
    parser.add_argument("--count", type=int, default=150, help="number of defects to draw; 0 for all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=1e9, help="start no defect after this many minutes")
    options = parser.parse_args()
    files = [
        path for name in options.folders.split(",") for path in sorted((ROOT / f"src/gansweep/{name}").glob("*.py"))
    ]
    every = [defect for path in files if path.stem not in SKIPPED for defect in defects(path)]
    drawn = random.Random(options.seed).sample(every, min(options.count or len(every), len(every)))
    survivors, tried, until = [], 0, time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory() as folder:
        copy_ = Path(folder)
        for name in ("src", "tests", "conf"):
            shutil.copytree(ROOT / name, copy_ / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", copy_)
        for defect in drawn:
            if time.monotonic() > until:
                break
            tried += 1
            caught = is_caught(copy_, defect)
            print(
                f"{'caught  ' if caught else 'SURVIVED'} {defect.file.relative_to(ROOT)}:{defect.line}: {defect.what}",
                flush=True,
            )
            if not caught:
                survivors.append(defect)
    share = (tried - len(survivors)) / max(tried, 1)
    print(f"{tried - len(survivors)} of {tried} defects caught ({share:.0%}), drawn from {len(every)}")
    return int(share < 0.9)


def defects(path: Path) -> Iterator[Defect]:
    """Yield all defects of a file."""
    tree = ast.parse(path.read_text())
    excluded = _excluded(tree)
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.expr) and id(node) not in excluded]
    for node in nodes:
        for change in changes(node):
            yield Defect(path, node.lineno, *_changed(tree, node, change))


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the replacements of a node."""
    if isinstance(node, ast.BinOp) and type(node.op) in SWAPS:
        if not _is_text(node):
            yield ast.BinOp(node.left, SWAPS[type(node.op)](), node.right)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        if isinstance(node.operand, ast.Constant):
            return  # a negative number, often an axis: handled below
        yield node.operand
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in CALLS and not _is_builtin_module(node.func.value):
            yield ast.Call(ast.Attribute(node.func.value, CALLS[node.func.attr], ast.Load()), node.args, node.keywords)
        for n, keyword in enumerate(node.keywords):
            if keyword.arg in AXES and isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, int):
                other = copy.copy(node)
                other.keywords = list(node.keywords)
                other.keywords[n] = ast.keyword(keyword.arg, ast.Constant(0 if keyword.value.value else 1))
                yield other
    elif isinstance(node, ast.Constant) and type(node.value) is float and node.value not in (0.0,):
        yield ast.Constant(2 * node.value)


def _excluded(tree: ast.Module) -> set[int]:
    """Return the ids of nodes that are not arithmetic: annotations, f-strings, raise and the checks before it."""
    excluded: set[int] = set()
    for node in ast.walk(tree):
        parts: list[Any] = []
        if isinstance(node, ast.Raise) or (
            isinstance(node, ast.If) and any(isinstance(statement, ast.Raise) for statement in node.body)
        ):
            parts = [node]
        elif isinstance(node, ast.AnnAssign):
            parts = [node.annotation]
        elif isinstance(node, ast.FunctionDef):
            parts = [argument.annotation for argument in node.args.args if argument.annotation] + (
                [node.returns] if node.returns else []
            )
        elif isinstance(node, ast.JoinedStr):
            parts = [node]
        excluded |= {id(inner) for part in parts for inner in ast.walk(part)}
    return excluded


def _is_text(node: ast.BinOp) -> bool:
    parts = (node.left, node.right)
    return any(isinstance(part, (ast.JoinedStr, ast.List, ast.Tuple)) for part in parts) or any(
        isinstance(part, ast.Constant) and isinstance(part.value, str) for part in parts
    )


def _is_builtin_module(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in {"math", "np", "numpy"}


def _changed(tree: ast.Module, target: ast.AST, change: ast.AST) -> tuple[str, str]:
    """Return (description, source) of a module with one node replaced."""

    class Replace(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return ast.copy_location(change, node) if node is target else self.generic_visit(node)

    what = f"{ast.unparse(target)}  ->  {ast.unparse(change)}"
    # NodeTransformer edits in place, so the tree is copied, except the two nodes that are compared by identity.
    memo = {id(target): target, id(change): change}
    return what, ast.unparse(ast.fix_missing_locations(Replace().visit(copy.deepcopy(tree, memo))))


def is_caught(folder: Path, defect: Defect) -> bool:
    """Insert a defect into the copy, run its tests, and restore the file; return whether a test failed."""
    path = folder / defect.file.relative_to(ROOT)
    before = path.read_text()
    tests = folder / "tests" / path.parent.name
    modules = sorted(tests.glob("test_*.py"))
    named = [module for module in modules if path.stem in module.stem]
    try:
        path.write_text(defect.source)
        return (bool(named) and not passes(folder, named)) or not passes(folder, modules)
    finally:
        path.write_text(before)


def passes(folder: Path, modules: list[Path]) -> bool:
    """Run test modules in a fork of this process, which has the slow imports already; return whether they pass."""
    child = os.fork()
    if child == 0:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        os.chdir(folder)
        sys.path.insert(0, str(folder / "src"))
        line = ["-x", "-q", "-p", "no:cacheprovider", *map(str, modules)]
        signal.alarm(TIMEOUT_S)  # a test that does not end has failed
        os._exit(int(pytest.main(line)))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


if __name__ == "__main__":
    sys.exit(main())
