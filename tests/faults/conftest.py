"""A warm process from which all commands are forked, and a sweep without faults."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest
from fault_child import GRID, IMPORTED_BEFORE, command
from fork_server import ForkServer
from moments import Moments, count


@pytest.fixture(scope="session", autouse=True)
def warm(tmp_path_factory):
    if "forkserver" not in multiprocessing.get_all_start_methods():
        pytest.skip("processes can't be forked from a warm one on this system")
    here = Path(__file__).resolve().parent
    kept = dict(os.environ)
    os.environ["PYTHONPATH"] = os.pathsep.join(map(str, (here.parents[1] / "src", here)))
    os.environ["GANSWEEP_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    multiprocessing.get_context("forkserver").set_forkserver_preload(IMPORTED_BEFORE)
    yield
    os.environ.clear()
    os.environ.update(kept)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Return a server of warm processes."""
    server = ForkServer(tmp_path_factory.mktemp("server"), 2)
    yield server
    server.close()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory) -> tuple[Path, Moments]:
    """Return a sweep with two completed cells and one diverged cell, and the numbers of its moments."""
    folder = tmp_path_factory.mktemp("undisturbed")
    ended = command(folder, *GRID, fault=count)
    assert ended.code == 0, ended.text
    return folder / "outputs/s", Moments.read(folder)
