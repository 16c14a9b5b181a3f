"""All controls of the page on other sweeps."""

from __future__ import annotations

import pytest
from tests.report.browser import needs_chromium
from tests.report.curve_records import HOSTILE
from tests.sweep.fake_cells import cell, diverged, record, write

from gansweep.report import formats
from gansweep.report.formats import TableOptions
from gansweep.report.study import Study

pytestmark = needs_chromium


def two_tables(root):
    for data in ("ring", "grid"):
        for lr in (1, 2):
            one = cell(root, data=data, lr=lr)
            write(one, record(one, 1.0 + lr, fingerprint={"data": {"ring": "0", "grid": "f"}[data] * 64}))


def one_run(root):
    one = cell(root, optimizer="adam")
    write(one, record(one))


def only_diverged(root):
    for lr in (1e-4, 1e-2):
        one = cell(root, lr=lr)
        write(one, diverged(one))


def higher_is_better_without_rates(root):
    for loss in ("hinge", "r1"):
        for optimizer in ("adam", "sgd", "lion"):
            one = cell(root, optimizer=optimizer, loss=loss)
            content = record(one, 1.5, untrained=-2.0)
            content["metric"]["lower_is_better"] = False
            content["metric"] |= {"best": 1.5, "best_step": 100}
            write(one, content)


def three_settings_and_a_failure(root):
    for loss in ("hinge", "r1"):
        for optimizer in ("adam", "sgd"):
            for lr in (1e-4, 1e-3, 1e-2):
                one = cell(root, optimizer=optimizer, loss=loss, lr=lr)
                failed = loss == "r1" and lr == 1e-2
                error = {"type": "ValueError", "message": HOSTILE}
                content = record(one, 50 * lr**0.5) | ({"state": "failed", "error": error} if failed else {})
                if failed:
                    del content["metric"]
                write(one, content)


USE_ALL = """async () => {
    const frame = () => new Promise(requestAnimationFrame);
    for (let y = 0; y < document.documentElement.scrollHeight; y += 500) { scrollTo(0, y); await frame(); }
    for (const button of document.querySelectorAll(".switches button")) { button.click(); await frame(); }
    for (const select of document.querySelectorAll(".switches select")) {
        for (const option of select.options) {
            select.value = option.value;
            select.dispatchEvent(new Event("change"));
            await frame();
        }
    }
    for (const entry of [...document.querySelectorAll("main td[data-cell], main tr.choosable")].slice(0, 12)) {
        entry.click();
        await frame();
    }
    for (const box of document.querySelectorAll("#filter input")) { box.click(); await frame(); }
    await frame();
    return document.documentElement.scrollWidth - innerWidth;
}"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "sweep", [two_tables, one_run, only_diverged, higher_is_better_without_rates, three_settings_and_a_failure]
)
def test_all_controls_work_on_other_sweeps(browser, tmp_path, sweep):
    root = tmp_path / "x"
    root.mkdir()
    sweep(root)
    text = formats.in_html(Study.read(root), TableOptions(), root)
    (root / "report.html").write_text(text, encoding="utf-8")
    page, problems = browser.new_page(viewport={"width": 700, "height": 800}), []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto((root / "report.html").as_uri())
    assert page.evaluate(USE_ALL) <= 0
    assert not problems
    page.close()
