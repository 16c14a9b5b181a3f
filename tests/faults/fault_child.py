"""One gansweep command in a separate process, with an injected fault."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

TINY = (
    "-m",
    "data=ring",
    "data.num_samples=200",
    "metric=wasserstein1",
    "metric.num_samples=32",
    "model.latent_dim=2",
    "model.generator_widths=[8]",
    "model.discriminator_widths=[8]",
    "batch_size=16",
    "steps=12",
    "trainer.ema=0.9",
    "trainer.eval_every=4",
    "trainer.sample_every=12",
    "trainer.checkpoint_every=3",
    "trainer.check_every=2",
    "trainer.log_every=1",
    "trainer.tensorboard=false",
    "device=cpu",
    "workers=1",
    "pack=1",
)
# Two cells that complete and one that diverges.
GRID = ("optimizer=adam", "lr=1e-3,1e-2,1e30", "name=s", "trainer.tensorboard=true")
IMPORTED_BEFORE = [
    "pytest",
    "torch.utils.tensorboard",
    "torchvision.utils",
    "tensorboard.plugins.hparams.summary_v2",
    "scipy.optimize",
    "gansweep.config.build",
    "gansweep.cli.distribution",
    "gansweep.cli.job",
    "gansweep.sweep.worker_pool",
    "gansweep.training.pack_size",
    "gansweep.cli.app",
    "gansweep.cli.sweeping",
    "gansweep.training.trainer",
    "gansweep.metrics.wasserstein1",
    "gansweep.data.ring",
    "gansweep.losses.objective",
    "gansweep.optimizers.adam",
    "PIL.Image",
    "fault_child",
]
LIMIT_S = 300
Fault = Callable[[], None]


@dataclass(frozen=True)
class Ended:
    """Outcome of a command.

    Args:
        code: exit code; the negative signal number if it was killed.
        text: its output.
    """

    code: int
    text: str


class Running:
    """A running command.

    Args:
        folder: working directory.
        overrides: arguments after `base`.
        fault: called in the process before the command; a function of a module.
        base: first arguments.
    """

    def __init__(
        self, folder: Path, overrides: Sequence[str], fault: Fault | None = None, base: Sequence[str] = TINY
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.process = multiprocessing.get_context("forkserver").Process(
            target=_run, args=(folder, [*base, *overrides], fault), daemon=True
        )
        self.process.start()

    def end(self) -> Ended:
        """Wait for its end and return the outcome."""
        self.process.join(LIMIT_S)
        if self.process.exitcode is None:
            self.process.kill()
            raise TimeoutError(f"not finished after {LIMIT_S} s: {self._text()}")
        return Ended(self.process.exitcode, self._text())

    def _text(self) -> str:
        return _printed(self.folder, self.process.pid).read_text(errors="replace")


def command(folder: Path, *overrides: str, fault: Fault | None = None, base: Sequence[str] = TINY) -> Ended:
    """Run one command to its end."""
    return Running(folder, overrides, fault, base).end()


def _printed(folder: Path, pid: int | None) -> Path:
    return folder.with_name(f"{folder.name}.{pid}.txt")


def _run(folder: Path, arguments: list[str], fault: Fault | None) -> None:
    import torch

    from gansweep.cli import app

    torch.set_num_threads(1)
    gc.freeze()  # exclude imported objects from the garbage collection after every cell
    os.chdir(folder)
    with _printed(folder, os.getpid()).open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdout.reconfigure(line_buffering=True)
    if fault is not None:
        fault()
    code = app.run(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(code)
