"""First rank of a report: against the untrained generator, probability, bold."""

from __future__ import annotations

import csv
import io
import re

import pytest
from tests.report.studies import HERE, by_lr, verdict

from gansweep.report import formats
from gansweep.report.formats import TableOptions


def against_untrained(root, finals, untrained):
    of = by_lr(root, finals)
    for result in of.results:
        result.record["metric"]["untrained"] = untrained
    return of


def test_a_setting_no_better_than_untrained_is_never_first(tmp_path):
    of = against_untrained(tmp_path, {1: [1.92, 1.90, 1.91], 2: [1.80, 1.90, 1.76], 3: [2.0, 1.7, 1.6]}, 1.8)
    found = verdict(of)
    assert found.first.settings["lr"] == 3
    assert found.no_better == {0, 1}
    assert [found.against_first(place) for place in (0, 1, 2)] == ["no better than untrained"] * 2 + ["first"]
    text = formats.in_markdown(of, TableOptions(), HERE)
    assert "**lr=3** is first of 3" in text
    assert "Not ranked because no better than the untrained generator" in text
    rows = {row["lr"]: row for row in csv.DictReader(io.StringIO(formats.in_csv(of, TableOptions(), HERE)))}
    assert [rows[lr]["rank"] for lr in "123"] == ["", "", "1"]
    assert [rows[lr]["no_better_than_untrained"] for lr in "123"] == ["true", "true", "false"]


@pytest.mark.parametrize("seeds", [1, 3])
def test_where_nothing_is_better_than_untrained_nothing_is_bold_or_first(tmp_path, seeds):
    of = against_untrained(tmp_path, {1: [1.92, 1.90, 1.91][:seeds], 2: [1.95, 1.99, 1.97][:seeds]}, 1.8)
    assert verdict(of).first is None
    text = formats.in_markdown(of, TableOptions(), HERE)
    assert "No configuration is better than the untrained generator by final fd_digits." in text
    assert "is first" not in text
    assert "| first" not in text
    assert "**" not in text
    assert "no better than the untrained generator (1.80)" in text
    latex_text = formats.in_latex(of, TableOptions(), HERE)
    assert r"\mathbf" not in latex_text
    assert r"\textbf" not in latex_text
    assert "no better than the untrained generator (1.80)" in latex_text
    page = formats.in_html(of, TableOptions(), HERE)
    assert "no better than the untrained generator (1.80)" in page
    assert "<td>first" not in page


def test_an_improvement_below_one_percent_is_none(tmp_path):
    finals = {1: [1.97397, 1.97398, 1.97396], 2: [1.95, 1.95, 1.95], 3: [1.0, 5.0, -0.3]}
    found = verdict(against_untrained(tmp_path, finals, 1.97399))
    assert [found.leaderboard.configurations[place].settings["lr"] for place in found.no_better] == [1]
    assert found.first.settings["lr"] == 3


@pytest.mark.parametrize("seeds", [2, 4, 5])
def test_the_probability_of_the_first_rank_needs_five_seeds(tmp_path, seeds):
    near = {1: [1.0, 2.0, 3.0, 4.0, 5.0][:seeds], 2: [1.2, 1.9, 3.3, 4.1, 5.2][:seeds]}
    text = formats.in_markdown(by_lr(tmp_path, near), TableOptions(), HERE)
    shown = re.search(r"\|\s+([^ ]+)\s+\| first +\|", text)[1]
    assert shown.endswith("%") == (seeds == 5)
    assert (shown == "-") == (seeds < 5)
    assert ("P(first) is not estimated from fewer than 5 common seeds." in text) == (seeds < 5)
    assert "bootstrap" not in text or seeds == 5


def test_first_is_bold_only_if_it_beats_another(tmp_path):
    far = {1: [1.0, 2.0, 3.0, 4.0, 5.0], 2: [11.2, 11.9, 13.3, 14.1, 15.2]}
    assert "| **first**" in formats.in_markdown(by_lr(tmp_path, far), TableOptions(), HERE)


def test_runs_without_a_value_or_without_an_untrained_one_are_not_held_against_a_setting(tmp_path):
    of = against_untrained(tmp_path, {1: [1.0, None], 2: [None, None], 3: [2.0, 2.1]}, 1.8)
    assert verdict(of).no_better == {2}
    names = [verdict(of).leaderboard.configurations[place].settings["lr"] for place in verdict(of).order]
    assert names == [1, 3, 2]
    unknown = against_untrained(tmp_path, {1: [5.0, 6.0]}, None)
    assert verdict(unknown).no_better == frozenset()
    assert verdict(unknown).first is not None
