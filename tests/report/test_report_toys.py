"""Phase portraits, points and training times in a report. Mistakes: a sign, another method's field, a wrong unit."""

from __future__ import annotations

import html
import math
import re

import numpy as np
import pytest
from tests.report.test_report_html import swept
from tests.sweep.fake_cells import cell, record
from tests.training.small import make_run
from tests.typed import typed

from gansweep.dirac.fields.consensus import Consensus
from gansweep.dirac.fields.gan import GAN
from gansweep.dirac.fields.wgan_gp import WGANGP
from gansweep.report import curves, formats, markdown, portraits, samples
from gansweep.report.formats import TableOptions, judge, sections
from gansweep.report.portraits import extent, portraits_picture, shown_runs
from gansweep.report.samples import points_picture
from gansweep.report.study import Study
from gansweep.report.verdict import Verdict
from gansweep.results.leaderboard import leaderboards
from gansweep.sweep.cell import Result, State
from gansweep.training.trainer import train

pytest.importorskip("matplotlib")

PORTRAITS, POINTS = portraits.CAPTION, samples.CAPTION
FIELDS = {"dirac/gan": GAN(), "dirac/consensus": Consensus(gamma=1.0), "dirac/wgan_gp": WGANGP(gamma=0.7, target=1.0)}
QUICK = ("device=cpu", "trainer.tensorboard=false", "workers=1")
DIRAC = ("-m", f"experiment={','.join(FIELDS)}", "name=dirac", "steps=6", "trainer.eval_every=3", *QUICK)
PLANE = (
    *("-m", "experiment=mescheder_2d", "name=plane", "data=ring", "lr=1e-3", "loss=standard,r1", "steps=3"),
    *("batch_size=8", "metric.num_samples=16", "trainer.eval_every=1", "metric@metric_2=mode_coverage", *QUICK),
)
POINT = ("-m", "experiment=forsyth_quadratic", "name=point", "optimizer=sgd,adam", "lr=1", "steps=3", *QUICK)


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    """Train sweeps of three Dirac-GANs, of two losses on 2D data, and of a single 2D point."""
    return typed(tmp_path_factory.mktemp("toys"), DIRAC, PLANE, POINT)


def verdict_on(directory):
    (verdict,) = judge(Study.read(directory), TableOptions())
    return verdict


def test_a_path_contains_the_start_and_every_step(toys):
    shown = shown_runs(verdict_on(toys / "dirac"))
    assert [one.settings["experiment"] for one, _ in shown] == list(FIELDS)
    for _, game in shown:
        assert game.positions.shape == (7, 2)
        assert game.positions[0].tolist() == [1, -1]
        assert game.spacing == 1
    (_, gan), *_ = shown
    step = 0.2 / (1 + math.e)  # f'(psi theta) of (1, -1) with our sign
    np.testing.assert_allclose(gan.positions[1], [1 - step, -1 - step], rtol=1e-5)


def test_arrows_are_the_fields_of_the_formulas_with_opposite_psi(toys):
    theta, psi = np.meshgrid([-1.5, -0.4, 0.7], [-1.3, 0.2, 0.9])
    for configuration, game in shown_runs(verdict_on(toys / "dirac")):
        found = game.field(theta, psi)
        v_theta, v_psi = FIELDS[configuration.settings["experiment"]](theta, -psi)
        np.testing.assert_allclose(found, (v_theta, -v_psi), rtol=1e-4, atol=1e-6)


def test_portraits_have_a_panel_for_every_configuration(toys):
    verdict = verdict_on(toys / "dirac")
    assert list(portraits.section(verdict).pictures) == [PORTRAITS]
    figure = portraits_picture(verdict)
    assert [axis.get_title().split("\n")[0] for axis in figure.axes] == list(FIELDS)
    assert len({(axis.get_xlim(), axis.get_ylim()) for axis in figure.axes}) == 1


def test_a_path_ends_before_its_first_missing_value(toys):
    (_, game), *_ = shown_runs(verdict_on(toys / "dirac"))
    content = dict(game.result.record)
    content["curves"] = [*content["curves"][:2], {"step": 3, "theta": None, "psi": 1.0}, *content["curves"][3:]]
    assert len(type(game)(Result(game.result.cell, State.DIVERGED, content)).positions) == 3
    near, far = np.array([[1.0, -1.0], [0.5, 1.5]]), np.array([[1.0, 1.0], [-1e9, 0.0]])
    assert extent([near]) == pytest.approx(1.65)
    assert extent([near, far]) == pytest.approx(2.75)
    assert extent([]) > 0


def test_other_runs_record_no_path(tmp_path):
    assert "curves" not in train(make_run(), tmp_path)


