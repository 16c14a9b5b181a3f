"""A few cases of the rehearsal on the pretended device, in a process of their own: the device changes PyTorch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rehearsal import pretended

ROOT = Path(__file__).parents[1]
CASES = {
    "test_pretended.py": ["test_two_devices_in_one_operation_are_refused", "test_waits_are_counted_with_their_line"],
    "test_every_choice_on_cuda.py": ["test_loss[wgan_gp]", "test_optimizer[adam]", "test_model[fp32-0.005-mlp]"],
    "test_algorithms_on_cuda.py": ["test_a_step_does_not_wait_for_the_device[critic steps]"],
    "test_resume_on_cuda.py": ["test_members_end_and_others_take_their_places"],
}


@pytest.mark.skipif(not pretended.SUPPORTED, reason="this version of PyTorch can't register a device in Python")
def test_chosen_cases_pass_on_the_pretended_device(tmp_path):
    cases = [f"tests/rehearsal/{file}::{case}" for file, names in CASES.items() for case in names]
    command = [sys.executable, "-m", "pytest", "-q", "-m", "rehearsal", "-p", "no:cacheprovider"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    finished = subprocess.run(
        [*command, f"--basetemp={tmp_path / 'rehearsal'}", *cases],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert f"{len(cases)} passed" in finished.stdout
