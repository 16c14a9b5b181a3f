"""The interactive page of the tracks in a browser.

Mistakes: an error in a script, a row or line of an entry that the filter hides, a value of another entry, a command
line that does not repeat the entry, a page that is wider than the window.
"""

from __future__ import annotations

import pytest

from gansweep.track import results_page
from gansweep.track.sections import sections
from tests.report.browser import CHROMIUM, hits, needs_chromium, point_at
from tests.track.test_track_page import BOARDS

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, of gansweep[dev]")
pytestmark = [needs_chromium, pytest.mark.slow]


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("track") / "leaderboard.html"
    path.write_text(results_page.page(BOARDS, sections(BOARDS)), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(params=[400, 1300])
def page(browser, address, request):
    """Open the page in a window of this width, and check at the end that there was neither an error nor a request."""
    context = browser.new_context(viewport={"width": request.param, "height": 900})
    page, problems = context.new_page(), []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda r: problems.append(r.url) if not r.url.startswith((address, "data:")) else None)
    page.goto(address)
    yield page
    assert page.evaluate("document.documentElement.scrollWidth") <= request.param
    context.close()
    assert not problems


def figure(page, kind, place=0):
    found = page.locator(f"figure[data-chart={kind}]").nth(place)
    found.scroll_into_view_if_needed()
    found.locator("canvas").first.wait_for()
    return found


def test_every_chart_is_drawn(page):
    for kind, number in (("leaderboard", 2), ("curves", 2), ("lines", 2)):
        assert page.locator(f"figure[data-chart={kind}]").count() == number
        for place in range(number):
            assert hits(figure(page, kind, place))
    assert page.locator("figure.drawn .image:visible").count() == 0


def test_hover_over_the_leaderboard_shows_the_entry_and_its_command(page):
    chart = figure(page, "leaderboard")
    points = [point for point in hits(chart) if point["name"] == "adam"]
    point_at(page, chart, points[0])
    text = page.locator(".tip").inner_text()
    assert "300 steps" in text
    assert "18 of 20 seeds" in text
    assert text.strip().endswith("python -m gansweep.track try first optimizer=adam lr=0.123456")


def test_every_seed_of_the_leaderboard(page):
    chart = figure(page, "leaderboard")
    chart.get_by_role("button", name="every seed").click()
    seeds = [point for point in hits(chart) if point["name"] == "sgd" and point["seed"] is not None]
    assert [point["rows"] for point in seeds] == [[["steps to target", "500"]]] * 10


def test_filter_hides_rows_and_lines_of_other_entries(page):
    body = page.locator("#filter details")
    if body.get_attribute("open") is None:
        body.locator("summary").click()
    page.get_by_role("checkbox", name="sgd", exact=True).check()
    names = {point["name"] for kind in ("leaderboard", "curves") for point in hits(figure(page, kind))}
    assert names == {"sgd"}
    lines = figure(page, "lines")
    assert {point["name"] for point in hits(lines)} == {"sgd"}
    visible = page.locator("main tbody tr:has([data-cell]):visible").all_inner_texts()
    assert visible
    assert all("sgd" in text for text in visible)


def test_a_chosen_row_shows_its_runs(page):
    page.locator("tr.choosable", has_text="cosine").first.click()
    details = page.locator("dialog[open]")
    assert "rank 1: record" in details.inner_text()
    assert details.locator("tbody tr").count() == 20
    assert "python -m gansweep.track try first optimizer=adam schedule=cosine" in details.inner_text()
