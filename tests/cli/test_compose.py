"""The fast composition equals Hydra's."""

from __future__ import annotations

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from gansweep.cli import folders, hydra_app
from gansweep.cli.compose import Composer
from gansweep.cli.hydra_app import BASE


class Counted:
    """Hydra's composition, with the number of its calls."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, overrides):
        self.count += 1
        return compose("config", overrides, return_hydra_config=True)


@pytest.fixture(scope="module")
def hydra():
    hydra_app.register()
    with initialize_config_dir(str(folders.conf_dir()), **BASE):
        yield


@pytest.fixture
def counted():
    return Counted()


@pytest.fixture
def composer(hydra, counted):
    return Composer(counted, GlobalHydra.instance().config_loader())


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["lr=1e-3"],
        ["optimizer=sgd", "lr=0.5", "optimizer.momentum=0.9"],
        ["optimizer.betas=[0.5,0.9]", "optimizer=adamw"],
        ["optimizer@optimizer_d=sgd", "optimizer_d.momentum=0.5", "lr_d=1"],
        ["loss=wgan_gp", "loss.penalties.gp.weight=3", "critic_steps=2"],
        ["loss=r1_r2", "loss.penalties={r1: {weight: 2.0}}"],
        ["schedule=warmup", "schedule@schedule.after=cosine", "schedule.after.end=0.5"],
        ["schedule@schedule_d=step"],
        ["schedule@schedule_penalty=warmup", "schedule@schedule_penalty.after=linspace", "schedule_penalty.length=3"],
        ["~metric", "seed=3"],
        ["experiment=smoke", "steps=7"],
        ["experiment=smoke", "lr=0.3", "trainer.eval_every=1"],
        ["+extra=1", "lr=2"],
        ["lr=2", "++lr=1"],
        ["++lr=1", "lr=2"],
        ["lr=1", "lr=2"],
        ["~threads", "lr=1"],
        ["lr=1", "++optimizer.betas=[0.1,0.2]", "optimizer.betas=[0.3,0.4]"],
        ["name='a b, c'", "device=cuda:1"],
        ["data.root=null", "data=mnist", "data.size=32"],
    ],
)
def test_every_job_equals_the_composition_of_hydra(composer, overrides):
    composed = composer(overrides)
    assert composed.problems == []
    assert composed.config == OmegaConf.to_container(compose("config", overrides), resolve=True)
    again = composer(overrides)  # from the cache
    assert again.config == composed.config


def test_the_kept_composition_is_not_changed_by_the_jobs_made_of_it(composer):
    before = composer([]).config
    composer(["lr=5", "optimizer.betas=[0.1,0.2]", "trainer={eval_every: 3}"])
    assert composer([]).config == before


def test_hydra_composes_once_per_choice_of_groups(composer, counted):
    for optimizer in ("adam", "sgd"):
        for lr in range(1, 30):
            composer([f"optimizer={optimizer}", f"lr={lr}", f"seed={lr}"])
    assert counted.count == 2


def test_a_composition_has_values_by_key_and_choices(composer):
    composed = composer(["optimizer=sgd", "lr=1e-3", "+extra=[1,2]", "optimizer@optimizer_d=adam"])
    assert composed.given == {"optimizer": "sgd", "lr": 1e-3, "extra": [1, 2], "optimizer@optimizer_d": "adam"}
    assert composed.choices["optimizer"] == "sgd"
    assert composed.choices["loss"] == "r1"


@pytest.mark.parametrize(
    ("override", "start"),
    [
        ("lrr=3", "lrr=3: unknown key; did you mean lr"),
        ("optimizr=sgd", "optimizr=sgd: unknown key; did you mean optimizer"),
        ("optimizer.beta=1", "optimizer.beta=1: unknown key; did you mean optimizer.betas?"),
        ("optimizer.lr=1", "optimizer.lr=1: unknown key; did you mean lr?"),
        ("nothing.at.all=1", "nothing: unknown key."),
        ("optimizer=adm", "optimizer=adm: did you mean adam"),
        ("optimizer=42", "optimizer=42: Choose one of "),
        ("metric=null", "metric=null: Choose one of "),
        ("lr@other=1", "lr@other=1: there is no group lr"),
        ("optimizer@optimizr_d=sgd", "optimizer@optimizr_d=sgd"),
        ("optimizer_d=sgd", "optimizer_d=sgd: for the discriminator alone write optimizer@optimizer_d=sgd"),
        ("+schedule_d=step", "+schedule_d=step: for the discriminator alone write schedule@schedule_d=step"),
        (
            "schedule_penalty=step",
            "schedule_penalty=step: for the penalties' weights write schedule@schedule_penalty=step",
        ),
        ("schedule_beta_d=step", "schedule_beta_d=step: for the discriminator's beta1 or momentum write schedule@sch"),
        ("+dynamics=consensus", "+dynamics=consensus: is one of the settings already; write dynamics=consensus"),
        ("optimizer@optimizer.of=sgd", "optimizer@optimizer.of=sgd: the chosen optimizer contains no other; choose"),
        (
            "dynamics@algorithm=consensus",
            "dynamics@algorithm=consensus: nothing of that kind is chosen at algorithm",
        ),
        ("schedule_noise=step", "schedule_noise=step: for the instance noise write schedule@schedule_noise=step"),
    ],
)
def test_an_error_is_reported_and_the_rest_is_composed(composer, override, start):
    composed = composer(["seed=7", override, "steps=5"])
    (problem,) = composed.problems
    assert str(problem).startswith(start)
    assert composed.config["steps"] == 5


def test_a_choice_inside_a_choice_has_its_own_spelling(composer):
    (problem,) = composer(["optimizer=lookahead", "optimizer.of=sgd"]).problems
    assert str(problem) == "optimizer.of=sgd: is a choice of a group; write optimizer@optimizer.of=sgd"


def test_a_choice_on_the_command_line_takes_precedence_over_an_experiment(composer):
    """dirac/roth sets weights of two penalties that the typed loss lacks, dirac/base a setting of the metric."""
    (alone,) = [composer(["loss=wgan_gp"]).config["loss"]]
    composed = composer(["experiment=dirac/roth", "loss=wgan_gp"])
    assert composed.problems == []
    assert composed.config["loss"] == alone
    assert composer(["experiment=dirac/roth"]).config["loss"]["penalties"]["roth_real"]["weight"] == 0.6
    weighed = composer(["experiment=dirac/roth", "loss=roth"]).config["loss"]
    assert weighed["penalties"]["roth_real"]["weight"] == 0.6, "it is the loss that the experiment speaks of"
    nested = composer(["experiment=smoke", "optimizer=lookahead", "optimizer@optimizer.of=sgd", "optimizer.k=3"])
    assert nested.problems == []
    assert nested.config["optimizer"]["of"]["_target_"].endswith("SGD")


def test_an_interpolation_of_a_missing_variable_is_reported(composer, monkeypatch):
    monkeypatch.delenv("NO_SUCH_VARIABLE", raising=False)
    (problem,) = composer(["lr=${oc.env:NO_SUCH_VARIABLE}"]).problems
    assert "NO_SUCH_VARIABLE" in str(problem)
