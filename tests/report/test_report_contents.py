"""The list of contents. Mistakes: a section without a link, a line for each of dozens, links that sound alike."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from gansweep.report.html.contents import contents, mark

TABLES = ["table 1: w1, data=ring", "table 2: w1, data=grid"]
TITLES = ["Question", "Tables", *(f"{word} ({name})" for name in TABLES for word in ("Verdict", "Values")), "Runs"]
PARTS = {title: f"part-{n}" for n, title in enumerate(TITLES, 1)}


class Links(HTMLParser):
    """Collects what each link is called aloud, and whether it lies in something closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.places, self.names, self.closed = [], [], []
        self.depth = 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        self.depth += tag == "details"
        if tag == "a":
            self.places.append(said["href"][1:])
            self.names.append(said.get("aria-label") or "")
            self.closed.append(self.depth > 0)

    def handle_endtag(self, tag):
        self.depth -= tag == "details"

    def handle_data(self, data):
        if self.lasttag == "a" and self.names and not self.names[-1]:
            self.names[-1] = data


def test_sections_of_several_tables_are_a_row_for_each_closed_at_first():
    links = Links(contents(PARTS, TABLES))
    assert sorted(links.places) == sorted([*PARTS.values(), mark(1), mark(2)])
    assert [name for name, closed in zip(links.names, links.closed, strict=True) if not closed] == [
        "Question",
        "Tables",
        "Runs",
    ]
    assert len(set(links.names)) == len(links.names), "a link heard alone says which table it is of"


def test_one_table_has_one_level():
    parts = {title: f"part-{n}" for n, title in enumerate(["Question", "Tables", "Verdict", "a <b> (c)"], 1)}
    text = contents(parts, [""])
    assert Links(text).names == list(parts)
    assert "<details" not in text
    assert not re.search("<b>", text)
