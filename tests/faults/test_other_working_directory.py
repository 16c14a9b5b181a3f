"""A job that starts in another working directory than the command, as on Ray."""

from __future__ import annotations

import os
from pathlib import Path

from fault_child import GRID, command
from sweep_contents import records


def begin_elsewhere() -> None:
    from gansweep.cli.sweeping import Multirun

    begin = Multirun.begin

    def begin_and_move(self, fresh):
        begin(self, fresh)
        Path("elsewhere").mkdir()
        os.chdir("elsewhere")

    Multirun.begin = begin_and_move


def test_results_are_written_to_the_sweep(tmp_path, undisturbed):
    here = tmp_path / "it's here"
    ended = command(here, *GRID, "hydra/launcher=basic", fault=begin_elsewhere)
    assert ended.code == 0, ended.text
    assert list((here / "elsewhere").rglob("record.json")) == []
    assert records(here / "outputs/s") == records(undisturbed[0])
