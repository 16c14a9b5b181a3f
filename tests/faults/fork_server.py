"""Commands in processes forked from one warm process, each with a time limit, a memory limit and an empty home.

As a script: reads one JSON request per line, forks a child for it, and answers with one JSON line.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import re
import resource
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

LIMIT_S = 20.0
MEMORY = 4 * 2**30  # bytes above what the warm process has mapped
TIMED_OUT = -99
# The block of errors of a command, and control characters, which no output may contain.
BLOCK = re.compile(r"\AThe configuration is not valid; nothing was trained\.\n(  .+\n)+\Z")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
HERE = Path(__file__).resolve().parent
# Imported once. The last module composes a configuration, which fills the caches of Hydra's parser.
WARM = (
    "torch",
    "torch.utils.tensorboard",
    "torchvision",
    "tensorboard.plugins.hparams.summary_v2",
    "scipy.optimize",
    "scipy.linalg",
    "sklearn.datasets",
    "pandas",
    "matplotlib.pyplot",
    "PIL.Image",
    "gansweep.config.build",
    "gansweep.cli.app",
    "gansweep.cli.distribution",
    "gansweep.cli.job",
    "gansweep.cli.sweeping",
    "gansweep.cli.check",
    "gansweep.cli.schedules",
    "gansweep.metrics.__main__",
    "gansweep.dirac.__main__",
    "gansweep.plane.__main__",
    "gansweep.report.__main__",
    "gansweep.report.formats",
    "gansweep.results",
    "gansweep.sweep.worker_pool",
    "gansweep.training.pack_size",
    "gansweep.training.trainer",
    "warm_composition",
)


@dataclass(frozen=True)
class Ended:
    """Outcome of a command.

    Args:
        code: exit code; the negative signal number if it was killed; TIMED_OUT.
        out: standard output.
        err: standard error.
        wall_s: time in seconds.
    """

    code: int
    out: str
    err: str
    wall_s: float

    @property
    def text(self) -> str:
        """Its whole output."""
        return self.out + self.err


class ForkServer:
    """Warm processes from which commands are forked.

    Args:
        scratch: a directory for homes, caches and captured output.
        processes: commands that run at the same time.
    """

    def __init__(self, scratch: Path, processes: int = 1) -> None:
        self.scratch = scratch
        scratch.mkdir(parents=True, exist_ok=True)
        self._idle: queue.Queue[subprocess.Popen[str]] = queue.Queue()
        self.processes = processes
        env = {key: value for key, value in os.environ.items() if not key.startswith(("GANSWEEP_", "HYDRA_"))}
        env |= {"OMP_NUM_THREADS": "1", "GANSWEEP_CACHE": str(scratch / "cache"), "PYTHONWARNINGS": "default"}
        env["PYTHONPATH"] = os.pathsep.join(map(str, (HERE.parents[1] / "src", HERE)))
        for _ in range(processes):
            server = subprocess.Popen(
                [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True, bufsize=1
            )
            self._idle.put(server)

    def __call__(self, module: str, arguments: Sequence[str], here: Path, before: Sequence = ()) -> Ended:
        """Run `python -m module arguments` in the directory `here` to its end.

        Args:
            module: `gansweep`, one of its other commands, or `reading`, which reads a sweep in all ways.
            arguments: of the command.
            here: working directory.
            before: module, function and arguments of a call before the command.
        """
        request = {"module": module, "arguments": list(arguments), "here": str(here), "before": list(before)}
        server = self._idle.get()
        try:
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.write(json.dumps(request) + "\n")
            server.stdin.flush()
            return Ended(**json.loads(server.stdout.readline()))
        finally:
            self._idle.put(server)

    def map(self, work, cases: Sequence) -> list:
        """Apply `work` to all cases, several at a time."""
        with ThreadPoolExecutor(self.processes) as pool:
            return list(pool.map(work, cases))

    def assert_no_faults(self, run: Callable[[int], list[str]], num_cases: int) -> None:
        """Run all cases, several at a time; `run` takes the number of a case and returns its faults."""
        faults = [fault for faults in self.map(run, range(num_cases)) for fault in faults]
        assert not faults, "\n".join([f"{len(faults)} faults", *faults])

    def close(self) -> None:
        """End the warm processes."""
        for _ in range(self.processes):
            server = self._idle.get()
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.close()
            server.wait()
            server.stdout.close()


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for module in WARM:
        importlib.import_module(module)
    for line in sys.stdin:
        request = json.loads(line)
        here = Path(request["here"])
        captured = [here.with_name(f"{here.name}.{stream}") for stream in ("out", "err")]
        start = time.monotonic()
        child = os.fork()
        if child == 0:
            _run(request, here, captured)
        code = _wait(child, start + LIMIT_S)
        out, err = (path.read_bytes()[:200_000].decode(errors="replace") if path.exists() else "" for path in captured)
        answers.write(json.dumps({"code": code, "out": out, "err": err, "wall_s": time.monotonic() - start}) + "\n")
    answers.close()


def _wait(child: int, deadline: float) -> int:
    """Return the exit code of a child; at the deadline its process group is killed."""
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            break
        if time.monotonic() > deadline:
            code = TIMED_OUT
            break
        time.sleep(0.005)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if code == TIMED_OUT:
        os.waitpid(child, 0)
    return code


def _run(request: dict, here: Path, captured: list[Path]) -> None:
    """Run the command in this process and exit."""
    code = 70
    try:
        os.setsid()
        os.chdir(here)
        for number, path in zip((1, 2), captured, strict=True):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY, mapped + MEMORY))
        if request["before"]:
            module, function, *arguments = request["before"]
            getattr(importlib.import_module(module), function)(*arguments)
        code = _main(request["module"], request["arguments"])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _main(module: str, arguments: list[str]) -> int:
    if module == "gansweep":
        from gansweep.cli import app

        return app.run(arguments)
    if module == "reading":
        return _read(arguments[0])
    if module in ("gansweep.check", "gansweep.schedules"):
        return importlib.import_module(f"gansweep.cli.{module.rpartition('.')[2]}").main(arguments)
    return importlib.import_module(f"{module}.__main__").main(arguments)


def _read(sweep: str) -> int:
    """Read a sweep with all readers, and return the highest exit code."""
    from gansweep import results
    from gansweep.report import __main__ as report

    codes = [report.main([sweep, "--format", form]) for form in ("md", "csv", "json", "latex")]
    print(results.load(sweep).to_string(), results.curves(sweep).to_string(), sep="\n")
    return max(codes)


if __name__ == "__main__":
    _serve()
