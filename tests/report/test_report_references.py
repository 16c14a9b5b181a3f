"""The untrained generator and real samples are in every figure and table of values. Mistake: a new one without them."""

from __future__ import annotations

import itertools

import pytest
from tests.report.studies import study, verdict
from tests.sweep.fake_cells import write

from gansweep.report import comparison, formats, rates, tasks
from gansweep.report.formats import TableOptions, judge
from gansweep.report.study import Study
from gansweep.section import Picture, Table
from gansweep.sweep.sweep import Sweep

RATES = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1]
# Shares, steps and losses, and numbers of runs: nothing on the scale of the metric.
WITHOUT = {"steps_to_target", "divergences", "losses", "schedules", "mean_ranks"}
HEADS_WITHOUT = {"player and cause", "source"}


def swept(root, data="ring", best=20.0):
    """Write a sweep that has most sections: two optimizers, five rates, four seeds, and a divergence."""
    root.mkdir()
    finals = []
    for n, name in enumerate(("adam", "sgd")):
        for lr, seed in itertools.product(RATES, range(4)):
            final = None if (name, lr, seed) == ("sgd", 1e-1, 3) else best * (1 + n) * (1 + lr) + seed
            finals.append(({"data": data, "optimizer": name, "lr": lr, "seed": seed}, final))
    results = study(root, finals).results
    for result in results:
        content = result.record
        content["metric"]["fingerprint"] = {"metric": "fd", "data": data}
        write(result.cell, content)
    Sweep(root, [result.cell for result in results], "x").freeze()
    return root


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    root = tmp_path_factory.mktemp("report")
    of = Study.read(swept(root / "ring"), swept(root / "digits", "digits", 10.0))
    return of, judge(of, TableOptions())


def texts(figure):
    found = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return found + [text.get_text() for axis in figure.axes for text in axis.texts]


def test_every_figure_of_values(report):
    of, verdicts = report
    pictures = [b for section in formats.sections(of, verdicts) for b in section.blocks if isinstance(b, Picture)]
    names = {picture.file_name for picture in pictures}
    assert {"rates_by_optimizer", "heat_map_rates_by_optimizer", "expected_best_of_k", "response_curves"} <= names
    assert {"score_profiles", "mean_ranks", "divergences", "steps_to_target"} <= names
    for picture in pictures:
        if picture.file_name not in WITHOUT:
            shown = " ".join(texts(picture.draw()))
            assert "untrained" in shown, picture.file_name
            assert "real against real" in shown, picture.file_name


def test_every_table_of_values(report):
    of, verdicts = report
    tables = [(s.title, b) for s in formats.sections(of, verdicts) for b in s.blocks if isinstance(b, Table)]
    assert len(tables) > 8
    for title, table in tables:
        if title in ("Importance of settings", "Steps to target") or table.head[0] in HEADS_WITHOUT:
            continue
        assert "better than untrained" in table.head or {"untrained", "real"} <= set(table.head), (title, table.head)
    paragraphs = [s.blocks[0].text for s in formats.sections(of, verdicts) if s.title == "Steps to target"]
    assert all("untrained 400.0, real against real 3.10" in text for text in paragraphs)


def test_captions_of_tables_and_of_the_comparison(report):
    of, verdicts = report
    for text in (
        formats.in_markdown(of, TableOptions(rows=("optimizer",)), of.directories[0]),
        comparison.compare(verdicts, "data=ring,optimizer=adam,lr=1e-3", "data=ring,optimizer=sgd,lr=1e-3"),
    ):
        assert "untrained 400.0, real against real 3.10" in text
    assert "Untrained 400.0, real against real 3.10." in formats.in_latex(of, TableOptions(), of.directories[0])


def test_the_scale_of_every_task(report):
    found = tasks.over_tasks(report[1])
    assert [(scale.metric, scale.untrained, scale.floor) for scale in found.scales] == [("fd_digits", 400.0, 3.1)] * 2
    assert found.is_better.sum() == found.is_better.size - 2, "sgd at 0.1 has an N/A run on both tasks"


def heat_map(root, finals, untrained=400.0):
    results = [({"optimizer": name, "lr": lr}, final) for (name, lr), final in finals.items()]
    of = study(root, results)
    for result in of.results:
        result.record["metric"]["untrained"] = untrained
    return rates.heat_picture(verdict(of))


def test_a_heat_map_has_equally_many_digits_everywhere(tmp_path):
    finals = dict(
        zip(itertools.product(("adam", "sgd"), (1.0, 2.0, 3.0)), (0.1, 1.0, 0.25, 12.0, 3.456, 99.999), strict=True)
    )
    shown = [text.get_text() for text in heat_map(tmp_path, finals).axes[0].texts]
    assert sorted(shown) == sorted(["0.1000", "1.000", "0.2500", "12.00", "3.456", "100.0"])
    crowded = {(name, float(n)): 1.0 + n / 10 for name in ("adam", "sgd") for n in range(1, 10)}
    shown = [text.get_text() for text in heat_map(tmp_path / "x", crowded).axes[0].texts]
    assert {"1.10", "1.50", "1.90"} <= set(shown)


def test_the_colour_bar_of_a_heat_map_marks_the_untrained_generator(tmp_path):
    finals = dict(zip(itertools.product(("adam", "sgd"), (1.0, 2.0)), (100.0, 300.0, 350.0, 500.0), strict=True))
    figure = heat_map(tmp_path, finals)
    bar = figure.axes[-1]
    assert [line.get_ydata()[0] for line in bar.lines] == [400.0]
    assert texts(figure)[:2] == ["untrained: 400.0", "real against real: 3.10, outside"]
    outside = heat_map(tmp_path / "x", finals, untrained=600.0)
    assert not outside.axes[-1].lines
    assert "untrained: 600.0, outside" in texts(outside)
