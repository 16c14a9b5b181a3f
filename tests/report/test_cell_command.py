"""Command of a cell in a report."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from tests.sweep.fake_cells import cell

from gansweep.report.cell_command import CellCommands
from gansweep.report.study import Study


@pytest.mark.parametrize("typed", [(), ("python -m gansweep -m optimizer=adam lr=1e-4,1e-2 'a.b=[1, 2]' steps=200",)])
def test_command_of_a_cell_holds_what_was_typed_and_what_varies(tmp_path, typed):
    cells = [cell(tmp_path, optimizer="adam", lr=lr, steps=200, **{"a.b": [1, 2]}, loss="r1") for lr in (1e-4, 1e-2)]
    commands = CellCommands(Study((tmp_path / "x",), (), typed), cells, ["lr"])
    shared = "python -m gansweep optimizer=adam steps=200 'a.b=[1,2]' name=x" if typed else "python -m gansweep name=x"
    assert commands.shared == shared
    assert [commands.rest(one) for one in cells] == ["lr=0.0001", "lr=0.01"]


def test_command_quotes_what_a_shell_would_interpret(tmp_path):
    cells = [cell(tmp_path, optimizer=name) for name in ("a; rm -r /", "$(b)")]
    commands = CellCommands(Study((tmp_path / "x",), (), ()), cells, ["optimizer"])
    assert [commands.rest(one) for one in cells] == ["'optimizer=a; rm -r /'", "'optimizer=$(b)'"]


LINES = [
    "-m data=ring '~metric' 'model.generator_widths=[8]' optimizer=adam,sgd lr=1e-4,1e-3",
    "-m experiment=dirac_convergence steps=20 seed=0,1",
    "-m data=ring metric=wasserstein1 'optimizer.betas=[0.5,0.9]' schedule@schedule_d=cosine lr=1e-3 steps=20 seed=0,1",
]


@pytest.fixture(scope="module")
def compose():
    """Return a function that composes the cells of a command line, without `python -m gansweep`."""
    hydra = pytest.importorskip("hydra")
    from hydra.core.global_hydra import GlobalHydra

    from gansweep.cli import folders, grid, hydra_app
    from gansweep.cli.compose import Composer
    from gansweep.cli.hydra_app import BASE

    hydra_app.register()
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(str(folders.conf_dir()), **BASE):
        loader = GlobalHydra.instance().config_loader()
        composer = Composer(lambda lines: hydra.compose("config", lines, return_hydra_config=True), loader)

        def cells(line):
            words = [word for word in shlex.split(line) if word not in ("python", "-m", "gansweep")]
            jobs = [[]]
            for word in words:
                key, _, values = word.partition("=")
                several = [values] if values.startswith("[") or "," not in values else values.split(",")
                jobs = [[*job, f"{key}={one}" if values else word] for job in jobs for one in several]
            return list(grid.compose(composer, jobs, Path())[0])

        yield cells


@pytest.mark.parametrize("line", LINES)
def test_command_of_a_cell_trains_the_same_cell(compose, line):
    cells = compose(line)
    varied = [word.partition("=")[0] for word in shlex.split(line) if "," in word and "[" not in word]
    commands = CellCommands(Study((Path("x"),), (), (f"python -m gansweep {line}",)), cells, varied)
    assert len(cells) > 1
    for one in cells:
        (again,) = compose(f"{commands.shared} {commands.rest(one)}")
        assert again.hash == one.hash
