"""A page of a report in a browser."""

from __future__ import annotations

import pytest
from tests.report.browser import CHROMIUM
from tests.report.curve_records import HOSTILE, curve, measured
from tests.sweep.fake_cells import cell, diverged, write

from gansweep.report import formats
from gansweep.report.formats import TableOptions
from gansweep.report.study import Study


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Write the page of a sweep with two optimizers, two rates and three seeds, some diverged."""
    from PIL import Image

    root = tmp_path_factory.mktemp("browser") / "sweep"
    root.mkdir()
    for optimizer in ("adam", HOSTILE):
        for lr in (1e-4, 1e-2):
            for seed in range(3):
                one = cell(root, optimizer=optimizer, lr=lr, seed=seed, steps=200)
                lost = lr > 1e-3 and seed == 2
                write(one, diverged(one) if lost else measured(one, curve(optimizer, lr, seed)))
                (one.directory / "samples").mkdir()
                Image.new("RGB", (8, 8)).save(one.directory / "samples" / "step_0000100.png")
    study = Study.read(root)
    page = root / "report.html"
    page.write_text(formats.in_html(study, TableOptions(), root), encoding="utf-8")
    return page.as_uri()


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, of gansweep[dev]")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser, address, request):
    """Open the page, and check at the end that there was neither an error nor a request nor a dialog."""
    options = {"viewport": {"width": 1200, "height": 900}} | getattr(request, "param", {})
    context = browser.new_context(**options)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page, problems = context.new_page(), []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    page.on("request", lambda r: problems.append(r.url) if not r.url.startswith((address, "data:")) else None)
    page.goto(address)
    yield page
    context.close()
    assert not problems
