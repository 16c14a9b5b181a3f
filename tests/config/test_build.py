"""Problems of configurations, found before anything is trained."""

from __future__ import annotations

import copy

import pytest
from tests.config.variants import problems_of, with_

from gansweep.config.build import build, check, normalise
from gansweep.config.checks import misfits, without_effect
from gansweep.config.errors import BadConfig

GAP_AWARE = {"_target_": "gansweep.feedback.gap_aware.GapAware"}


def test_the_default_has_no_problem(default):
    assert problems_of(default) == []


def test_all_errors_are_reported_together(default):
    wrong = with_(
        default, lr=-1.0, steps=0, seed=1.5, optimizer__betas=[0.5, 1.0], model__dropout=2.0, trainer__ema=1.0
    )
    keys = {text.partition("=")[0] for text in problems_of(wrong)}
    assert keys == {"lr", "steps", "seed", "optimizer.betas", "model.dropout", "trainer.ema"}


def test_an_error_of_an_interpolated_rate_is_reported_once(default):
    assert len(problems_of(with_(default, lr="fast", lr_d="fast"))) == 1
    assert len(problems_of(with_(default, lr_d=0.0))) == 1


def test_a_batch_larger_than_the_data(default):
    assert problems_of(with_(default, batch_size=1797)) == []
    (text,) = problems_of(with_(default, batch_size=1798))
    assert text.startswith("batch_size=1798: the data set has 1797 samples")


def test_a_model_that_does_not_fit_the_data(default):
    model = {"_target_": "gansweep.models.dcgan.DCGAN"}
    (text,) = problems_of(with_(default, model=model, data__size=9))
    assert text.startswith("model")


def test_incompatible_games_are_reported(default):
    wrong = {"_target_": "gansweep.losses.least_squares.LeastSquares"}
    pairing = {"_target_": "gansweep.losses.relativistic_pairing.RelativisticPairing"}
    (text,) = problems_of(with_(default, loss__game=dict(pairing, of=wrong)))
    assert text.startswith("loss.game.of=LeastSquares")
    assert "fake_label = -real_label" in text
    standard = {"_target_": "gansweep.losses.standard.Standard"}
    (text,) = problems_of(with_(default, loss__game=dict(pairing, of=dict(pairing, of=standard))))
    assert text.startswith("loss.game.of=")


def test_a_metric_that_does_not_fit_the_data(default):
    ring = {"_target_": "gansweep.data.ring.Ring", "num_samples": 100}
    (text,) = problems_of(with_(default, data=ring))
    assert text.startswith("metric")


def test_missing_data_are_reported_with_their_directory(default, tmp_path):
    data = {"_target_": "gansweep.data.mnist.MNIST", "root": str(tmp_path)}
    (text,) = problems_of(with_(default, data=data))
    assert text.startswith("data=mnist: no ")
    assert str(tmp_path) in text


def test_a_group_needs_a_choice_of_its_kind(default):
    assert problems_of(with_(default, optimizer=None)) == ["optimizer: must be chosen: optimizer=..."]
    (text,) = problems_of(with_(default, optimizer=default["schedule"]))
    assert "is not an UpdateRule: Constant has no class attribute elementwise (expected: True if the update" in text
    assert text.endswith("no method state(slots, theta), no method update(theta, grad, state, context)")
    assert problems_of(with_(default, metric=None)) == []


def test_an_unknown_key_at_the_root_or_in_the_trainer(default):
    (text,) = problems_of(with_(default, lrr=1))
    assert text.startswith("lrr: unknown key; did you mean lr")
    (text,) = problems_of(with_(default, trainer__eval_evry=1))
    assert text.startswith("trainer.eval_evry=1: unknown key; did you mean trainer.eval_every")


def test_numbers_come_back_in_their_types(default):
    config = check(with_(default, steps=1e3, lr=1, optimizer__eps=1)).config
    assert repr((config["steps"], config["lr"], config["optimizer"]["eps"])) == "(1000, 1.0, 1.0)"


def test_epochs_are_another_spelling_of_steps(default):
    by_epochs = check(with_(default, epochs=2)).config
    assert by_epochs["steps"] == 2 * 29
    assert by_epochs["epochs"] is None
    assert by_epochs == check(with_(default, steps=58)).config


def test_steps_and_epochs_both_typed_contradict(default):
    both = with_(default, steps=10, epochs=2)
    assert problems_of(both, ["steps", "epochs"]) == ["epochs=2: steps=10 is given too; expected only one of them"]
    assert check(both, ["steps"]).config["steps"] == 10  # instead of the experiment's epochs
    assert check(both, ["epochs"]).config["steps"] == 58


def test_a_length_in_epochs_is_the_one_that_a_schedule_is_checked_against(default):
    pieces = {"_target_": "gansweep.schedules.piecewise.Piecewise", "pieces": [[1.0, 50], [0.1, 8]]}
    assert problems_of(with_(default, schedule=pieces, epochs=2)) == []


