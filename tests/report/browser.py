"""Actions on the page of a report in a browser."""

from __future__ import annotations

import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")


def figure(page, kind):
    """Return the first figure of a kind after it has been drawn."""
    found = page.locator(f"figure[data-chart={kind}]").first
    found.scroll_into_view_if_needed()
    found.locator("canvas, table.heat").first.wait_for()
    return found


def hits(chart):
    """Return panel, position, name, seed and rows of all points of a figure, after its panels have been drawn."""
    chart.page.wait_for_function(
        "(f) => [...f.querySelectorAll('.panel')].every((panel) => panel.plot.drawn)", arg=chart.element_handle()
    )
    return chart.evaluate(
        """(figure) => [...figure.querySelectorAll(".panel")].flatMap((panel, at) => panel.plot.hits.map((hit) => {
            const {configuration, run, rows} = hit.mark.about(hit.n);
            return {panel: at, x: hit.x, y: hit.y, name: configuration.name, seed: run?.seed, rows};
        }))"""
    )


def point_at(page, chart, point):
    over = chart.locator(".u-over").nth(point["panel"])
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    page.mouse.move(box["x"] + point["x"], box["y"] + point["y"])
    page.locator(".tip").wait_for(state="visible")
