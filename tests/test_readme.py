"""README, FAQ and docs/sweeps.md: command lines are valid, examples run, and links resolve."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from gansweep.cli.experiments import spelled_out
from gansweep.cli.hydra_app import composer_and_loader, jobs_of
from gansweep.config.build import check
from tests.config.test_build_conf import composed

ROOT = Path(__file__).parents[1]
README, FAQ, SWEEPS = (ROOT / name for name in ("README.md", "docs/faq.md", "docs/sweeps.md"))
MAX_README_CHARACTERS = 8000


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.S)


def training_lines() -> list[str]:
    pages = (README, FAQ, SWEEPS)
    lines = [line.partition(" #")[0].strip() for page in pages for b in blocks(page, "bash") for line in b.splitlines()]
    return sorted({line for line in lines if line.startswith("python -m gansweep ") and "allow=" not in line})


@pytest.mark.parametrize("line", training_lines())
def test_the_first_run_of_every_command_line_can_be_built(line):
    overrides = [word for word in shlex.split(line)[3:] if not word.startswith("-")]
    with composer_and_loader(None) as (_, loader):
        first, *_ = jobs_of(loader, spelled_out(overrides))
    problems = [str(problem) for problem in check(composed(*first)).problems]
    assert [text for text in problems if not text.startswith("data")] == []


def test_the_readme_is_short():
    assert len(README.read_text()) <= MAX_README_CHARACTERS


def test_the_generated_pages_are_up_to_date():
    command = [sys.executable, str(ROOT / "scripts" / "docs" / "generate.py"), "--check"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_the_notebook_example_runs(tmp_path, monkeypatch, capsys):
    (code,) = [block for block in blocks(FAQ, "python") if "train(run" in block]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANSWEEP_CACHE", str(tmp_path / "cache"))
    exec(compile(code, "faq.md", "exec"), {})
    state, value = capsys.readouterr().out.split()
    assert state == "completed"
    assert float(value) > 0
    assert (tmp_path / "outputs" / "notebook" / "record.json").exists()


def test_the_optimizer_of_the_readme_works():
    import torch

    from gansweep.interfaces import UpdateContext

    (code,) = [block for block in blocks(README, "python") if "class SignSGD" in block]
    names: dict = {}
    exec(compile(code, "README.md", "exec"), names)
    theta, gradient = torch.ones(2, 3), torch.tensor([[1.0, -2.0, 0.0], [3.0, 1.0, -1.0]])
    context = UpdateContext(torch.tensor([[0.1], [0.5]]), torch.ones(2, 1))
    names["SignSGD"]().update(theta, gradient, {}, context)
    torch.testing.assert_close(theta, torch.tensor([[0.9, 1.1, 1.0], [0.5, 0.5, 1.5]]))


def test_the_check_of_the_clipped_optimizer_has_the_shown_output(tmp_path, monkeypatch, capsys):
    from gansweep.cli.check import main

    page = ROOT / "docs" / "howto" / "check_your_class.md"
    (code,) = [block for block in blocks(page, "python") if "class Clipped" in block]
    (yaml,) = blocks(page, "yaml")
    (line,) = re.findall(r"^    python -m gansweep.check (.*)$", page.read_text(), re.M)
    (shown,) = re.findall(r"```\n( +part +property.*?)```", page.read_text(), re.S)
    (tmp_path / "my_gans").mkdir()
    (tmp_path / "my_gans" / "clipped.py").write_text(code)
    (tmp_path / "my_conf" / "optimizer").mkdir(parents=True)
    (tmp_path / "my_conf" / "optimizer" / "clipped.yaml").write_text(yaml)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main(shlex.split(line)) == 1
    printed = capsys.readouterr().out.splitlines()
    results = [re.split("  +", text)[:3] for text in printed if re.match("(pass|FAIL|-) ", text)]
    expected = [re.split("  +", text)[:3] for text in shown.splitlines() if text.startswith(("pass", "FAIL"))]
    assert [result for result in results if result in expected] == expected


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)[^)]*\)", README.read_text()))
def test_every_link_of_the_readme_resolves(target):
    assert (ROOT / target).exists()
