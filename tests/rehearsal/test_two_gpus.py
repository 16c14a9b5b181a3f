"""The command line on a machine with two pretended GPUs: one process for each."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.cli.tiny import TINY

from gansweep.sweep import worker

pytestmark = [
    pytest.mark.rehearsal,
    pytest.mark.skipif(not worker.can_spawn(), reason="processes can't be spawned here"),
]
ROOT = Path(__file__).parents[2]
LINE = [word for word in TINY if word.partition("=")[0] not in ("device", "workers", "steps")]
PATIENCE_S = 240


class Command:
    """A sweep of four cells in a new process."""

    def __init__(self, folder: Path, *words: str, **variables: str) -> None:
        self.folder = folder
        (folder / "meet").mkdir(exist_ok=True)
        paths = [ROOT / "tests" / "rehearsal" / "every_process", ROOT / "src", ROOT]
        environment = {name: value for name, value in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
        environment |= {"PYTHONPATH": os.pathsep.join(map(str, paths)), "MEET": str(folder / "meet")} | variables
        line = [sys.executable, "-m", "gansweep", "-m", "seed=0,1,2,3", "steps=4", "name=s", *LINE, *words]
        self.process = subprocess.Popen(
            line, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def end(self) -> tuple[int, str]:
        """Wait for the end, and return exit code and output."""
        try:
            out, _ = self.process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, _ = self.process.communicate()
            pytest.fail(out)
        return self.process.returncode, out

    def press_ctrl_c_when_both_train(self) -> None:
        end = time.monotonic() + PATIENCE_S
        while len(list(self.folder.glob("meet/here.*"))) < 2 and time.monotonic() < end:
            time.sleep(0.02)
        self.process.send_signal(signal.SIGINT)

    def records(self) -> list[Mapping]:
        return [json.loads(path.read_text()) for path in self.folder.glob("outputs/s/*/record.json")]


@pytest.mark.parametrize(("device", "visible"), [("auto", "0,1"), ("cuda", "GPU-3a,GPU-5f")])
def test_one_process_for_each_gpu(device, visible, tmp_path):
    variables = {} if visible == "0,1" else {"CUDA_VISIBLE_DEVICES": visible}
    command = Command(tmp_path, f"device={device}", **variables)
    code, out = command.end()
    assert code == 0, out
    assert "Training 4 of 4 cells in 2 processes" in out
    assert "4/4 cells" in out
    records = command.records()
    assert [found["state"] for found in records] == ["completed"] * 4
    assert {found["device"]["name"] for found in records} == {f"GPU {one}" for one in visible.split(",")}
    assert {found["config"]["device"] for found in records} == {device}
    assert {found["pack"]["workers"] for found in records} == {2}
    on_cpu = Command(tmp_path, "device=cpu", "workers=1")
    assert on_cpu.end()[0] == 0
    assert on_cpu.records() == records, "the same cells"


def test_a_dead_process_is_replaced_on_its_gpu(tmp_path):
    command = Command(tmp_path, "device=cuda", FAULT="kill")
    code, out = command.end()
    assert code == 0, out
    assert "A worker died (killed by signal 9) while it trained" in out
    records = command.records()
    assert [found["state"] for found in records] == ["completed"] * 4
    assert {found["device"]["name"] for found in records} == {"GPU 0", "GPU 1"}


def test_ctrl_c_saves_on_both_gpus(tmp_path):
    command = Command(tmp_path, "device=cuda", FAULT="stop")
    command.press_ctrl_c_when_both_train()
    code, out = command.end()
    assert code == 130, out
    assert "To continue:" in out
    assert "Traceback" not in out
    assert command.records() == []
    assert len(list(tmp_path.glob("outputs/s/*/checkpoint.pt"))) == 2


@pytest.mark.parametrize("setting", [["device=cuda:1"], ["device=cuda", "workers=1"]], ids=" ".join)
def test_one_process(setting, tmp_path):
    (tmp_path / "meet").mkdir()
    (tmp_path / "meet" / "here.0").touch()  # no other process is waited for
    command = Command(tmp_path, *setting)
    code, out = command.end()
    assert code == 0, out
    assert "Training 4 of 4 cells in one process" in out
    assert {found["device"]["name"] for found in command.records()} == {"GPU 0,1"}


def test_more_processes_than_gpus_are_refused(tmp_path):
    code, out = Command(tmp_path, "device=cuda", "workers=3").end()
    assert code == 2
    assert "workers=3: expected at most the number of GPUs, 2 with device=cuda" in out
    assert "Traceback" not in out
