"""Whatever is printed may be read by `head`. Mistake: a traceback, or files that are not written after it."""

from __future__ import annotations

import subprocess
import sys

LINES = """
import sys
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
