"""The HTML page in a browser: what is shown, and what the controls do.

Mistakes: an error in the script, a value or command line of another run, a filter that leaves a hidden configuration in
a chart, a control that the keyboard can't reach, a page that is wider than the window, paper without figures.
"""

from __future__ import annotations

import re

import pytest
from tests.report.browser import figure, hits, needs_chromium, point_at
from tests.report.curve_records import curve

pytestmark = needs_chromium
WIDTHS = [400, 1000, 1600]


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


@pytest.mark.parametrize(
    "page", [{"viewport": {"width": width, "height": 800}} for width in (1200, 1400)], indirect=True
)
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


@pytest.mark.slow
def test_training_time_as_x_has_a_point_for_every_seed(page):
    chart = figure(page, "rates")
    chart.get_by_label("x", exact=True).select_option(label="training time")
    chart.get_by_role("button", name="every seed").click()
    points = [point for point in hits(chart) if point["seed"] is not None]
    assert len(points) == 10, "12 runs, 2 of them diverged"
    assert {dict(point["rows"])["training time (s)"] for point in points} == {"2"}
