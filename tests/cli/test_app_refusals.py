"""Invalid command lines: each is refused with one line."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("more", [[], ["plan=true"], ["fresh=true"]])
def test_a_sweep_directory_that_can_not_exist_is_one_problem(gansweep, more):
    name = "a" * 300
    answer = gansweep.tiny(f"name={name}", *more)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.endswith(f"  name={name}: is too long for a folder (300 bytes); expected at most 255 bytes\n")
    assert f"hydra.sweep.dir={gansweep.folder / name}: is too long" in gansweep.tiny(f"hydra.sweep.dir={name}").err
    (gansweep.folder / "outputs").touch()
    answer = gansweep.tiny("name=x", *more)
    assert answer.code == 2
    assert "  outputs: is a file, but the results of this sweep need a folder of this name: " in answer.err
    assert "sweep.json" not in answer.err


def test_an_unknown_key_lists_the_groups_too(gansweep):
    err = gansweep("stps=200").err
    assert "stps=200: unknown key; did you mean steps? Accepted here: algorithm, allow, " in err
    assert ", feedback, feedback@feedback_d, " in err
    assert ", optimizer@optimizer_d, " in err


def test_all_errors_of_a_grid_are_reported_before_anything_is_written(gansweep):
    answer = gansweep("-m", "optimizer=adam,adm", "lr=1,-1", "lrr=3", "steps=0", "schedule@schedule_d=cosin")
    assert answer.code == 2
    assert answer.out == ""
    assert list(gansweep.folder.iterdir()) == []
    told = {line.strip().partition("=")[0] for line in answer.err.splitlines() if "=" in line}
    assert told == {"optimizer", "lr", "lrr", "steps", "schedule@schedule_d"}
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["lr=1,2"], "lr=1,2: several values. Add -m"),
        (["lr=[1"], "lr=[1: "),
        (["--cfg", "job", "lrr=1"], "lrr=1: unknown key; did you mean lr"),
        (["metric=null"], "metric=null: Choose one of "),
        (["-m", "plan=true,false"], "plan: belongs to the sweep"),
        (["hydra.job.chdir=true"], "hydra.job.chdir=true: "),
        (["hydra.run.dir=x"], "hydra.run.dir=x: can't be changed: runs are written to outputs/"),
        (["device=cuda:99"], "device=cuda:99: this machine has"),
        (["+optimizer.nothing=1"], "optimizer.nothing=1: unknown key"),
        (["data=ring", "metric=kid_digits"], "metric=kid_digits: the network digits reads grey images (1, H, W), "),
        (["data=ring"], "metric=digits: "),
        (["name=a (b)"], "name=a (b): Error"),
        (["-m", "+search=rates"], "+search=rates: requires Optuna. After pip install 'gansweep[optuna]'"),
        (["-m", "+search=rates", "optimizer=adm"], "optimizer=adm: did you mean adam"),
        (["-m", "search=rates"], "search=rates: requires Optuna. After pip install 'gansweep[optuna]'"),
        (["optimizer._target_=torch.optim.Adam"], "optimizer._target_=torch.optim.Adam: write _target_: gansweep."),
        (["optimizer._target_=os.system"], "optimizer._target_: os.system is not in an allowed module"),
        (["algorithm=coopnets"], "loss=r1: algorithm=coopnets trains on the difference of means only"),
        (["schedule@schedule_critic=linspace"], "schedule_critic=linspace: has no effect on critic_steps=1"),
        (["optimizer=adagrad", "schedule@schedule_beta=linspace"], "schedule_beta=linspace: optimizer=adagrad has no"),
        (["metric@metric_2=wasserstein1"], "metric_2=wasserstein1: "),
        (["trainer.eval_at=[0]"], "trainer.eval_at=[0]: expected steps, 1 or above"),
        (["steps=9", "trainer.eval_at=[9,10]"], "trainer.eval_at=[9, 10]: the run ends after steps=9, expected"),
    ],
)
def test_a_mistake_has_one_clear_line_and_code_2(gansweep, arguments, expected):
    answer = gansweep(*arguments)
    assert answer.code == 2
    assert any(line.strip().startswith(expected) for line in answer.err.splitlines()), answer.err
    assert "Traceback" not in answer.err
    assert "HYDRA_FULL_ERROR" not in answer.err


def test_the_quotes_that_are_advised_work(gansweep):
    advised = gansweep("name=a (b)").err.rpartition("'name=")[2].strip().rstrip("'")
    assert gansweep.tiny(f"name={advised}").code == 0
    assert gansweep.records("a (b)")


def test_an_engine_that_is_not_installed(gansweep, monkeypatch):
    from hydra._internal.config_loader_impl import ConfigLoaderImpl

    options = ConfigLoaderImpl.get_group_options
    monkeypatch.setattr(
        ConfigLoaderImpl,
        "get_group_options",
        lambda self, group, *more: [one for one in options(self, group, *more) if one != "optuna"],
    )
    answer = gansweep("-m", "hydra/sweeper=optuna", "+search=rates")
    assert answer.code == 2
    assert "optuna is installed by: pip install 'gansweep[optuna]'" in answer.err


@pytest.mark.parametrize("arguments", [["--cfg", "job", "-m"], ["--resolve"], ["--no-such-option"]])
def test_options_that_exclude_each_other_are_refused(gansweep, arguments):
    answer = gansweep(*arguments)
    assert answer.code == 2
    assert "gansweep: error: " in answer.err


@pytest.mark.parametrize("name", [".", "..", "a/b", "/tmp/a", "'a\\nb'", "a\nb", "a\u202eb", "a\x1b[31mb", "' '", ""])
def test_a_name_is_that_of_one_folder_inside_outputs(gansweep, name):
    """Mistake: `name=.` and a name with a line break leave outputs/."""
    answer = gansweep(f"name={name}", "fresh=true")
    assert answer.code == 2
    assert "\x1b" not in answer.err
    assert "\u202e" not in answer.err
    assert "name" in answer.err
    assert not (gansweep.folder / "outputs").exists()


def test_starting_over_in_a_directory_with_other_files_is_refused(gansweep):
    (gansweep.folder / "thesis.docx").touch()
    answer = gansweep.tiny("hydra.sweep.dir=.", "fresh=true")
    assert answer.code == 2
    assert "is not a sweep" in answer.err
    assert [path.name for path in gansweep.folder.iterdir()] == ["thesis.docx"]


def test_shell_completion_without_a_request_is_a_usage_error(gansweep):
    answer = gansweep("--shell-completion", "nothing")
    assert answer.code == 2
    assert "expected one of install=SHELL" in answer.err


def test_a_plan_is_true_false_or_a_format(gansweep):
    answer = gansweep.tiny("plan=yaml")
    assert (answer.code, answer.out) == (2, "")
    assert "plan=yaml: expected true or false or one of json, edge, edge_json" in answer.err
