"""Every job of a multirun is composed with its own choices, whatever the defaults have."""

from __future__ import annotations

import math
import shlex

import pytest

HERE = ["plan=true", "data=ring", "metric=wasserstein1", "metric.num_samples=64", "steps=20", "trainer.eval_every=20"]


@pytest.fixture
def planned(gansweep):
    """Return the output of the plan of a small sweep."""
    return lambda *line: gansweep(*line, *(one for one in HERE if one.partition("=")[0] not in " ".join(line)))


@pytest.mark.parametrize(
    "line",
    [
        ["schedule=cosine,linspace", "schedule.end=0.1"],
        ["model=dcgan,resnet", "model.base_width=8", "data=digits", "metric=digits"],
        ["optimizer=sgd,rmsprop", "optimizer.momentum=0.9"],
        ["optimizer=sgd,rmsprop", "~optimizer.momentum"],
        ["optimizer=sgd,rmsprop", "optimizer={momentum:0.9}"],
        ["optimizer@optimizer_d=sgd,rmsprop", "optimizer_d.momentum=0.9"],
        ["schedule=warmup,equal_area", "schedule@schedule.of=cosine"],
        ["lr=${lr_d}", "lr_d=1e-4,1e-3"],
    ],
    ids=" ".join,
)
def test_a_key_that_every_choice_has_works(planned, line, monkeypatch):
    monkeypatch.setattr("gansweep.cli.grid.PROGRESS_AFTER_S", math.inf)
    answer = planned("-m", *line)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("2 cells: 2 new")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            ["optimizer=adam,sgd", "optimizer.betas=[0.5,0.9]"],
            "optimizer.betas=[0.5,0.9]: optimizer=adam has this key, optimizer=sgd has not. Two lines with the same "
            "name=... are one sweep: one with optimizer=adam optimizer.betas=[0.5,0.9], the other with optimizer=sgd "
            "and without optimizer.betas",
        ),
        (
            ["optimizer=adam,sgd,adamw", "optimizer={betas:[0.5,0.9]}", "lr=1,2"],
            "optimizer={betas:[0.5,0.9]}: optimizer=adam and optimizer=adamw have this key, optimizer=sgd has not.",
        ),
        (["optimizer=adam,sgd", "~optimizer.betas"], "~optimizer.betas: optimizer=adam has this key, "),
        (
            ["schedule=warmup,step", "schedule@schedule.of=cosine"],
            "schedule@schedule.of=cosine: schedule=warmup has this key, schedule=step has not.",
        ),
        (["optimizer=adam,sgd", "optimizer.nothing=1"], "optimizer.nothing=1: unknown key. Accepted here: "),
        (["optimizer=sgd,adm", "optimizer.momentum=1"], "optimizer=adm: did you mean adam"),
        (["name=s_${seed}", "seed=0,1"], "name=s_${seed}: differs among the jobs, but belongs to the sweep"),
    ],
)
def test_a_key_that_one_choice_lacks_is_named_with_those_that_have_it(planned, line, expected):
    answer = planned("-m", *line)
    assert answer.code == 2
    assert any(text.strip().startswith(expected) for text in answer.err.splitlines()), answer.err
    assert answer.err.count("nothing was trained") == 1


def test_two_command_lines_with_one_name_are_one_sweep(gansweep):
    line = ["-m", "name=both", "seed=0,1", "model.latent_dim=4"]
    assert gansweep.tiny(*line, "optimizer=adam", "optimizer.betas=[0.5,0.9]").code == 0
    answer = gansweep.tiny(*line, "optimizer=sgd")
    assert answer.code == 0
    assert len(gansweep.records("both")) == 4


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-m lr=1e-4, 1e-3", "lr=1e-4,: is not a list of values; expected commas without spaces; write lr=1e-4,1e-3"),
        ("-m lr=1e-4 ,1e-3", ",1e-3: is not a list of values; expected commas without spaces; write lr=1e-4,1e-3"),
        ("-m lr=1e-4 , 1e-3 seed=2", ",: is not a list of values; expected commas without spaces; write lr=1e-4,1e-3"),
        (
            "-m optimizer=adam sgd lr=1",
            "sgd: expected key=value. Values of one key are joined by commas: -m optimizer=adam,sgd",
        ),
        (
            "optimizer=adam sgd rmsprop",
            "sgd: expected key=value. Values of one key are joined by commas: -m optimizer=adam,sgd,",
        ),
        ("steps=3 lr = 1e-3", "lr: expected key=value, without spaces around ="),
        ("lr = 1e-3", "lr: expected key=value, without spaces around ="),
        ("lr=1e\u22123", "lr=1e\u22123: has U+2212, minus sign; write lr=1e-3"),
        ("lr=\u20131", "lr=\u20131: has U+2013, en dash; write lr=-1"),
        ("-m lr=1\uff0c2", "lr=1\uff0c2: has U+FF0C, fullwidth comma; write lr=1,2"),
        ("name=\u201ca\u201d", "name=\u201ca\u201d: has U+201C, left double quotation mark; write name="),
        ("-m seed=range(0)", "seed=range(0): lists no value; expected at least one"),
        ("steps=1e30", "steps=1e+30: expected a whole number, at most"),
        ("seeds=auto most_seeds=1e30", "most_seeds=1e+30: expected a whole number, at most"),
        ("hydra.sweep.subdir=foo", "hydra.sweep.subdir=foo: can't be changed: runs are written to"),
        ("hydra.output_subdir=null", "hydra.output_subdir=null: can't be changed: runs are written to"),
        (
            "+hydra.job.env_set.OMP_NUM_THREADS=1",
            "hydra.job.env_set=OMP_NUM_THREADS: not supported, because cells share a process",
        ),
        ("hydra.launcher._target_=os.system", "hydra.launcher._target_=os.system: expected a launcher of Hydra"),
        ("hydra.sweeper={_target_:os.system}", "hydra.sweeper._target_=os.system: expected a sweeper of Hydra"),
        ("hydra.launcher._target_=hydra_plugins.none.X", "hydra.launcher._target_=hydra_plugins.none.X: expected a "),
        ("hydra={}", "hydra={}: expected one setting of Hydra, such as hydra.verbose=true"),
        ("hydra.sweeper=null", "hydra.sweeper=null: expected a choice"),
    ],
)
def test_a_line_that_can_not_be_meant_has_one_block(gansweep, line, expected):
    answer = gansweep(*shlex.split(line))
    assert answer.code == 2
    assert any(text.strip().startswith(expected) for text in answer.err.splitlines()), answer.err
    assert not list(gansweep.folder.iterdir())


@pytest.mark.parametrize("name", ["2024_01_01", "1.10", "1e3", "007", "20240101"])
def test_a_name_that_looks_like_a_number_is_used_as_typed(gansweep, name):
    assert gansweep.tiny(f"name={name}").code == 0
    assert [path.name for path in (gansweep.folder / "outputs").iterdir()] == [name]


def test_two_mappings_of_one_key_both_count_in_a_record(gansweep):
    assert gansweep.tiny("name=both", "trainer={ema:0.9}", "trainer={eval_every:1}").code == 0
    (record,) = gansweep.records("both").values()
    assert (record["config"]["trainer"]["ema"], record["config"]["trainer"]["eval_every"]) == (0.9, 1)
