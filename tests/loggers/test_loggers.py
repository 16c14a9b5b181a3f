"""Loggers. Mistakes: a failing logger ends or changes a run, a logger changes a hash, a default without TensorBoard."""

from __future__ import annotations

import json

import pytest
from tests.cli.conftest import gansweep  # noqa: F401
from tests.config.test_build_conf import CONF, composed

from gansweep.config.build import build, check
from gansweep.interfaces import LoggerSettings
from gansweep.sweep.tensorboard_layout import TENSORBOARD
from gansweep.training.record import Header
from gansweep.training.run_recorder import group_of
from gansweep.training.tensorboard import TensorBoard

USER = "allow=[tests.loggers.user_loggers]"
ON = ["metric=digits", "metric.num_samples=200", "trainer.tensorboard=true", "trainer.log_every=1"]
NAMES = sorted(path.stem for path in (CONF / "logger").glob("*.yaml"))


def of_user(gansweep, cls: str, **settings) -> list[str]:  # noqa: F811
    """Return the words that choose a logger of the user, after writing its YAML file."""
    folder = gansweep.folder.parent / "my_conf" / "logger"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "x.yaml").write_text(json.dumps({"x": {"_target_": f"tests.loggers.user_loggers.{cls}", **settings}}))
    return ["--config-dir", str(folder.parent), "logger=x"]


def tiny(gansweep, *words):  # noqa: F811
    from tests.cli.tiny import TINY

    line = [word for word in TINY if word not in ("~metric", "trainer.tensorboard=false")]
    return gansweep(*line, *ON, *words)


def numbers(gansweep, sweep: str) -> dict:  # noqa: F811
    records = gansweep.records(sweep)
    return {name: (r["cell"], r["metric"], r["state"], r["steps"], r.get("checkpoint")) for name, r in records.items()}


@pytest.mark.parametrize("name", NAMES)
def test_every_choice_is_a_logger_with_the_arguments_of_its_class(name, monkeypatch):
    monkeypatch.setattr("gansweep.loggers.find_spec", lambda package: True)
    checked = check(composed(f"logger={name}"))
    assert checked.problems == []
    assert len(checked.parts["logger"]) == (name != "none")
    assert all(isinstance(logger, LoggerSettings) for logger in checked.parts["logger"])


def test_several_are_chosen_and_the_default_is_tensorboard():
    assert [type(x).__name__ for x in build(composed("logger=[csv,tensorboard]")).loggers] == ["CSV", "TensorBoard"]
    assert build(composed()).loggers == (TensorBoard(),)
    earlier = composed()
    del earlier["logger"]
    assert build(earlier).loggers == (TensorBoard(),)
    assert composed()["logger"]["tensorboard"]["_target_"] == TENSORBOARD


@pytest.mark.parametrize("name", ["wandb", "mlflow", "trackio"])
def test_a_missing_package_is_one_problem_with_the_install_line(name, gansweep, monkeypatch):  # noqa: F811
    monkeypatch.setattr("gansweep.loggers.find_spec", lambda package: None)
    answer = gansweep.tiny(f"logger={name}")
    assert (answer.code, answer.out) == (2, "")
    assert f"  logger.{name}: requires {name}: pip install 'gansweep[{name}]'\n" in answer.err
    assert not list(gansweep.folder.iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-m", "logger=csv,none"], "logger: belongs to the sweep as a whole; give it one value"),
        (["logger=[csv,wanbd]"], "did you mean wandb?"),
        (["~logger"], "can't be left out; write logger=none for none"),
        (["logger=[]"], "can't be left out; write logger=none for none"),
        (["logger=csv", "+logger.csv.path=x"], "logger.csv.path=x: unknown key. Accepted here: none"),
    ],
)
def test_wrong_choices_are_refused_before_training(words, message, gansweep):  # noqa: F811
    answer = gansweep.tiny(*words)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err


def test_a_class_of_the_user_needs_allow_and_the_method_open(gansweep):  # noqa: F811
    assert "add allow=[" in gansweep.tiny(*of_user(gansweep, "Lines", path="a")).err
    answer = gansweep.tiny(*of_user(gansweep, "NoLogger"), USER)
    assert (answer.code, answer.out) == (2, "")
    assert "logger.x._target_=tests.loggers.user_loggers.NoLogger: is not a LoggerSettings" in answer.err
    assert "NoLogger has no method open(run)" in answer.err


@pytest.fixture(scope="module")
def without(tmp_path_factory):
    """The records of a sweep without loggers."""
    return {}


def reference(gansweep, known: dict) -> dict:  # noqa: F811
    if not known:
        assert tiny(gansweep, "-m", "seed=0,1", "name=plain", "logger=none").code == 0
        known.update(numbers(gansweep, "plain"))
        assert not list(gansweep.folder.glob("outputs/plain/**/events*"))
    return known


