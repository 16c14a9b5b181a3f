"""Two pretended GPUs for every process that is started with this folder in PYTHONPATH; Python imports this file.

The memory of both is that of the process, so CUDA_VISIBLE_DEVICES alone tells which one it uses. Environment variables:

    MEET    a folder; the processes that train wait at step 2 for each other
    FAULT   "kill": the process on GPU 1 then dies, once; "stop": both processes wait for Ctrl-C
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import torch
from tests.rehearsal import answers, installation, pretended

from gansweep import device as devices
from gansweep.training.interruption import Stop
from gansweep.training.session import TrainingSession

VISIBLE = os.environ.get("CUDA_VISIBLE_DEVICES", "0,1")
FOLDER, FAULT = Path(os.environ["MEET"]), os.environ.get("FAULT")
PATIENCE_S = 120
write_outputs, request = TrainingSession.write_outputs, Stop.request
stops: list[Stop] = []


def describe(device: torch.device, precision: str, threads: int) -> dict[str, str | int]:
    """Return the GPUs that this process sees as the name of the device."""
    return {"type": "cuda", "name": f"GPU {VISIBLE}", "precision": precision, "threads": threads}


def wait_until(fulfilled) -> None:
    end = time.monotonic() + PATIENCE_S
    while not fulfilled() and time.monotonic() < end:
        time.sleep(0.01)


def write_and_meet(self: TrainingSession) -> None:
    write_outputs(self)
    if self.step != 2:
        return
    (FOLDER / f"here.{os.getpid()}").touch()
    wait_until(lambda: len(list(FOLDER.glob("here.*"))) >= 2)
    if FAULT == "stop":
        wait_until(lambda: stops)
    if FAULT == "kill" and VISIBLE == "1" and not (FOLDER / "killed").exists():
        (FOLDER / "killed").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if FAULT == "kill":
        wait_until(lambda: len(list(FOLDER.glob("here.*"))) >= 3)  # for the replacement


def request_and_note(self: Stop) -> None:
    request(self)
    stops.append(self)


if pretended.SUPPORTED:
    installation.install()
    pretended.PretendedDevice().__enter__()
    for owner, name, replacement in answers.replacements():
        setattr(owner, name, replacement)
    resolve = devices.resolve
    devices.resolve = lambda name: resolve("cuda" if name == "auto" else name)
    torch.cuda.device_count = lambda: len(VISIBLE.split(","))
    devices.describe = describe
    TrainingSession.write_outputs, Stop.request = write_and_meet, request_and_note
