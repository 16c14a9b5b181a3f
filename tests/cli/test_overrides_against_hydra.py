"""A command line sets the same values as Hydra's composition of it, where both accept it."""

from __future__ import annotations

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from gansweep.cli import folders, hydra_app
from gansweep.cli.compose import Composer
from gansweep.cli.hydra_app import BASE, jobs_of
from gansweep.config.errors import BadConfig

ACCEPTED = [
    ["trainer={ema:0.9}", "trainer={eval_every:1}"],
    ["trainer={ema:0.9}", "trainer.ema=0.5"],
    ["trainer.ema=0.5", "trainer={ema:0.9}"],
    ["trainer.ema=0.5", "trainer={ema:0.9}", "trainer.ema=0.7"],
    ["trainer={ema:0.9}", "trainer={ema:0.8}", "trainer.eval_every=2"],
    ["trainer.ema=0.5", "trainer.eval_every=3", "trainer.ema=0.7"],
    ["trainer={ema:0.9}", "optimizer=sgd", "trainer={ema:0.5,eval_every:3}"],
    ["optimizer=sgd", "optimizer={momentum:0.9}"],
    ["optimizer={momentum:0.9}", "optimizer=sgd"],
    ["optimizer={betas:[0.1,0.2]}", "optimizer={eps:1e-4}"],
    ["optimizer={}", "optimizer.eps=1"],
    ["loss=r1_r2", "loss.penalties={r1:{weight:2.0}}"],
    ["loss=r1_r2", "loss.penalties={r1:{weight:2.0}}", "loss.penalties={r2:{weight:3.0}}"],
    ["loss.penalties={}"],
    ["+loss.penalties={extra:{weight:1}}"],
    ["++loss.penalties={extra:{weight:1}}"],
    ["+optimizer={extra:1}"],
    ["++optimizer={extra:1}", "++optimizer={more:2}"],
    ["+optimizer.extra=1"],
    ["++optimizer.extra=1"],
    ["+extra=1", "extra=2"],
    ["+extra={a:1}", "extra.a=2"],
    ["+extra={a:1}", "+extra.b=2"],
    ["+extra={a:1}", "++extra={b:2}"],
    ["++extra=[1,2]"],
    ["+extra=[1,2]", "extra=[3]"],
    ["++lr=1", "lr=2"],
    ["lr=1", "++lr=2"],
    ["lr=1", "steps=3", "lr=2"],
    ["~metric"],
    ["~metric=digits"],
    ["~optimizer.betas"],
    ["~optimizer.betas", "+optimizer.betas=[0.1,0.2]"],
    ["~optimizer@optimizer_d"],
    ["~trainer"],
    ["lr={x:1}"],
    ["optimizer.betas=0.5"],
    ["optimizer.betas.0=0.25"],
    ["optimizer@optimizer_d=sgd", "optimizer_d={momentum:0.5}", "optimizer_d={nesterov:true}"],
    ["+optimizer@optimizer.inner=sgd"],
    ["~schedule@schedule_d"],
    ["schedule=warmup", "schedule@schedule.of=cosine", "schedule.of.end=0.5"],
    ["schedule=warmup", "schedule@schedule.after=cosine", "schedule.after.end=0.5"],
    ["schedule=warmup", "schedule@schedule.of=warmup", "schedule@schedule.of.of=cosine"],
    ["schedule=coopnets/exp_1"],
    ["loss=r1", "loss=wgan_gp"],
    ["lr=int(3.7)"],
    ["lr=float(3)"],
    ["seed=str(3)"],
    ["name=str(3)"],
    ["trainer.eval_at=sort([3,1,2])"],
    ["trainer.eval_at=sort([3,1,2],reverse=true)"],
    ["trainer.eval_at=[[1,2],[3]]"],
    ["trainer.eval_at=[1,2]", "trainer.eval_at=[3]"],
    ["name='a b, c'"],
    ['name="it\'s"'],
    ["name=a\\,b"],
    ["name=a\\ b"],
    ["name=''"],
    ["name=a:b"],
    ["name=s_${seed}", "seed=3"],
    ["lr=${lr_d}", "lr_d=0.5"],
    ["lr_d=${oc.env:NO_SUCH_VARIABLE,0.3}"],
    ["steps=${trainer.eval_every}"],
    ["optimizer.betas=[${lr},0.9]"],
    ["trainer={ema:${lr}}"],
    ["steps=1_000"],
    ["lr=inf"],
    ["lr="],
    ["experiment=smoke", "trainer={eval_every:1}", "trainer={ema:0.9}"],
    ["experiment=smoke", "optimizer=sgd", "~optimizer.momentum"],
    ["~experiment"],
    ["hydra.verbose=true", "lr=2"],
    ["model=dcgan", "model={latent_dim:4}"],
    ["feedback=plateau", "feedback={patience:3}", "feedback={factor:0.3}"],
    ["++trainer.ema=0.5", "trainer={ema:0.9}"],
    ["+trainer={ema:0.9}"],
]
REFUSED = [
    (["+lr=1"], "+lr=1: is one of the settings already; write lr=1"),
    (["~lr=1"], "~lr=1: its value is 0.0001; ~lr deletes any value"),
    (["~nothing"], "~nothing: unknown key. Accepted here: "),
    (["feedback.patience=3"], "feedback: no option of this group is chosen; choose one with feedback=..."),
    (["optimizer_d.betas=3"], "optimizer_d: no option of this group is chosen; choose one with optimizer@optimizer_d="),
    (["feedbak=plateau"], "feedbak=plateau: unknown key; did you mean feedback? Accepted here: algorithm, "),
    (["~optimizer.betaz"], "~optimizer.betaz: unknown key; did you mean optimizer.betas?"),
    (["optimizer.betas={a:1}"], "optimizer.betas={a:1}: expected a list, not a mapping"),
    (["optimizer.betas.7=1"], "optimizer.betas: is a list; expected it as a whole"),
    (["model={latent_dim:4}", "model={widht:3}"], "model.widht=3: unknown key. Accepted here: "),
    (["trainer={emma:3}"], "trainer.emma=3: unknown key; did you mean trainer.ema?"),
    (
        ["schedule@schedule_d=step", "schedule_d.steps=10", "+lr=3"],
        "schedule_d.steps=10: unknown key; did you mean steps",
    ),
    (["hydra.nothing=1", "lr=2"], "hydra.nothing=1: Key 'nothing' not in 'HydraConf'"),
    (["=1"], "=1: expected key=value"),
]