def test_loggers_change_neither_hash_nor_numbers_nor_settings(gansweep, without):  # noqa: F811
    expected = reference(gansweep, without)
    assert tiny(gansweep, "-m", "seed=0,1", "name=both", "logger=[tensorboard,csv]").code == 0
    assert numbers(gansweep, "both") == expected
    assert not [
        key for record in gansweep.records("both").values() for key in record["cell"]["overrides"] if "logger" in key
    ]
    root = gansweep.folder / "outputs" / "both"
    assert len(list(root.glob("*/events.out.tfevents.*.row"))) == 2
    assert len(list((root / "curves").glob("*.csv"))) == 3


@pytest.mark.parametrize("method", ["open", "scalars", "picture", "flush", "close"])
def test_a_logger_that_fails_is_reported_once_and_changes_nothing(method, gansweep, without):  # noqa: F811
    expected = reference(gansweep, without)
    kind = {"flush": "disk", "picture": "exit"}.get(method, "error")
    answer = tiny(
        gansweep, "-m", "seed=0,1", "name=failing", *of_user(gansweep, "Raising", method=method, kind=kind), USER
    )
    assert answer.code == 0, answer.err
    assert numbers(gansweep, "failing") == expected
    for log in gansweep.folder.glob("outputs/failing/*/gansweep.log"):
        lines = [line for line in log.read_text().splitlines() if "The logger Raising" in line]
        assert len(lines) == 1
        assert lines[0].endswith("); the run continues without it")
        assert "WARNING" in lines[0]


def test_what_a_logger_changes_is_a_copy(gansweep, without):  # noqa: F811
    expected = reference(gansweep, without)
    folder = gansweep.folder.parent / "my_conf" / "logger"
    of_user(gansweep, "Lines", path="lines.txt")
    (folder / "changing.yaml").write_text(json.dumps({"changing": {"_target_": "tests.loggers.user_loggers.Changing"}}))
    words = ["--config-dir", str(folder.parent), "logger=[changing,x]", USER]
    assert tiny(gansweep, "-m", "seed=0,1", "name=changed", *words).code == 0
    assert numbers(gansweep, "changed") == expected
    assert all(record["config"]["trainer"] for record in gansweep.records("changed").values())
    lines = (gansweep.folder / "lines.txt").read_text().splitlines()
    assert lines.count("close completed") == 2
    assert lines.count("scalars 2 Metric/fd_digits") == 2


def test_two_loggers_of_one_class_are_both_used(gansweep):  # noqa: F811
    of_user(gansweep, "Lines", path="x.txt")
    folder = gansweep.folder.parent / "my_conf" / "logger"
    other = {"y": {"_target_": "tests.loggers.user_loggers.Lines", "path": "y.txt"}}
    (folder / "y.yaml").write_text(json.dumps(other))
    assert tiny(gansweep, "name=twice", "--config-dir", str(folder.parent), "logger=[x,y]", USER).code == 0
    assert (gansweep.folder / "x.txt").read_text() == (gansweep.folder / "y.txt").read_text()


def test_a_logger_of_the_user_gets_every_point_and_changes_no_hash(gansweep, without):  # noqa: F811
    expected = reference(gansweep, without)
    logger = of_user(gansweep, "Lines", path="lines.txt")
    assert tiny(gansweep, "-m", "seed=0,1", "name=user", *logger, USER).code == 0
    assert numbers(gansweep, "user") == expected
    lines = (gansweep.folder / "lines.txt").read_text().splitlines()
    opened = [line.split() for line in lines if line.startswith("open")]
    assert sorted(words[1] for words in opened) == sorted(expected)
    assert len({words[2] for words in opened}) == 1  # equal groups of both seeds
    assert lines.count("close completed") == 2
    assert lines.count("scalars 0 Metric/fd_digits") == lines.count("scalars 2 Metric/fd_digits") == 2
    assert [
        line
        for line in lines
        if line.startswith("picture 2 samples/generated, real (right) (3, ") and line.endswith("True")
    ]
    curves = [line for line in lines if "loss/generator" in line]
    assert len(curves) == 4
    assert lines.index("flush") < lines.index("close completed")


def test_tensorboard_is_left_out_where_it_is_not_chosen(gansweep):  # noqa: F811
    assert tiny(gansweep, "name=csv", "logger=csv").code == 0
    assert not list(gansweep.folder.glob("outputs/csv/**/events*"))
    record, *_ = gansweep.records("csv").values()
    assert list(record["config"]["logger"]) == ["csv"]


def test_trainer_tensorboard_false_still_writes_no_event_files(gansweep):  # noqa: F811
    assert tiny(gansweep, "name=off", "trainer.tensorboard=false").code == 0
    assert not list(gansweep.folder.glob("outputs/off/**/events*"))


def test_a_group_is_that_of_all_seeds_and_of_no_other_configuration():
    def group(name, **config):
        return group_of(name, Header(identity={"config": config, "data": "x"}))

    first = group("lr=0.1,seed=0-01234567", lr=0.1, seed=0)
    assert first == group("lr=0.1,seed=10-89abcdef", lr=0.1, seed=10)
    assert first.startswith("lr=0.1-")
    assert first != group("lr=0.1,seed=0-01234567", lr=0.2, seed=0)
    assert group("seed_init=1-01234567", seed_init=1).startswith("defaults-")
    assert json.dumps(first)
