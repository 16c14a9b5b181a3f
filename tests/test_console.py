"""Whatever is printed may be read by `head`. Mistake: a traceback, or files that are not written after it."""

from __future__ import annotations

import errno
import subprocess
import sys

import pytest

LINES = """
import sys

import pytest
from gansweep.console import say
for n in range(20000):
    say(f"line {n}")
open(sys.argv[1], "w").close()
"""


def test_a_reader_who_leaves_ends_nothing(tmp_path):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", LINES, str(tmp_path / "written")], **pipes) as command:
        assert command.stdout.readline() == "line 0\n"
        command.stdout.close()
        said = command.stderr.read()
    assert (command.returncode, said) == (0, "")
    assert (tmp_path / "written").exists()


def test_what_is_said_is_printed(capsys):
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
def test_a_wrong_argument_is_2_as_with_argparse_and_a_failing_system_1(raised, code, capsys):
    from gansweep.console import exit_code

    def work() -> None:
        if raised is not None:
            raise raised

    assert exit_code(work) == code
    assert capsys.readouterr().err == ("" if raised is None else f"{raised}\n")


def test_a_directory_to_write_to_is_made_or_refused_by_its_option(tmp_path):
    from gansweep.console import make_folder

    make_folder("--out", tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_text("")
    for wrong in (tmp_path / "file", tmp_path / "file" / "inside"):
        with pytest.raises(ValueError, match=f"--out {wrong}: .*expected a directory"):
            make_folder("--out", wrong)
