from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.sweep.fake_cells import cell, diverged, record, write

from gansweep.report import formats
from gansweep.report.formats import Wish
from gansweep.report.html import facts
from gansweep.report.html.page import page
from gansweep.report.html.prose import prose
from gansweep.report.html.tables import table
from gansweep.report.study import Study

EVIL = "<script>alert(1)</script>&\"'"
ALONE = {"meta", "link", "br", "img", "input"}


def swept(root: Path) -> Study:
    """A small sweep on disk with everything in it that a page has to show."""
    from PIL import Image

    (root / "x").mkdir()
    for name in ("adam", EVIL):
        for lr in (1e-4, 1e-2):
            for seed in range(3):
                one = cell(root / "x", optimizer=name, lr=lr, seed=seed)
                final = 40.0 + 10 * len(name) + 1000 * lr + seed
                write(one, diverged(one) if lr > 1e-3 and seed == 2 else record(one, final))
                (one.directory / "samples").mkdir()
                Image.new("RGB", (8, 8)).save(one.directory / "samples" / "step_0000100.png")
    return Study.read(root / "x")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    root = tmp_path_factory.mktemp("page")
    study = swept(root)
    path = root / "x" / "report.html"
    path.write_text(formats.in_html(study, Wish(), path.parent), encoding="utf-8")
    return path


def test_a_list_may_follow_the_line_that_announces_it():
    assert prose("These:\n- a\n- b", str) == "<p>These:</p>\n<ul><li>a</li><li>b</li></ul>"
    assert prose("a - b\nc", str) == "<p>a - b c</p>"


def test_tables_are_told_apart_by_what_was_swept(tmp_path):
    (tmp_path / "x").mkdir()
    for data in ("ring", "grid"):
        for lr in (1, 2):
            one = cell(tmp_path / "x", data=data, lr=lr)
            kept = record(one, 1.0)
            kept["metric"]["fingerprint"] = {"data": {"ring": "0", "grid": "f"}[data] * 64}
            write(one, kept)
    of = Study.read(tmp_path / "x")
    text = formats.in_html(of, Wish(), tmp_path)
    assert '<h3 id="table-1">Table 1: fd_digits, data=' in text
    assert "Verdict (table 2: fd_digits, data=" in text
    assert "<li>table 2 (data=ring): data 00000000: data=ring" in text, "a hash is cut"


@pytest.mark.parametrize(
    ("members", "said"),
    [
        (1, "Total wall time: 80 s of one process."),
        (4, "Total wall time: about 20 s of one process; the sum over runs is 80 s"),
    ],
)
def test_the_time_of_a_pack_is_counted_once(tmp_path, members, said):
    (tmp_path / "x").mkdir()
    for seed in range(4):
        one = cell(tmp_path / "x", seed=seed)
        write(one, record(one, 1.0) | {"pack": {"members": members}})
    assert said in facts.plan(Study.read(tmp_path / "x"))


class Reader(HTMLParser):
    """Checks that tags are closed in order and keeps what there is."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags = [], []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ALONE:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag

    def all(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]


def test_page_needs_no_other_file_and_every_tag_is_closed(written):
    reader = Reader(written.read_text(encoding="utf-8"))
    sources = [own[key] for _, own in reader.tags for key in ("src",) if key in own]
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert not any("http" in (own.get("href") or "") for own in reader.all("a") + reader.all("link"))
    assert "url(" not in written.read_text(encoding="utf-8")
    assert "@import" not in written.read_text(encoding="utf-8")


def test_what_a_setting_is_called_is_text_and_never_a_tag(written):
    text = written.read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_page_is_read_without_eyes_or_mouse(written):
    reader = Reader(written.read_text(encoding="utf-8"))
    assert all(image.get("alt") for image in reader.all("img"))
    assert len(reader.all("h1")) == 1
    assert reader.all("html")[0]["lang"] == "en"
    assert reader.all("main")
    levels = [int(tag[1]) for tag, _ in reader.tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    assert len(reader.all("button")) == sum(own.get("scope") == "col" for own in reader.all("th"))
    marks = {own["id"] for _, own in reader.tags if "id" in own}
    assert {own["href"][1:] for own in reader.all("a") if own["href"].startswith("#")} <= marks


def test_links_lead_to_the_runs_from_where_the_page_lies(written, tmp_path):
    from urllib.parse import unquote

    reader = Reader(written.read_text(encoding="utf-8"))
    links = [unquote(own["href"]) for own in reader.all("a") if not own["href"].startswith("#")]
    assert sum(link.endswith("/") for link in links) == 12
    assert all((written.parent / link).exists() for link in links)
    study = Study.read(written.parent)
    elsewhere = page(study, formats.judge(study, Wish()), [], tmp_path)
    found = [unquote(own["href"]) for own in Reader(elsewhere).all("a") if own["href"].endswith("/")]
    assert len(found) == 12
    assert all((tmp_path / link).is_dir() for link in found)


def test_prose_is_escaped_and_its_tables_are_tables():
    found = prose(
        "# Head\n\na **b** `c|<d>` <e>\n\n- one\n- two\n\n| x | y |\n| - | - |\n| a | **1.5** |\n| b | N/A |", table
    )
    assert "<h3>Head</h3>" in found
    assert "<code>c|&lt;d&gt;</code> &lt;e&gt;" in found
    assert "<li>two</li>" in found
    assert 'data-sort="1.5"><strong>1.5</strong>' in found
    assert 'data-sort="">N/A' in found


@pytest.mark.slow
def test_pictures_are_written_as_png_and_svg(written, tmp_path):
    found = formats.pictures(Study.read(written.parent), Wish(), tmp_path)
    names = {path.name for path in found}
    assert {"values_1.png", "values_1.svg", "divergences.png", "expected_best_of_k_settings.png"} <= names
    assert all(path.stat().st_size > 2000 for path in found)


PRESS = """
<script>
const table = document.querySelectorAll("table.sortable")[1];
const column = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent.startsWith("mean"));
const button = table.tHead.rows[0].cells[column].querySelector("button");
const read = () => [...table.tBodies[0].rows].map((row) => row.cells[column].textContent).join(" ");
button.focus(); button.click();
const up = read(), first = table.tHead.rows[0].cells[column].getAttribute("aria-sort");
button.click();
document.title = [first, up, table.tHead.rows[0].cells[column].getAttribute("aria-sort"), read(),
  document.activeElement === button, document.documentElement.scrollWidth <= window.innerWidth].join("|");
</script></body>
"""


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("chromium"), reason="needs chromium")
@pytest.mark.parametrize("width", [1400, 500])
def test_a_browser_sorts_the_columns_and_has_nothing_to_complain_about(written, tmp_path, width):
    page = tmp_path / "page.html"
    page.write_text(written.read_text(encoding="utf-8").replace("</body>", PRESS), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--enable-logging=stderr"]
    command = ["chromium", *options, f"--window-size={width},900", "--dump-dom", f"file://{page}"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ)
    assert "CONSOLE" not in run.stderr, run.stderr
    up, values, down, back, focused, fits = re.search(r"<title>(.*?)</title>", run.stdout)[1].split("|")
    assert (up, down, focused, fits) == ("ascending", "descending", "true", "true")
    numbers = [float(value) for value in values.split()]
    assert numbers == sorted(numbers)
    assert [float(v) for v in back.split()] == sorted(numbers, reverse=True)
