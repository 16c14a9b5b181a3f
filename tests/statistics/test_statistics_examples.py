from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import gansweep.statistics
from gansweep.report import latex
from gansweep.report.html import prose

NAMES = [f"gansweep.statistics.{one.name}" for one in pkgutil.iter_modules(gansweep.statistics.__path__)]
MODULES = [importlib.import_module(name) for name in NAMES]


@pytest.mark.parametrize("module", [*MODULES, latex, prose], ids=lambda module: module.__name__)
def test_examples_in_docstrings_are_true(module):
    assert doctest.testmod(module).failed == 0
