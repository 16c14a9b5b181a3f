"""Diagnostics do not change a training, and the numbers of a member do not depend on the other members."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from tests.batched.test_divergence import one_player_too_fast
from tests.batched.test_independence import CAST
from tests.training.small import Shapes, make_run, member, small_mlp

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.pack import PackSettings
from gansweep.layers.network import Network
from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.models.dcgan import DCGAN
from gansweep.penalties.r1 import R1
from gansweep.penalties.wgan_gp import WGANGP
from gansweep.sweep.identity import training_config
from gansweep.training.diagnosis import ITERATIONS, diagnose
from gansweep.training.run import TrainerSettings
from gansweep.training.trainer import Interrupted, train

NOISY = Objective(Standard(), {"gp": WGANGP(weight=1.0), "r1": R1(weight=1.0)}, flip=0.2, instance_noise=0.1)


def assert_equal(one, other, at=""):
    """Compare the contents of two checkpoints bit for bit."""
    assert type(one) is type(other), at
    if isinstance(one, dict):
        assert one.keys() == other.keys(), at
        for key in one:
            assert_equal(one[key], other[key], f"{at}.{key}")
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other), at
        for n, pair in enumerate(zip(one, other, strict=True)):
            assert_equal(*pair, f"{at}.{n}")
    else:
        assert torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other, at


def checkpoint(directory):
    return torch.load(directory / "checkpoint.pt", weights_only=True)


def tags(directory):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(directory))
    events.Reload()
    return {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_the_training_is_bit_identical_with_and_without_diagnostics(tmp_path):
    one = member(3, objective=NOISY, ema=0.9)
    off = train(make_run(7, one), tmp_path / "off")
    on = train(make_run(7, one, diagnose_every=3), tmp_path / "on")
    assert_equal(checkpoint(tmp_path / "off")["member"], checkpoint(tmp_path / "on")["member"])
    assert on["metric"] == off["metric"]
    assert "diagnostics" not in off
    assert [values["step"] for values in on["diagnostics"]] == [3, 6, 7]
    assert json.loads((tmp_path / "on/record.json").read_text())["diagnostics"] == on["diagnostics"]
    before, now = tags(tmp_path / "off"), tags(tmp_path / "on")
    assert {tag: now[tag] for tag in before} == before
    assert now["diagnosis/rotation"] == [
        (values["step"], pytest.approx(values["rotation"], rel=1e-5)) for values in on["diagnostics"]
    ]
    assert [step for step, _ in now["diagnosis/turn"]] == [6, 7]  # undefined at the first evaluation


def test_running_statistics_and_random_states_do_not_change():
    model = DCGAN(latent_dim=6, base_width=4, batch_norm_discriminator=True)
    samples = torch.rand(30, 1, 28, 28, generator=torch.Generator().manual_seed(1)) * 2 - 1
    pack = AdversarialPack([member(1)], model, samples, PackSettings(batch_size=6), critic_steps=1)
    pack.objectives.set([0], [8])
    before, state = pack.export(0), torch.get_rng_state()
    assert diagnose(pack).read({}).of(0)["field"] > 0
    assert_equal(pack.export(0), before)
    assert torch.equal(torch.get_rng_state(), state)


def trained(members, steps=3):
    pack = AdversarialPack(
        [replace(one, steps=steps) for one in members],
        small_mlp(),
        Shapes().samples,
        PackSettings(batch_size=10),
        critic_steps=2,
    )
    for _ in pack.steps():
        pass
    return pack, diagnose(pack)


def test_diagnostics_of_a_member_do_not_depend_on_the_batch():
    cast = [*CAST[:4], member(7, objective=NOISY)]
    pack, batched = trained(cast)
    for k, one in enumerate(cast):
        _, single = trained([one])
        row = pack.place[k]
        assert batched.read({}).of(row) == single.read({}).of(0)
        assert torch.equal(batched.hessenberg[row], single.hessenberg[0])
        for part, expected in zip(batched.field.parts, single.field.parts, strict=True):
            assert torch.equal(part[row], expected[0])


def test_a_nan_member_affects_its_own_diagnosis_only():
    cast = [member(1), member(2)]
    pack, before = trained(cast)
    pack.d.chunks[0][pack.place[1]] = float("nan")
    again = diagnose(pack)
    assert again.read({}).of(pack.place[0]) == before.read({}).of(pack.place[0])
    broken = again.read({}).of(pack.place[1])
    assert broken["field"] is None
    assert broken["rotation"] is None
    assert broken["eigenvalues"] == []
    json.dumps(broken, allow_nan=False)


def test_a_diverged_run_has_no_diagnosis_after_its_end(tmp_path):
    one = one_player_too_fast("discriminator")
    off = train(make_run(40, one, check_every=7), tmp_path / "off")
    on = train(make_run(40, one, check_every=7, diagnose_every=1), tmp_path / "on")
    assert on["divergence"] == off["divergence"] is not None
    assert on["metric"] == off["metric"]
    steps = [values["step"] for values in on["diagnostics"]]
    assert steps == list(range(1, on["divergence"]["step"]))


def test_every_diagnosis_uses_the_same_samples():
    """Otherwise `turn` would measure the change of the batch."""
    pack, diagnosis = trained([member(1)])
    first, second = pack.separate_inputs("diagnostics/"), pack.separate_inputs("diagnostics/")
    assert torch.equal(first.z, second.z)
    assert torch.equal(first.real, second.real)
    assert diagnosis.read({0: diagnosis.field}).of(0)["turn"] == pytest.approx(1.0)
    assert not torch.equal(first.z, pack.separate_inputs("other/").z)


def test_a_resumed_run_keeps_the_field_of_the_last_diagnosis(tmp_path):
    whole = train(make_run(7, diagnose_every=2), tmp_path / "whole")
    asked = iter([False] * 4 + [True])
    with pytest.raises(Interrupted):
        train(make_run(7, diagnose_every=2), tmp_path / "parts", stop=lambda: next(asked))
    parts = train(make_run(7, diagnose_every=2), tmp_path / "parts")
    assert parts["diagnostics"] == whole["diagnostics"]
    assert len(parts["diagnostics"]) == 4
    assert tags(tmp_path / "parts")["diagnosis/turn"] == tags(tmp_path / "whole")["diagnosis/turn"]


def test_cost_of_a_diagnosis_is_that_of_the_documentation(monkeypatch):
    """Counts forward passes of networks and gradient computations."""
    pack, _ = trained([member(1)])
    counts = {"forward": 0, "gradient": 0}

    def counted(name, function):
        def call(*arguments, **settings):
            counts[name] += 1
            return function(*arguments, **settings)

        return call

    monkeypatch.setattr(Network, "__call__", counted("forward", Network.__call__))
    monkeypatch.setattr(torch.autograd, "grad", counted("gradient", torch.autograd.grad))
    diagnose(pack)
    assert counts == {"forward": 3, "gradient": 6 + ITERATIONS}


def test_diagnostics_are_not_part_of_a_cells_identity():
    plain = {"seed": 0, "trainer": {"eval_every": 250}}
    for value in (None, 50):
        assert training_config({"seed": 0, "trainer": {"eval_every": 250, "diagnose_every": value}}) == training_config(
            plain
        )


def test_a_setting_out_of_range_is_refused():
    with pytest.raises(ValueError, match="diagnose_every=0: expected a whole number, at least 1, or null for none"):
        TrainerSettings(diagnose_every=0)
