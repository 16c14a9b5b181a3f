"""What the README says is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from gansweep.build import check
from gansweep.cli.presets import spelled_out
from gansweep.settings.root import Root
from tests.build.test_build_conf import composed

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()
GROUPS = (
    "model",
    "loss",
    "optimizer",
    "algorithm",
    "dynamics",
    "schedule",
    "feedback",
    "data",
    "metric",
    "trainer",
    "experiment",
)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.S)


@pytest.mark.parametrize("group", GROUPS)
def test_the_table_of_groups_lists_every_choice_and_no_other(group):
    (row,) = re.findall(rf"^\| `{group}` \| (.*) \|$", TEXT, re.M)
    told = {name.strip("* ") for name in row.split(",")}
    assert told == {path.stem for path in (ROOT / "conf" / group).glob("*.yaml")}


def test_the_table_of_numbers_has_no_strangers():
    (table,) = re.findall(r"\| number \| meaning.*?\n\n", TEXT, re.S)
    rows = [row for row in table.splitlines() if row]
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert "batch_size" in told
    assert told <= set(Root.__dataclass_fields__)


def lines_of_the_command_line() -> list[str]:
    found = [line.partition("#")[0].strip() for block in blocks("bash") for line in block.splitlines()]
    return [line for line in found if line.startswith("python -m gansweep ")]


@pytest.mark.parametrize("line", lines_of_the_command_line())
def test_every_command_line_is_valid(line, monkeypatch):
    """The first combination of every line composes and checks; data may be missing."""
    overrides = [word for word in shlex.split(line)[3:] if not word.startswith("-")]
    first = [word if "[" in word else word.partition(",")[0] for word in overrides]
    problems = [str(problem) for problem in check(composed(*spelled_out(first))).problems]
    assert [text for text in problems if not text.startswith("data")] == []


def test_the_notebook_example_runs(tmp_path, monkeypatch, capsys):
    (code,) = [block for block in blocks("python") if "train(run" in block]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANSWEEP_CACHE", str(tmp_path / "cache"))
    exec(compile(code, "README.md", "exec"), {})
    state, value = capsys.readouterr().out.split()
    assert state == "completed"
    assert float(value) > 0
    assert (tmp_path / "outputs" / "notebook" / "record.json").exists()


def test_the_optimizer_in_two_files_works():
    import torch

    (code,) = [block for block in blocks("python") if "class SignSGD" in block]
    names: dict = {}
    exec(compile(code, "README.md", "exec"), names)
    theta, gradient = torch.ones(2, 3), torch.tensor([[1.0, -2.0, 0.0], [3.0, 1.0, -1.0]])
    names["SignSGD"]().update((), theta, gradient, {}, torch.tensor([[0.1], [0.5]]), torch.ones(2, 1))
    torch.testing.assert_close(theta, torch.tensor([[0.9, 1.1, 1.0], [0.5, 0.5, 1.5]]))


def test_the_check_says_of_the_clipped_optimizer_what_is_shown(tmp_path, monkeypatch, capsys):
    from gansweep.cli.check import main

    (code,) = [block for block in blocks("python") if "class Clipped" in block]
    (target,) = re.findall(r"the line  (_target_: .*)", code)
    (line,) = [line for block in blocks("bash") for line in block.splitlines() if "optimizer=clipped" in line]
    (shown,) = re.findall(r"```\n( +part +promise.*?)```", TEXT, re.S)
    (tmp_path / "my_package.py").write_text(code)
    (tmp_path / "my_conf" / "optimizer").mkdir(parents=True)
    (tmp_path / "my_conf" / "optimizer" / "clipped.yaml").write_text(target + "\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main(shlex.split(line)[3:]) == 1
    told = capsys.readouterr().out.splitlines()
    promises = [re.split("  +", text)[:3] for text in told if re.match("(pass|FAIL|-) ", text)]
    as_shown = [re.split("  +", text)[:3] for text in shown.splitlines() if text.startswith(("pass", "FAIL"))]
    assert [one for one in promises if one in as_shown] == as_shown
    (of,) = re.findall(r"These are (\d+ of its \d+) lines", TEXT)
    assert of == f"{len(as_shown)} of its {len(promises)}"


def test_every_link_leads_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / target).exists(), target
