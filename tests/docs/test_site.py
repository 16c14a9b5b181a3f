"""The documentation site, with a reference generated from the docstrings."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    pytest.importorskip("mkdocs")
    pytest.importorskip("mkdocstrings_handlers.python")
    folder = tmp_path_factory.mktemp("site")
    line = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", "scripts/docs/mkdocs.yml", "-d", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return folder


@pytest.mark.slow
def test_every_package_is_in_the_reference(site):
    packages = {path.parent.name for path in (ROOT / "src" / "gansweep").glob("*/__init__.py")}
    assert {path.stem for path in (site / "api").glob("*.html")} >= packages
    adam = (site / "api" / "optimizers.html").read_text()
    assert 'id="gansweep.optimizers.adam.Adam.update"' in adam
    assert "&gt;&gt;&gt;" in (site / "api" / "statistics.html").read_text(), (
        "examples must be code blocks, not quotations"
    )


@pytest.mark.slow
def test_every_page_is_in_the_menu(site):
    menu = set(re.findall(r'class="[^"]*reference internal[^"]*" href="([^"#]*)', (site / "index.html").read_text()))
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html").as_posix() for path in ROOT.glob("docs/*.md")}
    pages |= {f"howto/{path.stem}.html" for path in ROOT.glob("docs/howto/*.md")}
    assert pages | {"tutorial.html", "contributing.html", "changelog.html"} <= menu


@pytest.mark.slow
def test_no_file_is_loaded_from_another_host(site):
    for page in site.rglob("*.html"):
        assert not re.search(r'<(?:script|link|img)[^>]*(?:src|href)="(?:https?:)?//', page.read_text()), page.name
