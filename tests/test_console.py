"""Output of the commands. Mistake: `| head` closes the pipe, and the command ends before it writes its files."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

LINES = """
import sys

import pytest
from gansweep.console import say
for n in range(20000):
    say(f"line {n}")
open(sys.argv[1], "w").close()
"""


def test_a_closed_pipe_does_not_end_the_command(tmp_path):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", LINES, str(tmp_path / "written")], **pipes) as command:
        assert command.stdout.readline() == "line 0\n"
        command.stdout.close()
        errors = command.stderr.read()
    assert (command.returncode, errors) == (0, "")
    assert (tmp_path / "written").exists()


def test_a_closed_pipe_leaves_no_open_descriptors(monkeypatch, tmp_path):
    from gansweep.console import say

    with (tmp_path / "out").open("w") as file:

        class Closed:
            def write(self, text):
                raise BrokenPipeError

            def fileno(self):
                return file.fileno()

        monkeypatch.setattr(sys, "stdout", Closed())
        before = len(list(Path("/dev/fd").iterdir()))
        for _ in range(3):
            say("text")
        assert len(list(Path("/dev/fd").iterdir())) == before


def test_say_prints_its_text(capsys):
    from gansweep.console import say

    say("a", end="")
    say("b")
    assert capsys.readouterr().out == "ab\n"


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (None, 0),
        (ValueError("--lr -1"), 2),
        (FileNotFoundError("no such sweep"), 2),
        (OSError(errno.ENAMETOOLONG, "File name too long"), 2),
        (PermissionError("disk"), 1),
    ],
    ids=repr,
)
def test_exit_code_is_2_for_a_wrong_argument_and_1_for_a_system_error(raised, code, capsys):
    from gansweep.console import exit_code

    def work() -> None:
        if raised is not None:
            raise raised

    assert exit_code(work) == code
    assert capsys.readouterr().err == ("" if raised is None else f"{raised}\n")


def test_an_output_directory_is_made_or_refused_under_its_option(tmp_path):
    from gansweep.console import make_folder

    make_folder("--out", tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_text("")
    for wrong in (tmp_path / "file", tmp_path / "file" / "inside"):
        with pytest.raises(ValueError, match=f"--out {wrong}: .*expected a directory"):
            make_folder("--out", wrong)
