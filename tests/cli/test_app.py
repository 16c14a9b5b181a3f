"""Results and messages of command lines."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import pytest
from omegaconf import OmegaConf
from tests.cli.tiny import TINY


def test_a_single_run_is_a_sweep_of_one_cell(gansweep):
    answer = gansweep.tiny("optimizer=sgd", "name=one")
    assert answer.code == 0
    ((cell, record),) = gansweep.records("one").items()
    assert record["state"] == "completed"
    assert record["steps"] == 2
    assert cell.endswith(record["cell"]["hash"][:8])
    assert record["cell"]["overrides"]["optimizer"] == "sgd"
    assert "| cell" in answer.out
    root = gansweep.folder / "outputs" / "one"
    assert {"sweep.json", "results.csv", "table.md", "multirun.yaml"} <= {path.name for path in root.iterdir()}


def test_every_combination_is_trained_and_the_table_has_rows_and_columns(gansweep):
    answer = gansweep.tiny("-m", "optimizer=adam,sgd", "lr=1e-4,1e-3", "name=grid")
    assert answer.code == 0
    assert sorted(name.rpartition("-")[0] for name in gansweep.records("grid")) == [
        "optimizer=adam,lr=0.0001",
        "optimizer=adam,lr=0.001",
        "optimizer=sgd,lr=0.0001",
        "optimizer=sgd,lr=0.001",
    ]
    assert "lr=0.0001" in answer.out
    assert "adam" in answer.out


def test_a_job_writes_the_files_of_a_hydra_job(gansweep):
    gansweep.tiny("optimizer=sgd", "optimizer.momentum=0.5", "name=left")
    (directory,) = (path.parent for path in (gansweep.folder / "outputs" / "left").glob("*/record.json"))
    task, hydra = (OmegaConf.load(directory / ".hydra" / f"{name}.yaml") for name in ("config", "hydra"))
    assert task.optimizer.momentum == 0.5
    assert task.lr_d == task.lr
    assert "hydra" not in task
    assert "optimizer.momentum=0.5" in OmegaConf.load(directory / ".hydra" / "overrides.yaml")
    assert hydra.hydra.runtime.output_dir == str(directory)
    assert hydra.hydra.runtime.choices.optimizer == "sgd"
    assert hydra.hydra.job.name == "gansweep"
    assert "step" in (directory / "gansweep.log").read_text() or (directory / "gansweep.log").exists()


def test_the_same_line_again_trains_nothing(gansweep, monkeypatch):
    gansweep.tiny("-m", "lr=1e-4,1e-3")
    monkeypatch.setattr("gansweep.cli.job.run_of", lambda cell: pytest.fail("trained again"))
    assert gansweep.tiny("-m", "lr=0.0001,0.001").code == 0
    assert len(list((gansweep.folder / "outputs").iterdir())) == 1


def test_a_wider_grid_trains_only_new_cells(gansweep, monkeypatch):
    gansweep.tiny("-m", "lr=1e-4,1e-3", "name=wide")
    from gansweep.cli import job

    trained, run_of = [], job.run_of
    monkeypatch.setattr("gansweep.cli.job.run_of", lambda cell: trained.append(cell.name) or run_of(cell))
    gansweep.tiny("-m", "lr=1e-4,1e-3", "optimizer=adam,sgd", "name=wide")
    assert len(trained) == 2
    assert all("optimizer=sgd" in name for name in trained)
    assert len(gansweep.records("wide")) == 4


def test_a_plan_writes_nothing(gansweep):
    answer = gansweep.tiny("-m", "lr=1e-4,1e-3", "plan=true")
    assert answer.code == 0
    assert answer.out.count("new") >= 2
    assert list(gansweep.folder.iterdir()) == []


def test_a_plan_without_finished_cells_measures_a_few_steps(gansweep):
    answer = gansweep.tiny("-m", "lr=1e-4,1e-3", "plan=true")
    assert "2 to train, one after the other about" in answer.out


def test_a_choice_inside_another_choice_is_no_column(gansweep):
    """warmup contains another schedule, which was not varied."""
    answer = gansweep.tiny("-m", "schedule=constant,warmup", "schedule@schedule_d=constant", "name=nested", "steps=20")
    assert answer.code == 0
    for record in gansweep.records("nested").values():
        assert not [key for key in record["cell"]["overrides"] if "." in key.partition("@")[2]]


def test_fresh_keeps_the_old_results_under_another_name(gansweep):
    gansweep.tiny("name=again")
    before = gansweep.records("again")
    assert gansweep.tiny("name=again", "fresh=true", "seed=1").code == 0
    assert gansweep.records("again.1") == before
    assert [record["config"]["seed"] for record in gansweep.records("again").values()] == [1]


def test_an_explicit_sweep_directory_is_honoured(gansweep):
    gansweep.tiny("hydra.sweep.dir=there/x")
    assert len(list((gansweep.folder / "there" / "x").glob("*/record.json"))) == 1


def test_the_count_of_a_long_check_ends_with_all_cells(gansweep, monkeypatch):
    line = ("-m", "seed=0,1,2", "plan=true")
    assert "Checked" not in "".join([(answer := gansweep.tiny(*line)).out, answer.err])
    monkeypatch.setattr("gansweep.cli.grid.PROGRESS_AFTER_S", 0.0)
    monkeypatch.setattr("gansweep.cli.grid.PROGRESS_EVERY_S", 0.0)
    answer = gansweep.tiny(*line)
    lines = [text for text in (answer.out + answer.err).splitlines() if "Checked" in text]
    assert [text.partition("Checked ")[2] for text in lines] == ["1 of 3 cells", "2 of 3 cells", "3 of 3 cells"]


def test_an_exception_in_one_cell_does_not_affect_the_others(gansweep, monkeypatch):
    from gansweep.cli import job

    run_of = job.run_of

    def sometimes(cell):
        if cell.config["seed"] == 1:
            sys.exit("enough")
        return run_of(cell)

    monkeypatch.setattr("gansweep.cli.job.run_of", sometimes)
    assert gansweep.tiny("-m", "seed=0,1,2", "name=some").code == 1
    assert [record["state"] for record in gansweep.records("some").values()] == ["completed", "failed", "completed"]


def test_a_traceback_is_in_the_jobs_own_log_and_not_on_the_console(gansweep, monkeypatch):
    def broken(*arguments, **keywords):
        raise ArithmeticError("no luck today")

    monkeypatch.setattr("gansweep.training.session.TrainingSession.write_outputs", broken)
    answer = gansweep.tiny("name=log")
    (log,) = (gansweep.folder / "outputs" / "log").glob("*/gansweep.log")
    assert "Traceback" in log.read_text()
    assert "no luck today" in log.read_text()
    assert "no luck today" in answer.err
    assert "Traceback" not in answer.err
    (record,) = gansweep.records("log").values()
    assert record["error"]["type"] == "ArithmeticError"


def test_a_warning_names_its_cell(gansweep):
    answer = gansweep.tiny("-m", "optimizer=sgd", "lr=1e-3,1e30", "name=warned", "steps=5")
    (cell,) = (name for name, record in gansweep.records("warned").items() if record["state"] == "diverged")
    assert f"{cell}: diverged at step " in answer.out + answer.err
    log = (gansweep.folder / "outputs" / "warned" / cell / "gansweep.log").read_text()
    assert "] diverged at step " in log, "which is the cell's own"


def test_ctrl_c_saves_and_prints_the_table_and_the_command_that_continues(gansweep, monkeypatch):
    import os
    import signal

    from gansweep.cli import job

    run_of = job.run_of

    def pressed(cell):
        os.kill(os.getpid(), signal.SIGINT)
        return run_of(cell)

    monkeypatch.setattr("gansweep.cli.job.run_of", pressed)
    answer = gansweep.tiny("name=stopped", "steps=50")
    assert answer.code == 130
    assert "| cell" in answer.out
    assert "To continue: python -m gansweep model.latent_dim=4" in answer.out
    assert gansweep.records("stopped") == {}
    monkeypatch.setattr("gansweep.cli.job.run_of", run_of)
    assert gansweep.tiny("name=stopped", "steps=50").code == 0
    (log,) = (gansweep.folder / "outputs" / "stopped").glob("*/gansweep.log")
    assert "continuing from step" in log.read_text()


def test_ctrl_c_after_the_last_cell_prints_no_command_to_continue(gansweep, monkeypatch):
    import os
    import signal

    from gansweep.training.session import TrainingSession

    finalize = TrainingSession.finalize

    def pressed(self):
        os.kill(os.getpid(), signal.SIGINT)
        return finalize(self)

    monkeypatch.setattr(TrainingSession, "finalize", pressed)
    answer = gansweep.tiny("name=whole")
    assert answer.code == 0
    assert "| cell" in answer.out
    assert "Stopping" in answer.err
    assert "To continue" not in answer.out


def test_the_number_of_cells_is_logged_before_the_first_one_ends(gansweep):
    gansweep.tiny("name=grown")
    answer = gansweep.tiny("-m", "seed=0,1,2", "name=grown", "workers=1")
    lines = answer.err.splitlines()
    coming = lines.index("Training 2 of 3 cells in one process")
    assert coming < next(n for n, line in enumerate(lines) if "completed" in line)
    assert "Training" not in gansweep.tiny("-m", "seed=0,1,2", "name=grown").err


def test_a_users_own_yaml_and_class(gansweep, monkeypatch):
    (gansweep.folder / "mine_rules.py").write_text(
        "from gansweep.optimizers.sgd import SGD\nclass Mine(SGD):\n    pass\n"
    )
    (gansweep.folder / "my" / "optimizer").mkdir(parents=True)
    (gansweep.folder / "my" / "optimizer" / "mine.yaml").write_text("_target_: mine_rules.Mine\nmomentum: 0.5\n")
    monkeypatch.syspath_prepend(gansweep.folder)
    line = ["--config-dir", str(gansweep.folder / "my"), "optimizer=mine", "name=mine"]
    assert "add allow=[mine_rules]" in gansweep.tiny(*line).err
    assert gansweep.tiny(*line, "allow=[mine_rules]").code == 0


@pytest.mark.parametrize("arguments", [["--cfg", "job"], ["--help"]])
def test_asking_does_not_import_torch(arguments):
    code = (
        "import sys; from gansweep.cli.app import run; "
        f"code = run({arguments}); sys.exit(code or 'torch' in sys.modules or 'numpy' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert "optimizer" in answer.stdout


@pytest.mark.parametrize(
    "arguments", [["--hydra-help"], ["--info", "searchpath"], ["--shell-completion", "install=bash"]]
)
def test_hydras_options_print_to_stdout(gansweep, arguments):
    answer = gansweep(*arguments)
    assert answer.code == 0, answer.err
    assert answer.out + answer.err
    assert not list(gansweep.folder.iterdir())


def test_importing_the_package_does_not_import_torch():
    code = "import sys, gansweep, gansweep.cli.app; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_failed_cell_names_the_file_with_its_traceback(gansweep, monkeypatch):
    def broken(*arguments, **keywords):
        raise ArithmeticError("no \x1b[2Jluck")

    monkeypatch.setattr("gansweep.training.session.TrainingSession.write_outputs", broken)
    answer = gansweep.tiny("name=named")
    (log,) = (gansweep.folder / "outputs" / "named").glob("*/gansweep.log")
    assert f"no \\x1b[2Jluck; traceback in {log}" in answer.err
    assert "Traceback" in log.read_text()
    assert f"no \\x1b[2Jluck; traceback in {log.parent.name}/gansweep.log" in answer.out
    assert "\x1b" not in answer.err + answer.out + log.read_text()


def test_a_run_is_built_once_for_each_cell(gansweep, monkeypatch):
    """Mistake: composition, measurement of the pack size and training each build and check it."""
    from gansweep.config import build

    checked, check = [], build.check
    monkeypatch.setattr(build, "check", lambda *arguments: checked.append(1) or check(*arguments))
    assert gansweep.tiny("-m", "seed=0,1,2", "pack=auto").code == 0
    assert len(checked) == 3


def test_a_cell_in_another_process_has_no_run_and_other_data_sets_are_not_kept(gansweep):
    from gansweep.cli import grid
    from gansweep.cli.hydra_app import composer_and_loader, jobs_of

    with composer_and_loader(None) as (composer, loader):
        jobs = jobs_of(loader, ["data=ring,grid", "model=mlp_ring", "~metric", "seed=0,1"])
        cells, _ = grid.compose(composer, jobs, gansweep.folder)
    assert [cell.run is not None for cell in cells] == [True, True, False, False]
    assert pickle.loads(pickle.dumps(cells[0])) == cells[0]
    assert pickle.loads(pickle.dumps(cells[0])).run is None


@pytest.mark.parametrize("more", [[], ["seeds=auto"]])
def test_a_plan_as_json_is_all_of_stdout_and_writes_nothing(gansweep, more):
    tiny = [word for word in TINY if word != "~metric"]  # seeds are chosen by the metric's values
    answer = gansweep(*tiny, "-m", "optimizer=adam,sgd", "plan=json", *more)
    assert answer.code == 0, answer.err
    plan = json.loads(answer.out)
    assert plan["num_trained"] == len(plan["cells"]) == (4 if more else 2)
    assert [note for note in plan["notes"] if note.startswith("seeds=auto")] or not more
    assert list(gansweep.folder.iterdir()) == []
