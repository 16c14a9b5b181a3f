"""The command gansweep. Mistakes: a command without description or module, a slow --help, a lost `python -m` form."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from shutil import which

import pytest
from hydra._internal.utils import get_args_parser

from gansweep import __version__, completion
from gansweep.commands import COMMANDS, main


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_main_function_and_describes_itself(name, capsys, monkeypatch):
    function = import_module(COMMANDS[name].module).main
    assert list(inspect.signature(function).parameters) == ["arguments"]
    monkeypatch.setattr(sys, "argv", ["/usr/bin/gansweep"])
    with pytest.raises(SystemExit) if name != "train" else pytest.MonkeyPatch.context():
        assert main([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert len(out) > 100
    assert out.startswith(f"usage: gansweep {name} " if name != "train" else "gansweep trains")


def test_the_overview_lists_every_command_on_one_line(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for name, command in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(command.description)}$", out, re.M)
    assert max(map(len, out.splitlines())) <= 110
    assert main([]) == 2
    assert capsys.readouterr().out == out
    assert main(["help"]) == 0
    assert capsys.readouterr().out == out


def test_the_overview_and_the_version_import_neither_torch_nor_hydra():
    for word in ("--help", "--version", "unknown"):
        code = (
            f"import sys; from gansweep.commands import main; main([{word!r}]);"
            "sys.exit(bool({'torch', 'numpy', 'hydra', 'omegaconf', 'pandas'} & sys.modules.keys()))"
        )
        assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_an_unknown_command_is_one_block_with_the_closest_one(capsys):
    assert main(["reprot", "outputs/x"]) == 2
    answer = capsys.readouterr()
    assert answer.out == ""
    assert answer.err.startswith(
        "gansweep reprot: unknown command; did you mean report or export? Commands: train, status"
    )
    assert main(["xyzzy"]) == 2
    assert capsys.readouterr().err.startswith("gansweep xyzzy: unknown command. Commands: ")


@pytest.mark.parametrize("words", [["-m", "lr=1"], ["lr=1"], ["~metric"], ["+a=1"], ["--cfg", "job"]])
def test_a_line_that_begins_with_a_setting_or_an_option_is_a_training(words, monkeypatch):
    called = []
    monkeypatch.setattr("gansweep.cli.app.main", lambda arguments: called.append(arguments) or 0)
    assert main(words) == 0
    assert main(["train", *words]) == 0
    assert called == [words, words]


@pytest.mark.parametrize("word", ["allow=[my_rates]", "+allow=[my_rates]"])
def test_allowed_modules_are_found_in_the_current_directory(word, tmp_path, monkeypatch, capsys):
    """The import path of the script `gansweep` lacks the current directory, which `python -m gansweep` has."""
    (tmp_path / "my_rates.py").write_text(
        "from gansweep.schedules.constant import Constant\nclass Mine(Constant): pass\n"
    )
    (tmp_path / "conf" / "schedule").mkdir(parents=True)
    (tmp_path / "conf" / "schedule" / "mine.yaml").write_text("_target_: my_rates.Mine\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", before := list(sys.path))
    monkeypatch.delitem(sys.modules, "my_rates", raising=False)
    line = ["schedules", "--config-dir", "conf", "schedule=mine", "out=null"]
    assert main(line) == 2
    assert str(tmp_path) not in sys.path, "nothing of the current directory is imported unless it is allowed"
    assert main([*line, word]) == 0
    assert sys.path == before
    assert sys.path[-1] == str(tmp_path), "a file of the current directory replaces no installed module"
    assert "| mine" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["gansweep"], ["gansweep.commands"]])
def test_the_version_is_ours(command):
    words = [sys.executable, "-m", *command, "--version"]
    out = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert out.startswith(f"gansweep {__version__} (Python ")


def test_python_m_gansweep_trains_or_runs_a_command(tmp_path):
    def run(*words: str) -> subprocess.CompletedProcess:
        line = [sys.executable, "-m", "gansweep", *words]
        return subprocess.run(line, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert run("status", "nothing").stderr.startswith("nothing: no such directory")
    assert "  lr: expected key=value" in run("lr").stderr
    assert "== Groups: choose with group=option ==" in run("--help").stdout


def test_a_command_is_named_as_it_was_called(monkeypatch, capsys):
    for argv0, usage in (("/usr/bin/gansweep", "gansweep report"), ("x/__main__.py", "python -m gansweep.report")):
        monkeypatch.setattr(sys, "argv", [argv0])
        with pytest.raises(SystemExit):
            main(["report", "--help"])
        assert capsys.readouterr().out.startswith(f"usage: {usage} ")


def test_candidates_are_commands_options_and_settings(monkeypatch):
    assert completion.candidates([]) == list(COMMANDS)
    assert completion.candidates(["rep"]) == ["report"]
    assert completion.candidates(["report", "--for"]) == ["--format"]
    assert {"--format", "--where"} <= set(completion.candidates(["report", "--"]))
    assert completion.candidates(["report", "outp"]) == []  # file names, by the shell
    assert completion.candidates(["completion", ""]) == ["bash", "zsh", "fish"]
    assert completion.candidates(["train", "optimizer=ada"]) == sorted(
        f"optimizer={file.stem}" for file in Path("conf/optimizer").glob("ada*.yaml")
    )
    assert "lr=" in completion.candidates(["train", "-m", "optimizer=adam", "l"])
    assert "optimizer=sgd" in completion.candidates(["optimizer=sg"])
    assert completion.candidates(["train", "--mul"]) == completion.candidates(["--mul"]) == ["--multirun"]
    accepted = {option for action in get_args_parser()._actions for option in action.option_strings}
    assert set(completion.TRAIN_OPTIONS) <= accepted


def completes(shell: str, script: str, folder: Path) -> list[str]:
    """Return the lines that a shell prints for a script, with the command gansweep on its path."""
    if which(shell) is None:
        pytest.skip(f"needs {shell}")
    environment = os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder)}
    return subprocess.run([shell, "-c", script], env=environment, capture_output=True, text=True).stdout.splitlines()


@pytest.fixture
def folder(tmp_path):
    """A folder with the command gansweep."""
    (tmp_path / "gansweep").write_text(f'#!/bin/sh\nexec {sys.executable} -m gansweep.commands "$@"\n')
    (tmp_path / "gansweep").chmod(0o755)
    return tmp_path


QUERIES = {"gansweep rep": "report", "gansweep report --comp": "--compare", "gansweep train optimizer=prod": "prodigy"}


@pytest.mark.parametrize(("line", "candidate"), QUERIES.items())
def test_bash_completes(line, candidate, folder):
    bash = f"""
        eval "$(gansweep completion bash)"
        COMP_LINE={line!r} COMP_POINT={len(line)}
        _gansweep
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    assert completes("bash", bash, folder) == [candidate]


@pytest.mark.parametrize(("line", "candidate"), QUERIES.items())
def test_fish_completes(line, candidate, folder):
    (first, *_) = completes("fish", f"gansweep completion fish | source; complete --do-complete {line!r}", folder)
    assert first.rpartition("=")[2] == candidate


@pytest.mark.parametrize(("line", "candidate"), QUERIES.items())
def test_zsh_completes(line, candidate, folder):
    script = f"""
        compdef() {{ }}
        compadd() {{ print -l -- "$@" }}
        eval "$(gansweep completion zsh)"
        words=({line}) CURRENT={len(line.split())}
        _gansweep
    """
    shown = completes("zsh", script, folder)
    assert shown[-1].rpartition("=")[2] == candidate


def test_completion_without_candidates_leaves_file_names_to_the_shell(folder):
    (folder / "outputs").mkdir()
    bash = """
        eval "$(gansweep completion bash)"
        COMP_LINE="gansweep report outp" COMP_POINT=20
        _gansweep
        echo "${#COMPREPLY[@]}"
        complete -p gansweep
    """
    count, rule = completes("bash", bash, folder)
    assert count == "0"
    assert "-o default" in rule
