"""The HTML page. Mistakes: a name that becomes markup, a link to nowhere, a section that the contents omit."""

from __future__ import annotations

import base64
import io
import itertools
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image
from tests.sweep.fake_cells import cell, diverged, record, write

from gansweep.forking import can_fork
from gansweep.report import facts, formats, html
from gansweep.report.formats import TableOptions
from gansweep.report.study import Study
from gansweep.section import Code, Entry, List, Paragraph, Picture, Section, Strong, Table

HOSTILE = "<script>alert(1)</script>&\"'"
VOID_TAGS = {"meta", "link", "br", "img", "input"}


def swept(root: Path) -> Study:
    """Write a small sweep with everything that a page shows."""
    (root / "x").mkdir()
    for name in ("adam", HOSTILE):
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
    path.write_text(formats.in_html(study, TableOptions(), path.parent), encoding="utf-8")
    return path


def two_tables(root: Path) -> Study:
    """Write a sweep over two data sets, whose values are not comparable."""
    (root / "x").mkdir()
    for data in ("ring", "grid"):
        for lr in (1, 2):
            one = cell(root / "x", data=data, lr=lr)
            content = record(one, 1.0)
            content["metric"]["fingerprint"] = {"data": {"ring": "0", "grid": "f"}[data] * 64}
            write(one, content)
    return Study.read(root / "x")


def test_tables_are_named_after_the_settings_that_distinguish_them(tmp_path):
    text = formats.in_html(two_tables(tmp_path), TableOptions(), tmp_path)
    assert '<h3 id="table-1">Table 1: fd_digits, data=' in text
    assert "Verdict (table 2: fd_digits, data=" in text
    assert "<li>table 2 (data=ring): data 00000000: data=ring" in text, "a hash is cut"


@pytest.mark.parametrize(
    ("members", "text"),
    [
        (1, "Total wall time: 80 s of one process."),
        (4, "Total wall time: about 20 s of one process; the sum over runs is 80 s"),
    ],
)
def test_the_time_of_a_pack_is_counted_once(tmp_path, members, text):
    (tmp_path / "x").mkdir()
    for seed in range(4):
        one = cell(tmp_path / "x", seed=seed)
        write(one, record(one, 1.0) | {"pack": {"members": members}})
    assert text in facts.plan(Study.read(tmp_path / "x"))


