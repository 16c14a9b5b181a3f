"""A training that is diagnosed is the same training, and its diagnoses are a member's own."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from tests.training.small import Shapes, make_run, member, small_mlp
from tests.training.test_divergence import one_player_too_fast
from tests.training.test_independence import CAST

from gansweep.algorithms.adversarial import AdversarialPack
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


def same(one, other, at=""):
    """Compare all that a checkpoint holds, bit for bit."""
    assert type(one) is type(other), at
    if isinstance(one, dict):
        assert one.keys() == other.keys(), at
        for key in one:
            same(one[key], other[key], f"{at}.{key}")
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other), at
        for n, pair in enumerate(zip(one, other, strict=True)):
            same(*pair, f"{at}.{n}")
    else:
        assert torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other, at


def left(directory):
    return torch.load(directory / "checkpoint.pt", weights_only=True)


def tags(directory):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(directory))
    board.Reload()
    return {tag: [(event.step, event.value) for event in board.Scalars(tag)] for tag in board.Tags()["scalars"]}


def test_on_and_off_are_the_same_to_the_last_bit(tmp_path):
    one = member(3, objective=NOISY, ema=0.9)
    off = train(make_run(7, one), tmp_path / "off")
    on = train(make_run(7, one, diagnose_every=3), tmp_path / "on")
    same(left(tmp_path / "off")["member"], left(tmp_path / "on")["member"])
    assert on["metric"] == off["metric"]
    assert "diagnostics" not in off
    assert [told["step"] for told in on["diagnostics"]] == [3, 6, 7]
    assert json.loads((tmp_path / "on/record.json").read_text())["diagnostics"] == on["diagnostics"]
    before, now = tags(tmp_path / "off"), tags(tmp_path / "on")
    assert {tag: now[tag] for tag in before} == before
    assert now["diagnosis/rotation"] == [
        (told["step"], pytest.approx(told["rotation"], rel=1e-5)) for told in on["diagnostics"]
    ]
    assert [step for step, _ in now["diagnosis/turn"]] == [6, 7]  # the first has none before it


def test_running_statistics_stay_where_they_are():
    model = DCGAN(latent_dim=6, base_width=4, batch_norm_discriminator=True)
    samples = torch.rand(30, 1, 28, 28, generator=torch.Generator().manual_seed(1)) * 2 - 1
    pack = AdversarialPack([member(1)], model, samples, batch_size=6, critic_steps=1)
    pack.objectives.set([0], [8])
    before, state = pack.export(0), torch.get_rng_state()
    assert diagnose(pack).of(0, None)["field"] > 0
    same(pack.export(0), before)
    assert torch.equal(torch.get_rng_state(), state)


def trained(members, steps=3):
    pack = AdversarialPack(
        [replace(one, steps=steps) for one in members], small_mlp(), Shapes().samples, batch_size=10, critic_steps=2
    )
    for _ in pack.steps():
        pass
    return pack, diagnose(pack)


def test_members_are_seen_alike_in_any_company():
    cast = [*CAST[:4], member(7, objective=NOISY)]
    pack, together = trained(cast)
    for k, one in enumerate(cast):
        _, alone = trained([one])
        row = pack.place[k]
        assert together.of(row, None) == alone.of(0, None)
        assert torch.equal(together.hessenberg[row], alone.hessenberg[0])
        for part, own in zip(together.field.parts, alone.field.parts, strict=True):
            assert torch.equal(part[row], own[0])


def test_a_member_that_is_nan_spoils_its_own_diagnosis_alone():
    cast = [member(1), member(2)]
    pack, together = trained(cast)
    pack.d.stretches[0][pack.place[1]] = float("nan")
    again = diagnose(pack)
    assert again.of(pack.place[0], None) == together.of(pack.place[0], None)
    spoilt = again.of(pack.place[1], None)
    assert spoilt["field"] is None
    assert spoilt["rotation"] is None
    assert spoilt["eigenvalues"] == []
    json.dumps(spoilt, allow_nan=False)


def test_a_run_that_diverges_is_not_diagnosed_after_its_end(tmp_path):
    one = one_player_too_fast("discriminator")
    off = train(make_run(40, one, check_every=7), tmp_path / "off")
    on = train(make_run(40, one, check_every=7, diagnose_every=1), tmp_path / "on")
    assert on["divergence"] == off["divergence"] is not None
    assert on["metric"] == off["metric"]
    steps = [told["step"] for told in on["diagnostics"]]
    assert steps == list(range(1, on["divergence"]["step"]))


def test_every_look_sees_the_same_samples():
    """Else the turn of the field would be that of the batch."""
    pack, found = trained([member(1)])
    given, again = pack.draw_apart("diagnostics/"), pack.draw_apart("diagnostics/")
    assert torch.equal(given.z, again.z)
    assert torch.equal(given.real, again.real)
    assert found.of(0, found.field)["turn"] == pytest.approx(1.0)
    assert not torch.equal(given.z, pack.draw_apart("else/").z)


def test_an_interrupted_run_goes_on_with_the_field_it_had(tmp_path):
    whole = train(make_run(7, diagnose_every=2), tmp_path / "whole")
    asked = iter([False] * 4 + [True])
    with pytest.raises(Interrupted):
        train(make_run(7, diagnose_every=2), tmp_path / "parts", stop=lambda: next(asked))
    parts = train(make_run(7, diagnose_every=2), tmp_path / "parts")
    assert parts["diagnostics"] == whole["diagnostics"]
    assert len(parts["diagnostics"]) == 4
    assert tags(tmp_path / "parts")["diagnosis/turn"] == tags(tmp_path / "whole")["diagnosis/turn"]


def test_a_diagnosis_costs_what_the_documentation_says(monkeypatch):
    """Counted: forward passes of networks, and calls for a gradient."""
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


def test_it_is_no_part_of_a_cells_identity():
    plain = {"seed": 0, "trainer": {"eval_every": 250}}
    for value in (None, 50):
        assert training_config({"seed": 0, "trainer": {"eval_every": 250, "diagnose_every": value}}) == training_config(
            plain
        )


def test_a_setting_out_of_range_is_named():
    with pytest.raises(ValueError, match="diagnose_every=0: expected a whole number, at least 1, or null for none"):
        TrainerSettings(diagnose_every=0)
