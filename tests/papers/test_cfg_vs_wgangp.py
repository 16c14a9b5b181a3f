"""CFG beside WGAN-GP, from records. Mistakes: readings of the wrong stages, a fall that always was, tiles askew."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from gansweep.metrics.classifier_features import load_shipped
from gansweep.papers import sections
from gansweep.papers.breakdown import readings
from gansweep.papers.tiles import by_class, tiles
from gansweep.papers.trained import Trained
from gansweep.sweep.identity import digest
from gansweep.training import samples

# The poster's log: (stage, D's loss); its score fell one reading after the loss.
LOG = [(1350, 1.3594, 0.0014), (1375, 1.3683, 0.0013), (1400, 0.8172, 0.0029), (1425, 0.8142, 0.1029)]


def record(name, seed, values, curves=(), steps=100):
    evaluations = [{"step": step, "value": value, "value_2": 8.0 + seed} for step, value in values]
    last, first = evaluations[-1], evaluations[0]
    best = min(evaluations[1:], key=lambda one: one["value"])
    who = {"data": f"{name} {seed}"}
    return {
        "format": 1,
        "state": "completed",
        "cell": {"name": name, "hash": digest(who), "overrides": {"experiment": f"cfg_vs_wgangp/{name}"}},
        "config": {"seed": seed, "lr": 1e-4, "steps": steps},
        "identity": who,
        "time": {"wall_s": 7200.0},
        "metric": {
            "name": "fd_mnist",
            "lower_is_better": True,
            "evaluations": evaluations,
            "untrained": first["value"],
            "final": last["value"],
            "best": best["value"],
        },
        "metric_2": {"name": "is_mnist", **dict.fromkeys(("untrained", "final", "best"), 8.0 + seed)},
        "curves": list(curves),
    }


def told(of):
    return [{"step": step, "discriminator_loss": d, "approximator_loss": fit} for step, d, fit in of]


@pytest.fixture
def sweep(tmp_path):
    values = [(0, 900.0), (1375, 20.0), (1400, 19.0), (1425, 80.0)]
    cells = {
        "a": record("mnist_cfg", 0, values, told(LOG), 1425),
        "b": record("mnist_cfg", 1, [(0, 900.0), (1425, 10.0)], told(LOG[:2]), 1425),
        "c": record("mnist_wgan_gp", 0, [(0, 900.0), (50, 60.0), (100, 30.0)]),
        "d": record("mnist_wgan_gp", 1, [(0, 900.0), (100, 40.0)]),
        "e": record("small_mnist_cfg", 0, [(0, 900.0), (100, 300.0)]),
    }
    for name, content in cells.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "record.json").write_text(json.dumps(content))
    return tmp_path


def test_the_posters_log_shows_the_loss_falling_one_reading_before_the_score(sweep):
    found = readings(Trained(sweep / "a", json.loads((sweep / "a" / "record.json").read_text())))
    assert [one.step for one in found] == [1375, 1400, 1425]
    assert [one.d_loss for one in found] == pytest.approx([(1.3594 + 1.3683) / 2, 0.8172, 0.8142])
    assert [one.fit_loss for one in found] == pytest.approx([0.00135, 0.0029, 0.1029])
    assert [one.loss_fell for one in found] == [False, True, True]
    assert [one.score_fell for one in found] == [
        False,
        False,
        True,
    ]


def test_a_loss_that_was_always_low_has_not_fallen(tmp_path):
    curves = told([(n, 0.5, 1.0) for n in range(1, 5)])
    always = record("mnist_cfg", 0, [(0, 9.0), *((n, 9.0 - n) for n in range(1, 5))], curves)
    assert not any(one.loss_fell or one.score_fell for one in readings(Trained(tmp_path, always)))


def test_sections_tell_data_scale_and_seed_by_seed_who_is_better(sweep):
    found = {section.title: section for section in sections(sweep)}
    assert list(found) == ["CFG against WGAN-GP on mnist: scale full", "CFG against WGAN-GP on mnist: scale small"]
    full = found["CFG against WGAN-GP on mnist: scale full"]
    assert "| CFG | 45.00 ± 49.50 | 14.50 ± 6.36 | 8.50 ± 0.71 | 1425 | 2.00 | 0 of 2 |" in full.text
    assert "| WGAN-GP | 35.00 ± 7.07 |" in full.text
    assert "Here CFG is better for 1 of 2 seeds." in full.text
    assert "seed 0: the metric collapsed at step 1425; the discriminator loss fell 1 reading earlier" in full.text
    assert "no seed for which both" in found["CFG against WGAN-GP on mnist: scale small"].text


def test_curves_have_a_panel_for_each_metric_with_a_line_for_each_seed(sweep):
    pytest.importorskip("matplotlib")
    full = next(section for section in sections(sweep) if "full" in section.title)
    first, second = full.pictures["fd_mnist and is_mnist over the run"]().axes
    assert (first.get_ylabel(), second.get_ylabel()) == ("fd_mnist", "is_mnist")
    assert [list(line.get_ydata()) for line in first.lines][0] == [900.0, 20.0, 19.0, 80.0]
    assert [set(line.get_ydata()) for line in second.lines] == [{8.0}, {9.0}, {8.0}, {9.0}]


def test_pictures_are_drawn_with_and_without_samples(sweep):
    pytest.importorskip("matplotlib")
    images = torch.rand(64, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    samples.save(sweep / "a" / "samples" / "step_0001425.png", samples.grid(images))
    for section in sections(sweep):
        for draw in section.pictures.values():
            draw().savefig(sweep / "drawn.png")


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 64, 64), (1, 8, 8)])
def test_tiles_are_the_images_that_the_picture_was_made_of(shape, tmp_path):
    images = torch.rand(64, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    samples.save(tmp_path / "samples" / "step_0000005.png", samples.grid(images))
    samples.save(tmp_path / "samples" / "step_0000001.png", samples.grid(-images))
    found = tiles(tmp_path)
    wanted = ((images + 1) / 2).expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy()
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= 0.5 / 255 + 1e-6
    assert tiles(tmp_path / "elsewhere") is None


def test_every_row_is_of_one_digit_with_the_surest_first():
    images = np.random.default_rng(0).random((64, 28, 28, 1), dtype=np.float32).repeat(3, 3) ** 8
    shown = by_class(images)
    assert len(shown) == 10
    for digit, row in enumerate(shown):
        if not (row[0] == 1).all():
            grey = torch.from_numpy(np.stack(row)[..., :1]).permute(0, 3, 1, 2) * 2 - 1
            chances = load_shipped("mnist")(grey).softmax(1)
            assert (chances.argmax(1) == digit).all()
            assert (chances[:, digit].diff() <= 1e-6).all()
