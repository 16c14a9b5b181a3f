"""Identity of a run, and names of cells and sweeps."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import OrderedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.config.test_build_conf import composed

from gansweep.config import keys
from gansweep.config.keys import OUTSIDE_IDENTITY, inside
from gansweep.sweep.identity import canonical, cell_name, digest, identity, sweep_name, training_config

CONFIG = {
    "seed": 0,
    "lr": 1e-4,
    "lr_d": 2e-4,
    "steps": 1000,
    "model": {"_target_": "gansweep.models.mlp.MLP", "latent_dim": 100},
    "optimizer": {"_target_": "gansweep.optimizers.adam.Adam", "betas": [0.5, 0.9]},
    "optimizer_d": None,
    "data": {"_target_": "gansweep.data.mnist.MNIST", "root": "a", "download": False, "size": 28},
    "trainer": {"eval_every": 250, "ema": None, "compile": False, "checkpoint_every": 250},
    "device": "auto",
}


def hash_of(config, data="d", numerics="1") -> str:
    return digest(identity(config, data, numerics))


def test_a_cell_keeps_its_hash_in_later_versions():
    # If this changes, every sweep that anybody has is trained again.
    text = r'{"config":{"betas":[0.5,1],"lr":0.0001,"lr_d":0.0001,"steps":10,"\u00e9":null},"data":"d","numerics":"1"}'
    who = identity({"lr": 1e-4, "steps": 10.0, "é": None, "betas": (0.5, 1.0), "device": "cpu"}, "d", "1")
    assert digest(who) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("key", sorted(OUTSIDE_IDENTITY))
def test_name_and_place_are_not_part_of_the_identity(key):
    assert hash_of(CONFIG | {key: "else"}) == hash_of(CONFIG)


def test_more_than_one_thread_is_part_of_the_identity():
    assert hash_of(CONFIG | {"threads": 1}) == hash_of(CONFIG), "one thread, as before threads counted"
    assert len({hash_of(CONFIG | {"threads": n}) for n in (1, 2, 3)}) == 3


@pytest.mark.parametrize("name", ["keep", "sample_every", "checkpoint_every", "log_every", "diagnose_every"])
def test_outputs_are_not_part_of_the_identity(name):
    assert hash_of(CONFIG | {"trainer": CONFIG["trainer"] | {name: 7}}) == hash_of(CONFIG)


def test_a_new_setting_with_its_default_keeps_the_hash_at_any_depth(monkeypatch):
    defaults = {
        "trainer.augment": "none",
        "model.conditional": False,
        "optimizer.clip": None,
        "loss.penalties.*.every": 1,
    }
    monkeypatch.setattr(keys, "IDENTITY_DEFAULTS", defaults)
    before = CONFIG | {"loss": {"penalties": {"r1": {"weight": 1.0}, "gp": {"weight": 2.0}}}}
    r1, gp = before["loss"]["penalties"].values()

    def after(augment="none", conditional=False, clip=None, every=1):
        return before | {
            "trainer": before["trainer"] | {"augment": augment},
            "model": before["model"] | {"conditional": conditional},
            "optimizer": before["optimizer"] | {"clip": clip},
            "loss": {"penalties": {"r1": r1 | {"every": 1}, "gp": gp | {"every": every}}},
        }

    assert hash_of(after()) == hash_of(before)
    changes = (
        {"augment": "all"},
        {"conditional": True},
        {"conditional": 0},
        {"clip": 1.0},
        {"every": 2},
        {"every": True},
    )
    assert len({hash_of(after(**change)) for change in changes} | {hash_of(before)}) == 1 + len(changes)


@pytest.mark.parametrize("model", ["dcganx", "resnet4", "coopnets", "mlp_cfg"])
def test_spectral_norm_keeps_the_hash_of_models_that_got_it_later(model):
    config = composed(f"model={model}")
    node = config["model"].get("discriminator_of", config["model"])
    with_default = digest(training_config(config))
    node["spectral_norm"] = True
    changed = digest(training_config(config))
    del node["spectral_norm"]
    assert digest(training_config(config)) == with_default != changed


@pytest.mark.parametrize("model", ["mlp", "dcgan", "resnet"])
def test_spectral_norm_stays_in_the_hash_of_models_that_had_it(model):
    config = composed(f"model={model}")
    with_default = digest(training_config(config))
    del config["model"]["spectral_norm"]
    assert digest(training_config(config)) != with_default


def test_unreleased_code_is_part_of_the_identity():
    whos = [identity(CONFIG, "d", "1", code) for code in (None, {}, {"mine": "a"}, {"mine": "b"})]
    assert whos[0] == whos[1] == identity(CONFIG, "d", "1")
    assert len({digest(who) for who in whos}) == 3


@pytest.mark.parametrize("key", sorted(name for name, key in inside("trainer").items() if not key.identity))
def test_logging_settings_are_not_part_of_the_identity(key):
    assert hash_of(CONFIG | {"trainer": CONFIG["trainer"] | {key: 7}}) == hash_of(CONFIG)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"lr": 1.0000001e-4},
        {"steps": 1001},
        {"optimizer": {"_target_": "gansweep.optimizers.adam.Adam", "betas": [0.9, 0.5]}},
        {"trainer": CONFIG["trainer"] | {"ema": 0.999}},
        {"trainer": CONFIG["trainer"] | {"eval_every": 500}},
        {"data": CONFIG["data"] | {"size": 32}},
        {"new_setting": None},
    ],
    ids=str,
)
def test_settings_that_change_numbers_change_the_hash(change):
    assert hash_of(CONFIG | change) != hash_of(CONFIG)


def test_data_and_numerics_are_part_of_the_identity():
    assert len({hash_of(CONFIG), hash_of(CONFIG, data="e"), hash_of(CONFIG, numerics="2")}) == 3


def test_the_path_of_the_data_is_not_part_of_the_identity():
    assert hash_of(CONFIG | {"data": CONFIG["data"] | {"root": "b", "download": True}}) == hash_of(CONFIG)


def test_missing_discriminator_settings_equal_those_of_the_generator():
    assert hash_of(CONFIG | {"optimizer_d": CONFIG["optimizer"]}) == hash_of(CONFIG)
    assert hash_of(CONFIG | {"lr_d": None}) == hash_of(CONFIG | {"lr_d": 1e-4}) != hash_of(CONFIG)


def test_true_and_one_have_different_hashes():
    assert hash_of({"a": True}) != hash_of({"a": 1})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def backwards(value):
    """Return the same value with mappings reversed, lists as tuples and integers as floats."""
    if isinstance(value, dict):
        return OrderedDict((key, backwards(inner)) for key, inner in reversed(value.items()))
    if isinstance(value, list):
        return tuple(backwards(inner) for inner in value)
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_order_and_types_do_not_change_the_hash(config):
    assert digest({"config": config}) == digest({"config": backwards(config)})
    assert canonical(canonical(config)) == canonical(config)


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["{!r}", "{:.17g}", "{:.17e}"]))
def test_the_format_of_a_number_does_not_change_the_hash(number, form):
    assert hash_of({"lr": float(form.format(number))}) == hash_of({"lr": number})
    assert sweep_name([f"lr={form.format(number)}"]) == sweep_name([f"lr={number!r}"])


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_cell_names_are_portable(overrides):
    name = cell_name(overrides, "0123456789abcdef")
    assert re.fullmatch(r"[A-Za-z0-9_=,+][A-Za-z0-9._=,+-]*-01234567", name)
    assert len(name) <= 120


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=4))
def test_sweep_names_are_portable(pairs):
    name = sweep_name([f"{key}={value}" for key, value in pairs])
    assert re.fullmatch(r"[A-Za-z0-9_=,+][A-Za-z0-9._=,+-]*", name)
    assert len(name) <= 80


def test_cell_names_contain_the_overrides():
    assert cell_name({"optimizer": "adam", "lr": 1e-4}, "f" * 64) == "optimizer=adam,lr=0.0001-ffffffff"
    assert cell_name({"optimizer.betas": [0.5, 0.9]}, "f" * 64) == "optimizer.betas=-0.5,0.9--ffffffff"
    assert cell_name({}, "f" * 64) == "defaults-ffffffff"


def test_equivalent_commands_have_the_same_sweep_name():
    base = ["optimizer=adam,sgd", "lr=1e-4,1e-3"]
    same = [
        base[::-1],
        ["optimizer=adam,sgd", "lr=0.0001,1e-03"],
        [*base, "plan=true"],
        [*base, "device=cpu", "threads=1", "fresh=true", "retry_failed=false", "allow=[mine]"],
        [*base, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "+hydra.verbose=true"],
        ["lr=7", *base],
    ]
    assert {sweep_name(line) for line in same} == {sweep_name(base)} == {"lr=0.0001,0.001,optimizer=adam,sgd"}


def test_different_commands_have_different_sweep_names():
    lines = [
        [],
        ["lr=1e-4"],
        ["lr=1e-4,1e-3"],
        ["optimizer=adam"],
        ["threads=2"],
        ["optimizer.betas=[0.5,0.9]"],
        ["optimizer.betas=(0.5,0.9)"],
        ["data.root=a b"],
        ["data.root=a-b"],
        ["data.root=é"],
        ["data.root=è"],
        *(["+note=" + "x" * n] for n in range(100, 103)),
    ]
    for one, other in itertools.combinations(lines, 2):
        assert sweep_name(one) != sweep_name(other)
