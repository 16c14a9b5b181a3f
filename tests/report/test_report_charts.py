"""Data of the interactive charts, and the page around it, without a browser.

Mistakes: a curve of another run, a number that is not that of the record, a text that ends the script, a page that
becomes too large.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
from tests.report.curve_records import HOSTILE, curve, measured
from tests.sweep.fake_cells import cell, diverged, write

from gansweep.report import charts, curves, formats, html
from gansweep.report.formats import TableOptions
from gansweep.report.samples import Sample
from gansweep.report.study import Study
from gansweep.section import Picture
from gansweep.sweep.cell import Result, State

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    root = tmp_path_factory.mktemp("charts") / "x"
    root.mkdir()
    for optimizer in ("adam", HOSTILE):
        for lr in (1e-4, 1e-2):
            for seed in range(3):
                one = cell(root, optimizer=optimizer, lr=lr, seed=seed, steps=200)
                lost = lr > 1e-3 and seed == 2
                write(one, diverged(one) if lost else measured(one, curve(optimizer, lr, seed), 1.0 + seed))
    return Study.read(root)


@pytest.fixture(scope="module")
def content(study):
    return formats.in_html(study, TableOptions(), study.directories[0])


def embedded(content):
    """Return the data in a page, and check that each of its runs has the values of its record."""
    return json.loads(re.search(r'id="data">(.*?)</script>', content, re.S)[1])


def test_every_run_has_the_values_of_its_record(study, content):
    (table,) = embedded(content)["tables"]
    records = {result.cell.short_hash: result for result in study.results}
    runs = [run for one in table["configurations"] for run in one["runs"]]
    assert {run["cell"] for run in runs} == records.keys()
    for run in runs:
        result = records[run["cell"]]
        evaluations = result.evaluations
        assert table["steps"][run["steps"]] == [evaluation["step"] for evaluation in evaluations]
        expected = [evaluation["value"] for evaluation in evaluations]
        for value, exact in zip(run["value"], expected, strict=True):
            assert value == exact if exact is None else value == pytest.approx(exact, rel=1e-4)
        assert run["state"] == result.state.value
        assert (run["score"] is None) == (result.final is None)


def test_settings_refer_to_their_values(study, content):
    (table,) = embedded(content)["tables"]
    by_hash = {result.cell.short_hash: result.cell for result in study.results}
    for one in table["configurations"]:
        shown = {key["key"]: key["values"][n] for key, n in zip(table["keys"], one["at"], strict=True)}
        overrides = by_hash[one["runs"][0]["cell"]].overrides
        assert shown == {"optimizer": overrides["optimizer"], "lr": str(overrides["lr"])}


def test_mean_and_range_are_those_of_the_figure(study, content):
    (verdict,) = formats.judge(study, TableOptions())
    (table,) = embedded(content)["tables"]
    for one, configuration in zip(table["configurations"], verdict.leaderboard.configurations, strict=True):
        steps, values, lost = curves.by_seed(configuration)
        mean = one["curves"]["value"]
        assert table["steps"][mean["steps"]] == steps.tolist()
        assert mean["mean"] == pytest.approx(np.nanmean(values, axis=0), rel=1e-4)
        assert mean["high"] == pytest.approx(np.nanmax(values, axis=0), rel=1e-4)
        assert table["times"][mean["times"]] == pytest.approx(curves.times(configuration, steps), rel=1e-4)
        assert bool(mean["lost"]) == any(lost)
        assert (mean["common"] < len(steps)) == any(lost)


def test_equal_lists_of_steps_are_stored_once(content):
    (table,) = embedded(content)["tables"]
    assert sorted(table["steps"]) == [[0, 80, 100], [0, 100, 200]]


def test_texts_of_records_end_no_script(content):
    assert content.count("<script") == 3
    assert content.count("</script") == 3
    assert "</script><script>alert" not in content
    (table,) = embedded(content)["tables"]
    assert sorted(table["keys"][0]["values"]) == [HOSTILE, "adam"]


def test_policy_allows_the_scripts_of_the_page_and_no_request(content):
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', content)[1].replace("&#39;", "'")
    scripts = re.findall(r"<script>(.*?)</script>", content, re.S)
    assert len(scripts) == 2
    for script in scripts:
        assert f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "http" not in policy
    markup = re.sub(r"<script.*?</script>|<style.*?</style>", "", content, flags=re.S)
    assert not re.search(r"<[^>]*\son\w+=", markup), "a listener in the markup would not run"


def test_rows_name_the_cells_they_show(study, content):
    hashes = set(re.findall(r'data-cell="([0-9a-f]{8})"', content))
    assert hashes == {result.cell.short_hash for result in study.results}


def many_cells(root: Path) -> Study:
    """Return 1000 cells with 21 evaluations each, without records on disk."""
    root.mkdir()
    random = np.random.default_rng(0)
    results = []
    for optimizer in ("adam", "sgd", "rmsprop", "lion", "nadam"):
        for lr in np.geomspace(1e-5, 1, 20):
            for seed in range(10):
                one = cell(root, optimizer=optimizer, lr=float(f"{lr:.3g}"), seed=seed, steps=2000)
                content = measured(one, [400.0, *(400 * random.random(20))], random.random())
                results.append(Result(one, State.COMPLETED, content))
    return Study((root,), tuple(results), ("python -m gansweep -m optimizer=adam lr=1e-4 seed=0 steps=2000",))


def test_the_data_of_1000_cells_is_below_600_kilobytes(tmp_path):
    study = many_cells(tmp_path / "x")
    (verdict,) = formats.judge(study, TableOptions())
    content = charts.data(study, {"": verdict}, [], tmp_path)
    assert sum(len(one["runs"]) for one in content["tables"][0]["configurations"]) == 1000
    assert len(json.dumps(content, separators=(",", ":"))) < 0.6 * MEGABYTE


@pytest.mark.slow
def test_a_page_of_1000_cells_is_below_5_megabytes(tmp_path):
    content = formats.in_html(many_cells(tmp_path / "x"), TableOptions(), tmp_path)
    assert content.count("data-chart=") == 6
    assert len(content) < 5 * MEGABYTE


def test_sample_images_are_embedded_until_they_are_too_large(study, tmp_path):
    (verdict,) = formats.judge(study, TableOptions())
    files = []
    for n in range(4):
        files.append(tmp_path / f"{n}.png")
        files[-1].write_bytes(b"x" * 3000)
    configurations = verdict.leaderboard.configurations
    samples = [Sample(one, 1, "0", 1.0, file) for one, file in zip(configurations, files, strict=True)]
    assert html.embeddable(samples, 7000) == samples[:2]
    assert html.embeddable(samples, 12000) == samples
    assert html.embeddable(samples, 10) == samples[:1]


def test_lines_of_charts_are_those_of_the_figures(study):
    (verdict,) = formats.judge(study, TableOptions())
    pictures = [
        block
        for section in formats.sections(study, [verdict])
        for block in section.blocks
        if isinstance(block, Picture) and block.chart and block.chart.kind == "lines"
    ]
    assert len(pictures) == 2, "the expected best, and the profiles"
    for picture in pictures:
        lines = [line for panel in picture.chart.options()["panels"] for line in panel["lines"]]
        drawn = [line for axis in picture.draw().axes for line in axis.lines]
        for line in lines:
            exact = [np.asarray(other.get_xdata()) for other in drawn]
            near = [
                other
                for other, x in zip(drawn, exact, strict=True)
                if len(x) == len(line["x"])
                and np.allclose(x, line["x"], rtol=1e-3)
                and np.allclose(other.get_ydata(), np.array(line["y"], dtype=float), atol=0.03, equal_nan=True)
            ]
            assert near, (picture.caption, line["name"])


@pytest.mark.parametrize("number", [0, 1, 400, 401, 5000])
def test_long_lines_keep_their_ends(number):
    line = charts.line("a", range(number), [2.0 * n for n in range(number)])
    assert len(line["x"]) <= charts.MOST_POINTS + 1
    assert line["y"] == [2 * x for x in line["x"]]
    assert (line["every"] == 1) == (number <= charts.MOST_POINTS)
    if number:
        assert (line["x"][0], line["x"][-1]) == (0, number - 1)


def test_numbers_have_five_digits():
    assert [charts.compact(number) for number in (123456.0, 0.000123456, float("inf"), None, 3.0)] == [
        123460, 0.00012346, None, None, 3,
    ]  # fmt: skip


def luminance(colour):
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize("ground", ["page", "ground"])
@pytest.mark.parametrize("text", ["ink", "faint", "accent"])
def test_texts_have_the_contrast_of_wcag_aa(text, ground, theme):
    css = (html.FOLDER / "page.css").read_text()
    pairs = {name: found.split(", ") for name, found in re.findall(r"--(\w+): light-dark\(([^)]*)\)", css)}
    a, b = sorted((luminance(pairs[name][theme]) for name in (text, ground)), reverse=True)
    assert (a + 0.05) / (b + 0.05) >= 4.5


def test_the_library_is_the_named_version():
    readme = (html.FOLDER / "uplot" / "README.md").read_text()
    version = re.match(r"# uPlot (\S+)", readme)[1]
    assert f"(v{version})" in html.LIBRARY.read_text()[:100]
    assert "MIT License" in (html.FOLDER / "uplot" / "LICENSE").read_text()
