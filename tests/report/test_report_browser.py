"""The HTML page in a browser: what is shown, and what the controls do.

Mistakes: an error in the script, a value or command line of another run, a filter that leaves a hidden configuration in
a chart, a control that the keyboard can't reach, a page that is wider than the window, paper without figures.
"""

from __future__ import annotations

import re
import shutil

import pytest
from tests.report.test_report_charts import HOSTILE, curve, measured
from tests.sweep.fake_cells import cell, diverged, record, write

from gansweep.report import formats
from gansweep.report.formats import TableOptions
from gansweep.report.study import Study

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, of gansweep[dev]")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
WIDTHS = [400, 1000, 1600]


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


def test_page_draws_its_charts_without_errors(page):
    for kind in ("curves", "rates", "heat"):
        figure(page, kind)
    assert page.locator("figure.drawn .image:visible").count() == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["curves", "rates"])
def test_hover_shows_the_value_of_the_record_and_the_command(page, kind):
    chart = figure(page, kind)
    chart.get_by_role("button", name="every seed").click()
    points = [p for p in hits(chart) if p["seed"] == "1" and "optimizer=adam, lr=0.0001" in p["name"]]
    point_at(page, chart, points[-1])
    text = page.locator(".tip").inner_text()
    exact = f"{curve('adam', 1e-4, 1)[-1]:.5g}"
    assert exact in text
    assert text.strip().endswith("optimizer=adam lr=0.0001 seed=1")


@pytest.mark.slow
def test_click_pins_the_value_and_copies_the_command(page):
    chart = figure(page, "curves")
    point = hits(chart)[2]
    point_at(page, chart, point)
    page.mouse.down()
    page.mouse.up()
    page.get_by_role("button", name="Copy command").click()
    expected = page.locator(".tip code").inner_text()
    assert page.evaluate("navigator.clipboard.readText()") == expected
    assert "-m" in expected
    assert expected.endswith("seed=0,1,2")
    page.keyboard.press("Escape")
    page.locator(".tip").wait_for(state="hidden")


@pytest.mark.slow
def test_filter_leaves_the_chosen_setting_in_charts_tables_and_samples(page):
    page.get_by_label("adam", exact=True).check()
    assert page.locator("#count").inner_text() == "2 of 4"
    chart = figure(page, "curves")
    names = [point["name"] for point in hits(chart)]
    assert names
    assert all("optimizer=adam" in name for name in names)
    assert figure(page, "heat").locator("td[data-cell]").count() == 2
    for table in page.locator("table.sortable:visible").all():
        if table.locator("[data-cell]").count():
            rows = table.locator("tbody tr:visible")
            assert rows.count()
            assert all("adam" in row for row in rows.all_inner_texts())
    assert page.locator(".samples > li:visible").count() == 2
    page.get_by_role("button", name="Show all").click()
    assert page.locator("#count").inner_text() == "all 4 configurations"
    assert page.locator(".samples > li:visible").count() == 4


@pytest.mark.slow
def test_filter_keeps_rows_of_unknown_cells_and_the_tab_order(page):
    runs = page.locator("table.sortable").last
    runs.evaluate("(table) => (table.querySelector('[data-cell]').dataset.cell = '00000000')")
    page.locator("#runs ~ details summary").click()
    page.get_by_label("0.01", exact=True).check()
    shown = runs.locator("tbody tr:visible")
    assert shown.count() == 7, "six runs, and one whose configuration no table shows"
    assert shown.evaluate_all("(rows) => rows.map((row) => row.tabIndex)") == [0] + [-1] * 6


@pytest.mark.slow
def test_log_switch_changes_the_scale(page):
    chart = figure(page, "curves")
    scale = "(f) => f.querySelector('.panel').plot.drawn.scales.y.distr"
    button = chart.get_by_role("button", name="log scale")
    before, pressed = chart.evaluate(scale), button.get_attribute("aria-pressed")
    button.click()
    page.wait_for_function("(f) => f.querySelector('.panel').plot.drawn", arg=chart.element_handle())
    assert {before, chart.evaluate(scale)} == {1, 3}
    assert {pressed, button.get_attribute("aria-pressed")} == {"true", "false"}


@pytest.mark.slow
def test_drag_zooms_and_double_click_resets(page):
    chart = figure(page, "curves")
    limits = "(f) => { const {min, max} = f.querySelector('.panel').plot.drawn.scales.x; return [min, max]; }"
    whole = chart.evaluate(limits)
    box = chart.locator(".u-over").first.bounding_box()
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.7 * box["height"], steps=4)
    page.mouse.up()
    page.wait_for_function("(f) => f.querySelector('.panel').plot.drawn", arg=chart.element_handle())
    low, high = chart.evaluate(limits)
    width = whole[1] - whole[0]
    assert [low, high] == pytest.approx([whole[0] + 0.25 * width, whole[0] + 0.5 * width], abs=0.02 * width)
    chart.get_by_role("button", name="Reset zoom").click()
    page.wait_for_function("(f) => f.querySelector('.panel').plot.drawn", arg=chart.element_handle())
    assert chart.evaluate(limits) == pytest.approx(whole)


