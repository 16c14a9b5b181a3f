"""The files and commands of the pages in docs/howto work as written."""

from __future__ import annotations

import doctest
import logging
import re
import shlex
import sys
from pathlib import Path

import pytest
from PIL import Image
from tests.config.test_build_conf import CONF, composed

from gansweep.cli import app
from gansweep.cli.check import main as check
from gansweep.cli.experiments import spelled_out
from gansweep.config.build import check as check_settings
from gansweep.export import main as export
from gansweep.measure import main as measure
from gansweep.plane.__main__ import main as plane
from gansweep.report.__main__ import main as report
from gansweep.sample import main as sample

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.glob("howto/*.md"))
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.M | re.S)
QUICK = ["steps=2", "batch_size=8", "device=cpu", "trainer.tensorboard=false", "workers=1", "pack=1"]
PACKS = re.compile(rf"\b({'|'.join(path.stem for path in (CONF / 'experiment').glob('*.yaml'))})\b")
COMMANDS = {
    "gansweep.check": check,
    "gansweep.export": export,
    "gansweep.measure": measure,
    "gansweep.plane": plane,
    "gansweep.report": report,
    "gansweep.sample": sample,
}


def fences(page: Path) -> list[tuple[str, str]]:
    return FENCE.findall(page.read_text())


def file_of(code: str) -> str | None:
    """Return the path in the first comment of a block, if it names a file; Hydra's package line may precede it."""
    match = re.match(r"(?:# @package _global_\n)?# (my_\S+\.(?:py|yaml))\n", code)
    return match[1] if match else None


def lines(page: Path) -> list[str]:
    return [line for language, code in fences(page) if language == "bash" for line in lines_of(code)]


def lines_of(code: str) -> list[str]:
    block = code.replace("\\\n", " ")
    return [text for line in block.splitlines() if (text := line.partition(" #")[0].strip())]


def first_combination(words: list[str]) -> list[str]:
    return [word if "[" in word or word.startswith("-") else word.partition(",")[0] for word in words]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working directory; modules and log handlers of a page are removed after the test."""
    root, before = logging.getLogger(), set(sys.modules)
    handlers, level = list(root.handlers), root.level
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("GANSWEEP_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("GANSWEEP_DATA", raising=False)
    monkeypatch.setattr("gc.collect", lambda *generation: 0)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("my_"):
            del sys.modules[name]
    root.handlers[:] = handlers
    root.setLevel(level)


# Checks and small trainings take seconds, so the fast tests contain one page.
FAST = "add_an_optimizer"
FOLLOWED = [pytest.param(page, marks=[pytest.mark.slow] * (page.stem != FAST), id=page.stem) for page in PAGES]


@pytest.mark.parametrize("page", FOLLOWED)
def test_the_files_and_commands_of_a_page_work(page, folder, capsys):
    (folder / "my_pictures").mkdir()
    for number in range(64):
        Image.new("L", (28, 28), number).save(folder / "my_pictures" / f"{number}.png")
    for _, code in fences(page):
        if file := file_of(code):
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(code)
    for language, code in fences(page):
        if language == "python" and not file_of(code):
            exec(compile(code, str(page), "exec"), {})
        for line in lines_of(code) if language == "bash" else ():
            follow(line, folder, capsys)


def follow(line: str, folder: Path, capsys) -> None:
    python, dash, module, *words = shlex.split(line)
    assert (python, dash) == ("python", "-m"), line
    shipped = any(PACKS.search(word) for word in words)
    if module == "gansweep" and shipped:
        # Whole tables of papers: the first cell is composed and checked, without its data.
        first = [word for word in first_combination(spelled_out(words)) if not word.startswith("-")]
        problems = [str(problem) for problem in check_settings(composed(*first)).problems]
        assert [text for text in problems if not text.startswith("data")] == [], line
    elif module == "gansweep":
        code = app.run([*first_combination(words), *([] if "plan=true" in words else QUICK)])
        output = capsys.readouterr()
        problems = [text for text in output.err.splitlines() if text.startswith("  ") and "data=mnist" not in text]
        assert code == 0 or problems == [], f"{line}\n{output.out}{output.err}"
    elif module in COMMANDS and not shipped:
        sweeps = {path.name for path in folder.glob("outputs/*")}
        if any(word.startswith("outputs/") and Path(word).name not in sweeps for word in words):
            return  # the page shows a sweep that is not trained here
        assert COMMANDS[module](words) == 0, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_python_sessions_have_the_shown_results(page):
    shown = "\n".join(code for language, code in fences(page) if language == "pycon")
    test = doctest.DocTestParser().get_doctest(shown, {}, page.stem, str(page), 0)
    assert doctest.DocTestRunner().run(test).failed == 0


@pytest.mark.parametrize("page", [*PAGES, *sorted(DOCS.glob("*.md"))], ids=lambda page: page.stem)
def test_every_link_resolves(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize(
    "line", [line for line in lines(DOCS / "gallery.md") if line.startswith("python -m gansweep ")]
)
def test_commands_of_the_gallery_are_valid(line):
    first = [word for word in first_combination(shlex.split(line)[3:]) if not word.startswith("-")]
    assert check_settings(composed(*first)).problems == []


def test_pictures_are_small_and_used():
    shown = {name for page in DOCS.glob("*.md") for name in re.findall(r"\(pictures/(\S+?)\)", page.read_text())}
    assert shown == {path.name for path in (DOCS / "pictures").iterdir()}
    assert max(path.stat().st_size for path in (DOCS / "pictures").iterdir()) < 150_000


def test_files_and_functions_of_the_architecture_exist():
    """Names are those of `src/gansweep`, `file.py`, or with a function, `file.py` (`name`) and `file.py`, `name`."""
    text = (DOCS / "architecture.md").read_text()
    source = DOCS.parent / "src" / "gansweep"
    for path, name in re.findall(r"`([a-z_0-9/]+\.py)`(?:,? \(?`(\w+(?:\.\w+)?)`)?", text):
        file = next((root / path for root in (source, source.parent, DOCS.parent) if (root / path).exists()), None)
        assert file is not None, path
        if name:
            assert re.search(rf"\b{name.rpartition('.')[2]}\b", file.read_text()), f"{path}: {name}"
