"""CFG against WGAN-GP. Mistakes: readings of other stages, a loss that was always low, images cut at other pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.papers.fake_records import record, run, run_of, text_of, write

from gansweep.metrics.classifier_features import load_shipped
from gansweep.papers import sections
from gansweep.papers.cfg import readings
from gansweep.papers.figures import by_class, last_images
from gansweep.training import samples

# The poster's log: (stage, D's loss); its score fell one reading after the loss.
LOG = [(1350, 1.3594, 0.0014), (1375, 1.3683, 0.0013), (1400, 0.8172, 0.0029), (1425, 0.8142, 0.1029)]


def cell(name, seed, values, log=(), steps=100):
    """A record with a second metric of 8 + seed and the losses of a log."""
    content = record(f"cfg_vs_wgangp/{name}", values, metric="fd_mnist", seed=seed, steps=steps)
    for evaluation in content["metric"]["evaluations"]:
        evaluation["value_2"] = 8.0 + seed
    content["metric_2"] = {"name": "is_mnist", **dict.fromkeys(("untrained", "final", "best"), 8.0 + seed)}
    content["curves"] = curves(log)
    return content


def curves(log):
    return [{"step": step, "discriminator_loss": d, "approximator_loss": fit} for step, d, fit in log]


@pytest.fixture
def sweep(tmp_path):
    collapsed = {0: 900.0, 1375: 20.0, 1400: 19.0, 1425: 80.0}
    return write(
        tmp_path,
        {
            "a": cell("mnist_cfg", 0, collapsed, LOG, 1425),
            "b": cell("mnist_cfg", 1, {0: 900.0, 1425: 10.0}, LOG[:2], 1425),
            "c": cell("mnist_wgan_gp", 0, {0: 900.0, 50: 60.0, 100: 30.0}),
            "d": cell("mnist_wgan_gp", 1, {0: 900.0, 100: 40.0}),
            "e": cell("small_mnist_cfg", 0, {0: 900.0, 100: 300.0}),
        },
    )


def test_in_the_posters_log_the_loss_falls_one_reading_before_the_score():
    content = cell("mnist_cfg", 0, {0: 900.0, 1375: 20.0, 1400: 19.0, 1425: 80.0}, LOG, 1425)
    found = readings(run_of(content))
    assert [reading.step for reading in found] == [1375, 1400, 1425]
    assert [reading.d_loss for reading in found] == pytest.approx([(1.3594 + 1.3683) / 2, 0.8172, 0.8142])
    assert [reading.fit_loss for reading in found] == pytest.approx([0.00135, 0.0029, 0.1029])
    assert [reading.loss_fell for reading in found] == [False, True, True]
    assert [reading.collapsed for reading in found] == [False, False, True]


def test_a_loss_that_was_always_low_has_not_fallen():
    always = run("cfg_vs_wgangp/mnist_cfg", {n: 9.0 - n for n in range(5)})
    always.record["curves"] = curves([(n, 0.5, 1.0) for n in range(1, 5)])
    found = readings(always)
    assert len(found) == 4
    assert not any(reading.loss_fell or reading.collapsed for reading in found)


def test_sections_by_data_and_scale_count_the_better_seeds(sweep):
    found = {section.title: section for section in sections(sweep)}
    assert list(found) == ["CFG against WGAN-GP on mnist: scale full", "CFG against WGAN-GP on mnist: scale small"]
    full = found["CFG against WGAN-GP on mnist: scale full"]
    assert "| CFG | 45.00 ± 49.50 | 14.50 ± 6.36 | 8.50 ± 0.71 | 1425 | 2.00 | 0 of 2 |" in text_of(full)
    assert "| WGAN-GP | 35.00 ± 7.07 |" in text_of(full)
    assert "Here CFG is better for 1 of 2 seeds." in text_of(full)
    assert "seed 0: the metric collapsed at step 1425; the discriminator loss fell 1 reading earlier" in text_of(full)
    assert "no seed for which both" in text_of(found["CFG against WGAN-GP on mnist: scale small"])


def test_curves_have_a_panel_per_metric_and_a_line_per_seed(sweep):
    pytest.importorskip("matplotlib")
    full = next(section for section in sections(sweep) if "full" in section.title)
    first, second = full.pictures["fd_mnist and is_mnist over the run"]().axes
    assert (first.get_ylabel(), second.get_ylabel()) == ("fd_mnist", "is_mnist")
    assert list(first.lines[0].get_ydata()) == [900.0, 20.0, 19.0, 80.0]
    assert [set(line.get_ydata()) for line in second.lines] == [{8.0}, {9.0}, {8.0}, {9.0}]


def test_pictures_are_drawn_with_and_without_samples(sweep):
    pytest.importorskip("matplotlib")
    images = torch.rand(64, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    samples.save(sweep / "a" / "samples" / "step_0001425.png", samples.grid(images))
    for section in sections(sweep):
        for draw in section.pictures.values():
            draw().savefig(sweep / "drawn.png")


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 64, 64), (1, 8, 8)])
def test_last_images_are_those_of_the_last_sample_grid(shape, tmp_path):
    images = torch.rand(64, *shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    samples.save(tmp_path / "samples" / "step_0000005.png", samples.grid(images))
    samples.save(tmp_path / "samples" / "step_0000001.png", samples.grid(-images))
    content = cell("mnist_cfg", 0, {0: 9.0, 5: 1.0})
    found = last_images(run_of(content, tmp_path))
    expected = ((images + 1) / 2).expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy()
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 0.5 / 255 + 1e-6
    assert last_images(run_of(content, tmp_path / "elsewhere")) is None


def test_rows_are_of_one_digit_with_the_most_confident_first():
    images = np.random.default_rng(0).random((64, 28, 28, 1), dtype=np.float32).repeat(3, 3) ** 8
    shown = by_class(images)
    assert len(shown) == 10
    for digit, row in enumerate(shown):
        if not (row[0] == 1).all():
            grey = torch.from_numpy(np.stack(row)[..., :1]).permute(0, 3, 1, 2) * 2 - 1
            probabilities = load_shipped("mnist")(grey).softmax(1)
            assert (probabilities.argmax(1) == digit).all()
            assert (probabilities[:, digit].diff() <= 1e-6).all()