class Reader(HTMLParser):
    """Checks that tags are closed in order, and stores tags and links."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.links = [], [], []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID_TAGS:
            self.open.append(tag)
        if tag == "a":
            attributes = dict(attributes)
            self.links.append((attributes["href"], attributes.get("aria-label", ""), "details" in self.open))

    def handle_endtag(self, tag):
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.lasttag == "a" and self.open[-1:] == ["a"]:
            href, name, is_closed = self.links[-1]
            self.links[-1] = (href, name or data, is_closed)

    def all(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]


def test_page_needs_no_other_file_and_closes_every_tag(written):
    reader = Reader(written.read_text(encoding="utf-8"))
    sources = [own[key] for _, own in reader.tags for key in ("src",) if key in own]
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert not any("http" in (own.get("href") or "") for own in reader.all("a") + reader.all("link"))
    assert "url(" not in written.read_text(encoding="utf-8")
    assert "@import" not in written.read_text(encoding="utf-8")


def test_names_of_settings_are_never_markup(written):
    text = written.read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_page_is_accessible(written):
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


def test_links_to_runs_are_relative_to_the_page(written, tmp_path):
    from urllib.parse import unquote

    reader = Reader(written.read_text(encoding="utf-8"))
    links = [unquote(own["href"]) for own in reader.all("a") if not own["href"].startswith("#")]
    assert sum(link.endswith("/") for link in links) == 12
    assert all((written.parent / link).exists() for link in links)
    elsewhere = formats.in_html(Study.read(written.parent), TableOptions(), tmp_path)
    found = [unquote(own["href"]) for own in Reader(elsewhere).all("a") if own["href"].endswith("/")]
    assert len(found) == 12
    assert all((tmp_path / link).is_dir() for link in found)


def contents(text):
    """Return the links of the table of contents: id, accessible name, and whether it is in a collapsed list."""
    nav = re.search("<nav.*?</nav>", text, re.S)[0]
    return [(href.removeprefix("#"), name, is_closed) for href, name, is_closed in Reader(nav).links]


def test_contents_of_several_tables_have_a_collapsed_row_for_each(tmp_path):
    text = formats.in_html(two_tables(tmp_path), TableOptions(), tmp_path)
    links = contents(text)
    ids = [attributes["id"] for tag, attributes in Reader(text).tags if tag in ("h2", "h3") and "id" in attributes]
    assert sorted(place for place, *_ in links) == sorted(ids)
    assert [name for _, name, is_closed in links if not is_closed] == [
        "Question",
        "Tables",
        "Over tasks",
        "Runs",
        "How to reproduce",
    ]
    names = [name for _, name, _ in links]
    assert len(set(names)) == len(names), "each link names its table"


def test_contents_of_one_table_have_one_level(written):
    links = contents(written.read_text(encoding="utf-8"))
    assert [name for _, name, _ in links][:4] == ["Question", "Tables", "Verdict", "Values"]
    assert not any(is_closed for *_, is_closed in links)


def test_a_figure_is_drawn_once(monkeypatch):
    from matplotlib.figure import Figure

    from gansweep.plot_style import panels

    drawn, draw = [], Figure.draw
    monkeypatch.setattr(Figure, "draw", lambda self, renderer: (drawn.append(self.dpi), draw(self, renderer))[1])
    image = html.image(Picture("Nothing", lambda: panels(2, 2, "", (2.0, 1.6))[0]))
    assert drawn == [html.DPI]
    assert (image["width"], image["height"]) == (440, 220)  # at savefig.dpi
    width, height = Image.open(io.BytesIO(base64.b64decode(image["source"].partition(",")[2]))).size
    assert (width, height) == (640, 320)


@pytest.mark.skipif(not can_fork(), reason="processes can't be forked here")
def test_figures_of_forks_are_the_same(tmp_path, monkeypatch):
    study = swept(tmp_path)
    alone = formats.in_html(study, TableOptions(), tmp_path)
    drawn, draw = [], html.image
    monkeypatch.setattr(html, "image", lambda picture: drawn.append(picture))
    monkeypatch.setattr(html, "_images", lambda pictures: [draw(one) for one in pictures])
    monkeypatch.setattr(html, "MANY_RUNS", 1)
    monkeypatch.setattr(html, "num_cores", lambda: 3)
    assert formats.in_html(study, TableOptions(), tmp_path) == alone
    assert drawn == []


def test_blocks_are_escaped(tmp_path):
    blocks = [
        Paragraph(["a ", Strong("<b>"), " `x` **y** ", Code("c|<d>"), " <e>"]),
        List(["one", ["two ", Code("&")]]),
        Table(["x<", "y"], [["a<", Entry("1.5", 1.5, strong=True)], ["b", "N/A"]], "<caption>", ["<note>"]),
    ]
    study = Study((tmp_path,), (), ())
    text = html.page(study, [], [], [Section("<title>", blocks)], tmp_path, html.image)
    Reader(text)
    for expected in (
        "<p>a <strong>&lt;b&gt;</strong> `x` **y** <code>c|&lt;d&gt;</code> &lt;e&gt;</p>",
        "<ul><li>one</li><li>two <code>&amp;</code></li></ul>",
        'data-sort="1.5"><strong>1.5</strong></td>',
        'data-sort="">N/A</td>',
        "<span>&lt;caption&gt;</span>",
        "<li>&lt;note&gt;</li>",
        ">&lt;title&gt;</h2>",
    ):
        assert expected in text
    assert not any(tag in text for tag in ("<note>", "<e>", "<b>", "<d>"))