def test_critic_steps_are_the_losses_unless_given(default):
    assert check(with_(default, loss__critic_steps=5)).config["critic_steps"] == 5
    assert build(with_(default, loss__critic_steps=5, critic_steps=2)).critic_steps == 2


def test_incompatible_parts_are_reported_before_training(default):
    adagrad = {"_target_": "gansweep.optimizers.torch_optimizer.TorchOptimizer", "name": "torch.optim.Adagrad"}
    (text,) = problems_of(with_(default, optimizer=adagrad, trainer__compile=True))
    assert text.startswith("trainer.compile=true: ")


def test_rates_and_rules_reach_their_player(default):
    sgd = {"_target_": "gansweep.optimizers.sgd.SGD", "momentum": 0.5}
    cosine = {"_target_": "gansweep.schedules.cosine.Cosine"}
    config = with_(default, lr=0.25, lr_d=0.5, optimizer_d=sgd, schedule_d=cosine, trainer__ema=0.9, seed=7)
    member = build(config).member
    assert (member.generator.lr, member.discriminator.lr, member.ema, member.seed) == (0.25, 0.5, 0.9, 7)
    assert type(member.generator.rule).__name__ == "Adam"
    assert type(member.discriminator.rule).__name__ == "SGD"
    assert type(member.generator.schedule).__name__ == "Constant"
    assert type(member.discriminator.schedule).__name__ == "Cosine"


def test_equal_data_are_read_once(default):
    first, second = check(default), check(with_(default, lr=0.5))
    assert first.data is second.data
    assert check(with_(default, data__size=16)).data is not first.data


def test_the_given_configuration_is_not_changed(default):
    config = with_(default, optimizer__eps=1, steps=1e3)
    before = repr(config)
    check(config)
    assert repr(config) == before


def test_a_device_that_is_not_there_stops_the_build(default):
    with pytest.raises(BadConfig, match="device=cuda:99"):
        build(with_(default, device="cuda:99"))
    assert problems_of(with_(default, device="cuda:99")) == []  # another machine may have it


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"optimizer": ("lookahead.Lookahead", {"of": "adam.Adam", "k": 30})}, "optimizer=Lookahead: k=30: the player"),
        ({"optimizer": ("lookahead.Lookahead", {"of": "adam.Adam", "k": 20})}, None),
        (
            {"optimizer": ("prodigy.Prodigy", {})},
            "optimizer=Prodigy: lr=0.0001: multiplies the step size that Prodigy estimates",
        ),
        (
            {"optimizer": ("optimistic.Optimistic", {"of": "prodigy.Prodigy"})},
            "optimizer=Optimistic: of.lr=0.0001: multiplies",
        ),
        ({"optimizer": ("prodigy.Prodigy", {}), "lr": 1.0, "lr_d": 1.0}, None),
        ({"feedback": ("plateau.Plateau", {"patience": 3})}, "feedback=Plateau: patience=3: the run has 4 evaluations"),
        ({"feedback": ("plateau.Plateau", {"patience": 2})}, None),
        ({}, None),
    ],
)
def test_settings_without_effect_are_reported(default, changes, said):
    """A run of 20 steps that is evaluated at steps 0, 5, 10, 15 and 20."""

    def node(package, name, settings):
        of = {"of": {"_target_": f"gansweep.optimizers.{settings['of']}"}} if "of" in settings else {}
        return {"_target_": f"gansweep.{package}.{name}", **settings, **of}

    packages = {"optimizer": "optimizers", "feedback": "feedback"}
    nodes = {key: node(packages[key], *one) if isinstance(one, tuple) else one for key, one in changes.items()}
    checked = check(with_(default, steps=20, trainer__eval_every=5, **nodes))
    assert checked.problems == []
    warnings = without_effect(checked.run)
    assert warnings == [] if said is None else (len(warnings) == 1 and warnings[0].startswith(said))


def test_checks_do_not_change_the_normalised_configuration(default):
    """Mistake: a check converts epochs to steps, so its order among the checks matters."""
    for changes in ({"epochs": 2}, {"batch_size": 1798}, {"steps": 0, "lr": -1.0}, {"feedback": GAP_AWARE}):
        normal = normalise(with_(default, **changes))
        before = copy.deepcopy((normal.config, normal.root)), dict(normal.parts)
        misfits(normal)
        assert ((normal.config, normal.root), normal.parts) == before


def test_a_normal_form_is_its_own_normal_form(default):
    config = normalise(with_(default, epochs=2, feedback=GAP_AWARE, optimizer__eps=1)).config
    assert config["steps"] == 58
    assert "feedback_d" in config
    assert normalise(config).config == config


def test_a_moved_feedback_is_reported_under_the_group_in_which_it_was_chosen(default):
    loss = {
        "_target_": "gansweep.losses.objective.Objective",
        "game": {"_target_": "gansweep.losses.wasserstein.Wasserstein"},
    }
    (text,) = problems_of(with_(default, loss=loss, feedback=GAP_AWARE))
    assert text.startswith("feedback.x_min=null: ")
