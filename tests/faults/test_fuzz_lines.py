"""Command lines of all commands that must be refused: exit code 2, one block on stderr, nothing written."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from bad_commands import BROKEN, COMMANDS, EMPTY, PICTURES, SINGLE, TEXT
from bad_lines import EITHER, GANSWEEP, OPTIONS
from bad_settings import BASE, PLAIN
from fault_child import TINY
from fork_server import CONTROL, ForkServer
from PIL import Image

pytestmark = pytest.mark.slow
BLOCK = re.compile(r"\AThe configuration is not valid; nothing was \w+\.\n(  .+\n)+\Z")
COMPOSING = ("gansweep", "gansweep.check", "gansweep.schedules")


@pytest.fixture(scope="module")
def folder(server, tmp_path_factory) -> Path:
    """Return a working directory with a sweep, images and other files."""
    here = tmp_path_factory.mktemp("folder")
    assert server("gansweep", [*TINY, "lr=1e-3,1e-2", "name=s"], here).code == 0
    (here / TEXT).write_text("text")
    (here / EMPTY).mkdir()
    (here / BROKEN).write_bytes(b"PK broken")
    for name, count in ((PICTURES, 4), (SINGLE, 1)):
        (here / name).mkdir()
        for n in range(count):
            pixels = np.random.default_rng(n).integers(0, 256, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(here / name / f"{n}.png")
    return here


def check(server: ForkServer, folder: Path, tmp_path: Path, lines: list[tuple[str, list[str]]]) -> None:
    """Run all command lines, each in a copy of the folder."""

    def run(number: int) -> list[str]:
        module, arguments = lines[number]
        here = tmp_path / f"line{number}"
        shutil.copytree(folder, here)
        before = _times(here)
        ended = server(module, arguments, here)
        faults = []
        if ended.code == 0 and arguments[-1] in EITHER:
            return []
        if ended.code != 2 or "Traceback" in ended.text:
            faults.append(f"exit code {ended.code}")
        elif ended.out or not ended.err.strip():
            faults.append("nothing on stderr, or something on stdout")
        elif module in COMPOSING and not BLOCK.match(ended.err) and not ended.err.startswith("usage: "):
            faults.append("not one block")
        if CONTROL.search(ended.text):
            faults.append("control characters")
        if _times(here) != before:
            faults.append("something was written")
        shutil.rmtree(here)
        return [f"{module} {arguments[-4:]}: {', '.join(faults)}: {ended.text[-300:]}"] if faults else []

    server.assert_no_faults(run, len(lines))


def _times(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns if path.is_file() else 0 for path in folder.rglob("*")}


@pytest.mark.parametrize("module", list(COMMANDS))
def test_other_commands(server, folder, tmp_path, module):
    check(server, folder, tmp_path, [(module, arguments) for arguments in COMMANDS[module]])


def test_overrides(server, folder, tmp_path):
    assert len(GANSWEEP) > 250
    check(server, folder, tmp_path, [("gansweep", [*BASE, *PLAIN, override]) for override in GANSWEEP])


def test_options(server, folder, tmp_path):
    check(server, folder, tmp_path, [("gansweep", [*BASE, *PLAIN, *line]) for line in OPTIONS])
