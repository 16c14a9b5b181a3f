"""Width of the tables of a page. Mistake: the last column of an ordinary table outside of an ordinary window."""

from __future__ import annotations

import itertools
import re
import subprocess

import pytest
from tests.report.browser import CHROMIUM, needs_chromium
from tests.report.studies import study

from gansweep.report import formats
from gansweep.report.formats import TableOptions

MEASURE = """<script>document.title = [...document.querySelectorAll("main .scroll")].filter((host) =>
  host.querySelector("table")).map((host) => host.scrollWidth - host.clientWidth).join(" ")</script></body>"""


@needs_chromium
@pytest.mark.slow
def test_all_columns_of_an_ordinary_table_are_visible(tmp_path):
    optimizers = ("adam", "lion", "nadam", "rmsprop", "schedule_free_adamw", "sgd")
    grid = itertools.product(optimizers, (1e-4, 1e-3, 1e-2), range(5))
    finals = [
        ({"optimizer": name, "lr": lr, "seed": seed}, 100.0 + 3 * len(name) + 9 * (7 * seed % 5))
        for name, lr, seed in grid
    ]
    page = formats.in_html(study(tmp_path, finals), TableOptions(), tmp_path)
    file = tmp_path / "page.html"
    file.write_text(re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page).replace("</body>", MEASURE))
    line = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1300,1000", "--dump-dom"]
    dom = subprocess.run([*line, file.as_uri()], capture_output=True, text=True, timeout=120, check=True).stdout
    beyond = re.search(r"<title>([-0-9 ]+)</title>", dom)
    assert beyond is not None
    assert set(beyond[1].split()) == {"0"}