@pytest.mark.slow
def test_click_on_a_value_shows_its_curves_samples_and_command(page):
    entry = page.locator("table.sortable").first.locator("tr", has_text="adam").locator("td").first
    entry.click()
    panel = page.locator("#details")
    assert panel.locator("h2").inner_text() == "optimizer=adam, lr=0.0001"
    panel.locator("canvas").wait_for()
    assert panel.locator("img.sample").get_attribute("src").startswith("data:image/png")
    values = panel.locator("tbody td.number").all_inner_texts()
    assert values == [f"{curve('adam', 1e-4, seed)[-1]:.5g}" for seed in range(3)]
    assert panel.locator("code").inner_text().endswith("optimizer=adam lr=0.0001 seed=0,1,2")
    panel.get_by_role("button", name="Close").click()
    assert panel.is_hidden()


@pytest.mark.slow
def test_keyboard_chooses_rows_and_points(page):
    row = page.locator("table.sortable").nth(1).locator("tbody tr").first
    row.focus()
    page.keyboard.press("ArrowDown")
    second = page.locator("table.sortable").nth(1).locator("tbody tr").nth(1)
    assert second.evaluate("(one) => one === document.activeElement")
    outline = "(one) => getComputedStyle(one).outlineStyle"
    assert second.evaluate(outline) == "solid"
    page.keyboard.press("Enter")
    assert page.locator("#details").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#details").is_hidden()
    assert second.evaluate("(one) => one === document.activeElement")

    chart = figure(page, "curves")
    chart.locator(".plot").first.focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    assert "100" in page.locator(".tip dd").first.inner_text()
    page.keyboard.press("c")
    page.wait_for_function("document.querySelector('.tip code')")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator(".tip code").inner_text()
    page.keyboard.press("Enter")
    page.locator(".tip.pinned").wait_for()
    page.keyboard.press("Escape")
    assert page.locator(".tip").is_hidden()


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [{"viewport": {"width": width, "height": 800}} for width in WIDTHS], indirect=True, ids=map(str, WIDTHS)
)
def test_page_fits_the_window_and_fills_it(page):
    figure(page, "curves")
    page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
    page.locator("table.sortable").first.locator("td[data-cell]").first.click()
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    main = page.locator("main").bounding_box()
    panels = page.locator("figure[data-chart=curves] .panels").first.bounding_box()
    assert panels["width"] > 0.9 * (main["width"] - 40)
    assert main["width"] >= 0.8 * width


@pytest.mark.parametrize("page", [{"viewport": {"width": 1400, "height": 800}}], indirect=True)
def test_the_table_of_ranks_fits_a_window_of_usual_width(page):
    regions = page.locator(".scroll", has=page.locator("th", has_text="verdict"))
    assert regions.count() == 1
    page.evaluate(
        """for (const entry of document.querySelectorAll("tbody td, tbody th"))
            if (entry.textContent.includes("script")) entry.textContent = "sgd";"""
    )
    assert regions.first.evaluate("(region) => region.scrollWidth <= region.clientWidth")


@pytest.mark.slow
def test_theme_follows_the_system_and_the_button(browser, address):
    ground = "getComputedStyle(document.body).backgroundColor"
    for scheme, button in (("light", "Dark colours"), ("dark", "Light colours")):
        context = browser.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto(address)
        before = page.evaluate(ground)
        assert (before == "rgb(255, 255, 255)") == (scheme == "light")
        page.get_by_role("button", name=button).click()
        assert page.evaluate(ground) != before
        context.close()


@pytest.mark.slow
def test_paper_shows_the_drawn_figures(page):
    page.emulate_media(media="print")
    assert page.locator("figure .chart:visible, #filter:visible, nav:visible").count() == 0
    images = page.locator("figure.drawn .image:visible img")
    assert images.count() == page.locator("figure[data-chart]").count()
    assert images.evaluate_all("(all) => all.every((image) => image.complete && image.naturalWidth > 0)")


@pytest.mark.slow
def test_without_scripts_the_drawn_figures_and_all_rows_are_shown(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator("figure[data-chart] .image:visible").count() == page.locator("figure[data-chart]").count()
    assert page.locator(".scripted:visible").count() == 0
    context.close()


@pytest.mark.slow
def test_a_click_on_a_head_sorts_the_column(page):
    table = page.locator("table.sortable").nth(1)
    heads = table.locator("thead th").all_inner_texts()
    column = next(n for n, text in enumerate(heads) if text.startswith("mean"))
    button = table.locator("thead button").nth(column)
    values = table.locator(f"tbody tr > :nth-child({column + 1})")
    for state, is_reversed in (("ascending", False), ("descending", True)):
        button.click()
        assert table.locator("thead th").nth(column).get_attribute("aria-sort") == state
        numbers = [float(re.match(r"[\d.]+", text)[0]) for text in values.all_inner_texts()]
        assert numbers == sorted(numbers, reverse=is_reversed)


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


@pytest.mark.slow
def test_training_time_as_x_has_a_point_for_every_seed(page):
    chart = figure(page, "rates")
    chart.get_by_label("x", exact=True).select_option(label="training time")
    chart.get_by_role("button", name="every seed").click()
    points = [point for point in hits(chart) if point["seed"] is not None]
    assert len(points) == 10, "12 runs, 2 of them diverged"
    assert {dict(point["rows"])["training time (s)"] for point in points} == {"2"}
