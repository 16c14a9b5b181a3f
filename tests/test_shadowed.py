"""The tests are importable although another distribution installs a package named `tests`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_an_installed_package_named_tests_does_not_shadow_ours(tmp_path):
    """torch-fidelity installs one; a regular package precedes a namespace package anywhere on the path."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "__init__.py").write_text("")
    arguments = ["--collect-only", "-q", "-p", "no:cacheprovider", "tests/schedules/test_polynomial.py"]
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stdout