def test_points_of_both_kinds_are_drawn(toys):
    verdict = verdict_on(toys / "plane")
    assert list(samples.section(verdict).pictures) == [POINTS]
    assert samples.section(verdict_on(toys / "dirac")) is None
    assert portraits.section(verdict) is None
    figure = points_picture(verdict)
    assert len(figure.axes) == 2
    for axis in figure.axes:
        sizes = [len(drawn.get_offsets()) for drawn in axis.collections if len(drawn.get_offsets()) > 1]
        assert sizes == [2048, 2048]


def test_markdown_omits_sections_that_only_describe_figures(toys):
    for sweep, titles in (("plane", {"Values", "Points"}), ("dirac", {"Values", "Phase portraits"})):
        study = Study.read(toys / sweep)
        assert titles <= {section.title for section in sections(study, [verdict_on(toys / sweep)])}
        text = formats.in_markdown(study, TableOptions(), toys / sweep)
        assert titles.isdisjoint(re.findall("^## (.*)$", text, re.M))
        assert "## Verdict" in text


def test_a_single_point_is_not_drawn(toys):
    verdict = verdict_on(toys / "point")
    assert samples.in_plane(verdict)
    assert samples.section(verdict) is None
    assert "samples.png" not in {
        path.name for path in formats.write_pictures(Study.read(toys / "point"), TableOptions(), toys / "of_point")
    }


def test_sample_images_replace_points_of_unavailable_classes(toys):
    verdict = verdict_on(toys / "plane")
    for result in verdict.leaderboard.results:
        result.cell.config["data"] = {"_target_": "somebody.elses.Points"}
    assert all(axis.images and not axis.lines for axis in points_picture(verdict).axes)


@pytest.mark.parametrize(("name", "caption", "metric"), [("dirac", PORTRAITS, "W1"), ("plane", POINTS, "modes")])
def test_the_page_labels_the_figures(toys, name, caption, metric):
    text = html.unescape(formats.in_html(Study.read(toys / name), TableOptions(), toys / name))
    for words in (caption, f"{metric} over the training time"):
        assert f'alt="Figure: {words}' in text
        assert f"<figcaption>{words}" in text
    assert "Samples, the best first" not in text  # drawn as points in the section above


def test_points_are_not_also_written_as_samples(toys, tmp_path):
    names = {path.name for path in formats.write_pictures(Study.read(toys / "plane"), TableOptions(), tmp_path)}
    assert {"points.png", "points.svg", "modes_over_steps.png"} <= names
    assert "samples.png" not in names
    names = {
        path.name for path in formats.write_pictures(Study.read(toys / "dirac"), TableOptions(), tmp_path / "dirac")
    }
    assert "phase_portraits.png" in names
    assert "samples.png" not in names


def timed(root, ends):
    """Return the verdict on optimizers whose two seeds took these numbers of seconds."""
    results = []
    for optimizer, seconds in ends.items():
        for seed, end in enumerate(seconds):
            one = cell(root, optimizer=optimizer, seed=seed)
            at = [{"step": step, "trained_s": end * step / 100} for step in (0, 80, 100)]
            content = record(one, time={"steps_per_s": 5.0, "wall_s": 1e6, "eval_s": 0.0, "evaluations": at})
            results.append(Result(one, State.COMPLETED, content))
    (leaderboard,) = leaderboards(results)
    return Verdict(leaderboard)


def test_time_is_the_mean_over_seeds_in_a_suitable_unit(tmp_path):
    verdict = timed(tmp_path, {"adam": (600.0, 1200.0), "sgd": (1800.0, 1800.0)})
    (axis,) = curves.curves_picture(verdict, over_time=True).axes
    assert [line.get_xdata().tolist() for line in axis.lines[:2]] == [[0, 12, 15], [0, 24, 30]]
    assert axis.get_xlabel() == "training time (min)"
    assert axis.get_xscale() == "linear"


def test_different_training_times_share_a_logarithmic_axis(tmp_path):
    verdict = timed(tmp_path, {"adam": (2.0, 2.0), "sgd": (40.0, 40.0)})
    (axis,) = curves.curves_picture(verdict, over_time=True).axes
    assert axis.get_xlabel() == "training time (s)"
    assert axis.get_xscale() == "log"
    low, high = axis.get_xlim()
    assert low < 1.6
    assert high > 40
    assert axis.xaxis.get_transform().transform(np.zeros(1)) == -np.inf  # time 0 is masked, not at the left edge


def test_records_without_times_use_the_mean_speed_and_state_it(tmp_path):
    study = swept(tmp_path)
    (verdict,) = judge(study, TableOptions())
    (adam, *_), steps = verdict.leaderboard.configurations, np.array([0, 80, 100])
    assert curves.times(adam, steps).tolist() == [0, 16, 20]
    (values,) = [part for part in sections(study, [verdict]) if part.title == "Values"]
    assert "their steps are assumed to take equal time" in markdown.write(values.blocks)
