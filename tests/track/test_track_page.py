"""The results page: Markdown between markers, figures, data of the interactive page.

Mistakes: text outside the markers that changes, a value of another entry or seed, a page that needs entries, infinity
in JSON, a command line that trains something else.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest

from gansweep.config.errors import SettingError
from gansweep.track import __main__, results_page
from gansweep.track.__main__ import main
from gansweep.track.board import boards
from gansweep.track.sections import sections
from tests.track.fake_entries import SEEDS, board, entry, track

TUNING = {1e-3: math.inf, 1e-2: 300, 1e-1: 200, 1.0: None}
BOARDS = [
    board(
        "first",
        adam={"times": [300] * 18 + [None, math.inf], "overrides": ["optimizer=adam", "lr=0.123456"], "tuning": TUNING},
        cosine={"times": [200] * 20, "overrides": ["optimizer=adam", "schedule=cosine"], "tuning": TUNING},
        sgd={"times": [500] * 10 + [math.inf] * 10, "overrides": ["optimizer=sgd"], "tuning": TUNING},
    ),
    board(
        "second",
        adam={"times": [150] * 20, "tuning": TUNING},
        sgd={"times": [250] * 20, "overrides": ["optimizer=sgd"]},
    ),
    board("empty"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write the page into a folder whose track.md has a text around the markers."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "track.md").write_text("# Rule\n\n<!-- results -->\nearlier\n<!-- end -->\n\nLast line\n")
    results_page.write(BOARDS, folder)
    return folder


@pytest.fixture(scope="module")
def text(folder):
    return (folder / "track.md").read_text()


@pytest.fixture(scope="module")
def content(folder):
    return (folder / "leaderboard.html").read_text()


@pytest.fixture(scope="module")
def data(content):
    return json.loads(re.search(r'id="data">(.*?)</script>', content, re.S)[1])


def row(text, *words):
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    (line,) = [line for line in lines if all(f"| {word} " in line for word in words)]
    return [field.strip() for field in line.strip("|").split("|")]


def test_leaderboard_has_score_interval_seeds_and_record(text):
    part = text.split("## Leaderboard (first)")[1].split("##")[0]
    assert row(part, "**cosine**")[1:6] == ["200", "200", "200 to 200", "20 of 20", "0"]
    assert row(part, "adam")[1:11] == [
        "300", "300", "300 to 300", "18 of 20", "1", "3", "4", "", "optimizer=adam lr=0.1235", "us",
    ]  # fmt: skip
    assert row(part, "sgd")[1:5] == ["N/A", "N/A", "500 to N/A", "10 of 20"]
    assert "History of the record: cosine (2026-11-01, 200 steps)." in part
    assert [part.index(f"| {name} ") for name in ("**cosine**", "adam", "sgd")] == sorted(
        part.index(f"| {name} ") for name in ("**cosine**", "adam", "sgd")
    )


def test_every_analysis_has_its_section(text):
    titles = re.findall(r"^## (.*)$", text, re.M)
    assert titles == [
        "Results",
        "Ten findings",
        "Leaderboard (first)",
        "Leaderboard (second)",
        "Tracks without entries",
        "Tunability",
        "Sensitivity to the rate",
        "What schedules and other choices add",
        "Agreement of the tracks",
        "What diverged",
    ]
    assert len(re.findall(r"^- \*\*\d+\. ", text, re.M)) == 10
    assert "No entries yet: empty." in text
    assert row(text, "first", "cosine", "adam")[6:8] == ["20", "0"]  # seeds earlier, later
    assert "inf" not in re.sub(r"information|infinity", "", text)


def test_without_entries_the_page_says_so(tmp_path):
    files = results_page.write([board("empty")], tmp_path)
    assert [file.name for file in files] == ["track.md", "leaderboard.html"]
    assert "No entries yet." in files[0].read_text()
    assert "No entries yet." in files[1].read_text()


def test_one_entry_is_enough(tmp_path):
    never, diverged = {"times": [math.inf] * SEEDS}, {"times": [None] * SEEDS, "tuning": {0.1: None, 0.2: None}}
    assert results_page.write([board("never", adam=never), board("diverged", adam=diverged)], tmp_path)


def test_entries_that_are_not_comparable_are_named():
    only = board("old", old={"times": [200] * 19})
    assert "Not comparable on old: old (19 of 20 seeds)." in results_page.results(sections([BOARDS[1], only]))


def test_only_the_part_between_the_markers_changes(text):
    assert text.startswith("# Rule\n\n<!-- results -->\n\n## Results")
    assert text.endswith("\n\n<!-- end -->\n\nLast line\n")
    assert "earlier\n<!--" not in text
    assert results_page.with_results(text, results_page.results(sections(BOARDS))) == text


@pytest.mark.parametrize(
    "text", ["", "<!-- results -->", "<!-- end --><!-- results -->", 2 * "<!-- results --><!-- end -->"]
)
def test_missing_markers_are_an_error(text):
    with pytest.raises(SettingError, match="<!-- results -->"):
        results_page.with_results(text, "new")


def test_figures_of_the_page_exist_and_are_wide_enough(folder, text):
    from PIL import Image

    linked = re.findall(r"!\[.*?\]\((.*?)\)", text)
    assert linked == ["pictures/track.png", "pictures/track_tunability.png", "pictures/track_sensitivity.png"]
    for path in linked:
        with Image.open(folder / path) as image:
            assert image.width >= 1200


def test_data_of_the_page_are_those_of_the_entries(data):
    assert [table["name"] for table in data["tables"]] == ["first", "second"]
    for table, of in zip(data["tables"], BOARDS, strict=False):
        for configuration, line in zip(table["configurations"], of.rows, strict=True):
            assert configuration["name"] == line.entry.name
            for run in configuration["runs"]:
                seed = int(run["seed"])
                time = line.times[seed]
                assert run["score"] == (time if math.isfinite(time) else None)
                values = dict(zip(table["steps"][run["steps"]], run["value"], strict=True))
                measured = {step: value for step, value in values.items() if value is not None}
                assert measured == line.entry.runs[seed].values
    (adam,) = [one for one in data["tables"][0]["configurations"] if one["name"] == "adam"]
    assert adam["entry"]["interval"] == [300, 300]
    assert adam["curves"]["value"]["common"] == 2  # the diverged seed has evaluations at steps 0 and 50
    assert adam["curves"]["value"]["lost"] == [1]
    assert adam["runs"][18]["trouble"] == "diverged at step 51: not finite"


def test_cells_of_the_page_are_unique_and_every_link_to_one_is_valid(data, content):
    cells = [run["cell"] for table in data["tables"] for one in table["configurations"] for run in one["runs"]]
    assert len(set(cells)) == len(cells)
    linked = re.findall(r'data-cell="(.*?)"', content.split("<script")[0])
    assert len(linked) > 10
    assert set(linked) <= set(cells)


def test_texts_of_an_entry_are_escaped():
    hostile = "</script><b>&\"'"
    of = board("first", adam={"times": [200] * SEEDS, "author": hostile, "overrides": [f"optimizer={hostile}"]})
    content = results_page.page([of], sections([of]))
    assert hostile not in content
    assert "<b>" not in content


def test_command_writes_the_page(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("gansweep.track.board.names", lambda: ["toy"])
    monkeypatch.setattr("gansweep.track.board.Track.load", track)
    (tmp_path / "entries" / "toy").mkdir(parents=True)
    entry(track(), "adam", [200] * SEEDS, tuning=TUNING).write(tmp_path / "entries" / "toy" / "adam.json")
    line = ["page", "--entries", str(tmp_path / "entries"), "--out", str(tmp_path / "docs")]
    assert __main__.main(line) == 0
    assert "adam" in (tmp_path / "docs" / "track.md").read_text()
    assert f"wrote {tmp_path / 'docs' / 'leaderboard.html'}" in capsys.readouterr().out
    (tmp_path / "docs" / "track.md").write_text("no markers")
    assert __main__.main(line) == 2
    assert "<!-- results -->" in capsys.readouterr().err


def test_results_in_the_documentation_are_those_of_the_entries():
    """Mistake: an entry that is added without `gansweep track page`, or results that are edited by hand."""
    root = Path(__file__).parents[2]
    page = (root / "docs" / "track.md").read_text()
    found = results_page.results(sections(boards(root / "tracks")))
    assert page == results_page.with_results(page, found), "run: gansweep track page"


def test_a_missing_folder_of_entries_is_refused(tmp_path, capsys):
    assert main(["page", "--entries", str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")]) == 2
    assert "nowhere: no such folder" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_entries_add_no_html_and_no_markers_to_the_page():
    hostile = board("a", one={"times": [100] * SEEDS, "author": "<script>x</script> <!-- end -->"})
    text = results_page.results(sections([hostile]))
    assert "&lt;script>x&lt;/script>" in text
    assert "<script" not in text
    assert results_page.END not in text