@pytest.fixture(scope="module")
def composer():
    hydra_app.register()
    with initialize_config_dir(str(folders.conf_dir()), **BASE):
        loader = GlobalHydra.instance().config_loader()
        yield Composer(lambda lines: compose("config", lines, return_hydra_config=True), loader)


def composed(composer, line):
    (job,) = jobs_of(GlobalHydra.instance().config_loader(), line)
    return composer(job)


@pytest.mark.parametrize("line", ACCEPTED, ids=" ".join)
def test_a_line_sets_the_same_values_as_hydra(composer, line):
    ours = composed(composer, line)
    assert ours.problems == []
    assert ours.config == OmegaConf.to_container(compose("config", line), resolve=True)


@pytest.mark.parametrize(("line", "start"), REFUSED, ids=lambda part: " ".join(part) if isinstance(part, list) else "")
def test_a_line_that_hydra_refuses_names_its_key(composer, line, start):
    with pytest.raises((HydraException, OmegaConfBaseException, ValueError)):
        OmegaConf.to_container(compose("config", line), resolve=True)
    assert str(composed(composer, line).problems[0]).startswith(start)


@pytest.mark.parametrize(
    ("line", "jobs"),
    [
        (["lr=1,2", "seed=3"], [["lr=1", "seed=3"], ["lr=2", "seed=3"]]),
        (["lr=1", "seed=3", "lr=2"], [["lr=2", "seed=3"]]),
        (["seed=range(2)"], [["seed=0"], ["seed=1"]]),
        (["lr=range(0.5,2,0.5)"], [["lr=0.5"], ["lr=1.0"], ["lr=1.5"]]),
        (["seed=sort(2,1)"], [["seed=1"], ["seed=2"]]),
        (["optimizer=glob(sg*)"], [["optimizer=sgd"], ["optimizer=sgd_matconvnet"]]),
        (["trainer.eval_at=[1,2],[3]"], [["trainer.eval_at=[1,2]"], ["trainer.eval_at=[3]"]]),
        (["trainer.eval_at=[[1,2],[3]]"], [["trainer.eval_at=[[1,2],[3]]"]]),
        (["name='a,b',c"], [["name='a,b'"], ["name=c"]]),
        (["name=str(3),x"], [["name='3'"], ["name=x"]]),
        (["trainer={ema:0.9},{ema:0.8}"], [["trainer={ema:0.9}"], ["trainer={ema:0.8}"]]),
        (
            ["trainer={ema:0.9},{ema:0.8}", "trainer={patience:3}"],
            [["trainer={ema:0.9}", "trainer={patience:3}"], ["trainer={ema:0.8}", "trainer={patience:3}"]],
        ),
        (["~metric", "seed=1,2"], [["~metric", "seed=1"], ["~metric", "seed=2"]]),
    ],
)
def test_the_jobs_of_a_line(composer, line, jobs):
    assert jobs_of(GlobalHydra.instance().config_loader(), line) == jobs


@pytest.mark.parametrize("line", ["seed=shuffle(1,2,3)", "seed=shuffle(range(1,4))"])
def test_shuffled_values_are_all_there(composer, line):
    assert sorted(jobs_of(GlobalHydra.instance().config_loader(), [line])) == [["seed=1"], ["seed=2"], ["seed=3"]]


@pytest.mark.parametrize(
    ("override", "start"),
    [
        ("seed=range(0)", "seed=range(0): lists no value"),
        ("seed=range(3,1)", "seed=range(3,1): lists no value"),
        ("optimizer=glob(zz*)", "optimizer=glob(zz*): lists no value"),
        ("lr=range(0,1,0)", "lr=range(0,1,0): "),
        ("lr=range(0,1.5,0)", "lr=range(0,1.5,0): "),
        ("lr=interval(0,1)", "lr=interval(0,1): an interval needs the number of its points"),
    ],
)
def test_values_that_are_no_list_are_refused(composer, override, start):
    with pytest.raises(BadConfig) as refused:
        jobs_of(GlobalHydra.instance().config_loader(), ["steps=3", override])
    assert str(refused.value).startswith(start)


def test_an_interpolation_among_the_values_of_a_sweep(composer):
    jobs = jobs_of(GlobalHydra.instance().config_loader(), ["lr=0.5", "lr_d=${lr},1"])
    assert [composer(job).config["lr_d"] for job in jobs] == [0.5, 1]


def test_merged_mappings_are_given_by_their_inner_keys(composer):
    given = composed(composer, ["trainer={ema:0.9}", "trainer={eval_every:1}", "optimizer={eps:1}"]).given
    assert given == {"trainer.ema": 0.9, "trainer.eval_every": 1, "optimizer": {"eps": 1}}
