"""Record, curves, pictures and event files of a run."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from tests.training.small import MeanDistance, Shapes, make_run, member, small_mlp, written

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.batched.pack import PackSettings
from gansweep.sweep.record_schema import check_shape
from gansweep.training import record, samples
from gansweep.training.trainer import train


def test_all_fields_and_files_are_written(tmp_path):
    train(make_run(), tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert {"record.json", "checkpoint.pt", "samples"} <= names
    assert sum(name.startswith("events.out.tfevents") for name in names) == 3, "its row of HPARAMS, its curves, its end"
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == [
        "step_0000000.png",
        "step_0000006.png",
        "step_0000012.png",
    ]


def test_the_curves_are_complete(tmp_path):
    from tests.training.test_resume import scalars

    train(make_run(), tmp_path)
    curves = scalars(tmp_path)
    assert {
        "loss/discriminator",
        "loss/generator",
        "penalty/r1",
        "rate/discriminator",
        "rate/generator",
        "gradient norm/discriminator",
        "gradient norm/generator",
        "logits/real",
        "logits/fake",
        "Metric/mean_distance",
        "result/final mean_distance",
        "result/best mean_distance",
        "result/untrained mean_distance",
        "samples/generated, real (right)",
    } == set(curves)
    assert [step for step, _ in curves["loss/generator"]] == [2, 4, 6, 8, 10, 12]
    assert [step for step, _ in curves["Metric/mean_distance"]] == [0, 4, 8, 12]
    assert curves["rate/generator"][0][1] == pytest.approx(1e-3)


def test_the_holdout_value_of_the_best_uses_other_latents(tmp_path):
    metric = train(make_run(), tmp_path)["metric"]
    trained = metric["evaluations"][1:]
    so_far, new = float("inf"), []
    for one in trained:
        new.append(one["value"] < so_far)
        so_far = min(so_far, one["value"])
    assert ["apart" in one for one in trained] == new
    assert "apart" not in metric["evaluations"][0]
    best = min(trained, key=lambda one: one["value"])
    assert metric["best_apart"] == best["apart"] != best["value"]


def test_degenerate_samples_are_recorded_and_warned_about_once(tmp_path, monkeypatch, caplog):
    run = make_run()
    real = run.data.samples[:16]
    monkeypatch.setattr(
        "gansweep.training.evaluator.degenerate", lambda x: None if torch.equal(x, real) else "all alike"
    )
    evaluations = train(run, tmp_path / "a")["metric"]["evaluations"]
    assert [one["degenerate"] for one in evaluations] == ["all alike"] * 4, "the record contains it from step 0"
    assert [line for line in caplog.messages if "all alike" in line] == ["step 4: all alike"]
    caplog.clear()
    monkeypatch.setattr("gansweep.training.evaluator.degenerate", lambda x: "all alike")  # as of a point
    train(run, tmp_path / "b")
    assert "all alike" not in caplog.text


def test_eval_at_adds_evaluations(tmp_path):
    run = make_run()
    found = train(replace(run, trainer=replace(run.trainer, eval_at=[5, 7])), tmp_path)
    assert [one["step"] for one in found["metric"]["evaluations"]] == [0, 4, 5, 7, 8, 12]
    assert (tmp_path / "samples" / "step_0000005.png").exists()
    with pytest.raises(ValueError, match=r"eval_at=\[0\]: expected steps, 1 or above"):
        replace(run.trainer, eval_at=[0])


def test_a_second_metric_is_recorded(tmp_path):
    small = MeanDistance(name="of_four", num_samples=4)
    found = train(replace(make_run(), metric_2=small), tmp_path / "two")
    values = [one["value_2"] for one in found["metric"]["evaluations"]]
    assert found["metric_2"]["final"] == values[-1]
    assert found["metric_2"]["best"] == min(values[1:])
    assert found["metric_2"]["name"] == "of_four"
    alone = train(make_run(), tmp_path / "one")
    assert [one["value"] for one in alone["metric"]["evaluations"]] == [
        one["value"] for one in found["metric"]["evaluations"]
    ]


def test_measurements_of_the_algorithm_are_recorded(tmp_path, monkeypatch):
    monkeypatch.setattr(AdversarialPack, "measurements", lambda pack, k: {"steps": float(pack.done[pack.place[k]])})
    found = train(make_run(), tmp_path)
    assert [one["measured"] for one in found["metric"]["evaluations"]] == [{"steps": n} for n in (0, 4, 8, 12)]


def test_one_hparams_row_with_results(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import metadata

    train(make_run(), tmp_path)
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    found = events.summary_metadata
    assert metadata.SESSION_START_INFO_TAG in found
    assert metadata.SESSION_END_INFO_TAG in found


def test_a_run_continues_without_tensorboard_files(tmp_path, monkeypatch, caplog):
    def refuse(*args, **kwargs):
        raise OSError(13, "Permission denied")

    monkeypatch.setattr("gansweep.training.tensorboard.EventFile", refuse)
    assert train(make_run(), tmp_path)["state"] == "completed"
    assert "the run continues without them" in caplog.text


def test_two_equal_runs_differ_only_in_times(tmp_path):
    one, other = (train(make_run(), tmp_path / name) for name in ("a", "b"))
    assert {k for k in one if one[k] != other[k]} <= {"time"}
    assert written(tmp_path / "a") == one


def test_non_finite_numbers_become_null(tmp_path):
    settings = {"config": {"eps": float("inf")}, "metric": {"fingerprint": {"scale": float("nan")}}}
    record.write(tmp_path, settings | {"time": {"wall_s": float("nan")}, "odd": {1: np.float32(0.5)}})
    content = written(tmp_path)
    assert content == {
        "config": {"eps": "inf"},
        "metric": {"fingerprint": {"scale": "nan"}},
        "time": {"wall_s": None},
        "odd": {"1": 0.5},
    }


@dataclass(frozen=True)
class Odd(MeanDistance):
    """Metric that is not finite after step 0."""

    value: float = math.nan

    def __call__(self, data, fake):
        odd.append(1)
        return 1.0 if len(odd) == 1 else self.value


odd: list[int] = []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("second", [False, True])
def test_a_non_finite_metric_is_null_with_a_reason(tmp_path, value, second):
    odd.clear()
    metrics = {"metric": MeanDistance(), "metric_2": Odd(value=value)} if second else {"metric": Odd(value=value)}
    header = record.Header({"hash": "0", "overrides": {}})
    made = train(replace(make_run(checkpoint_minutes=1e9), **metrics), tmp_path, header=header)
    content = written(tmp_path)
    assert content == made
    assert content["state"] == "completed"
    evaluations = content["metric"]["evaluations"]
    key, reason = ("value_2", "reason_2") if second else ("value", "reason")
    assert [one[key] for one in evaluations] == [1.0, *[None] * (len(evaluations) - 1)]
    assert all("mean_distance is" in one[reason] for one in evaluations[1:])
    assert content["metric_2" if second else "metric"]["final"] is None
    check_shape(content)


def test_non_finite_settings_are_written_as_text(tmp_path):
    header = record.Header({}, {"optimizer": {"eps": math.inf}}, {"config": {"eps": "inf"}})
    assert train(make_run(), tmp_path, header=header)["config"] == {"optimizer": {"eps": "inf"}}
    assert written(tmp_path)["config"] == {"optimizer": {"eps": "inf"}}


def test_a_sample_grid_shows_the_samples():
    images = torch.full((64, 1, 8, 8), -1.0)
    images[0, :, :, :] = 1.0
    picture = samples.grid(images)
    assert picture.shape[0] == 3
    assert picture[:, 4, 4].tolist() == [1, 1, 1]
    assert picture[:, 4, 40].tolist() == [0, 0, 0]


def test_real_samples_are_on_the_right_of_generated_ones():
    fake, real = torch.full((16, 1, 64, 64), -1.0), torch.zeros(16, 1, 64, 64)
    picture = samples.grid(fake)
    both = samples.beside_real(picture, fake, real)
    height, width = picture.shape[-2:]
    assert both.shape == (3, height, width + 16 + 2 * 66 + 2)
    assert torch.equal(both[..., :width], picture)
    assert (both[..., width : width + 16] == 1).all()
    assert both[0, 2 + 32, width + 16 + 2 + 32] == 0.5
    points = torch.randn(50, 2)
    shown = samples.grid(points)
    assert torch.equal(samples.beside_real(shown, points, points)[..., -shown.shape[-1] :], shown)
    assert samples.beside_real(picture, fake, real[:15]) is picture


def test_points_are_drawn_with_y_upwards():
    picture = samples.grid(torch.tensor([[0.0, 2.9]]).repeat(50, 1))
    dark = (picture[0] < 0.5).nonzero()
    assert dark[:, 0].max() < 20
    assert abs(dark[:, 1].float().mean() - picture.shape[2] / 2) < 4


@pytest.mark.slow
def test_compiled_training_follows_eager(tmp_path):
    def final(compiled):
        pack = AdversarialPack(
            [member(1, steps=5)],
            small_mlp(),
            Shapes().samples,
            PackSettings(batch_size=10),
            critic_steps=2,
            compiled=compiled,
        )
        for _ in pack.steps():
            pass
        return pack.d.theta

    torch.testing.assert_close(final(True), final(False), rtol=1e-4, atol=1e-6)
