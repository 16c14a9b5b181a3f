"""Results and rows of tables for the tests."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.sweep.fake_cells import cell, record

from gansweep.sweep.cell import Result, State
from gansweep.sweep.identity import digest


def done(root, final=50.0, fingerprint=None, untrained=400.0, config=None, **overrides):
    one = cell(root, **overrides)
    return Result(one, State.COMPLETED, record(one, final, fingerprint=fingerprint, untrained=untrained))


def rows(text):
    """The cells' texts, row by row, without the rule."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [
        [part.strip() for part in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines if not line.startswith("| --")
    ]


def version(root, lr, code, finished=None):
    of = cell(root, optimizer="mine", lr=lr)
    identity = of.identity | {"code": {"my.gans": code * 64}}
    of = replace(of, identity=identity, hash=digest(identity), directory=root / f"{lr}-{code}")
    content = record(of, {"a": 50.0, "b": 60.0}[code])
    return Result(of, State.COMPLETED, content | {"time": content["time"] | {"finished": finished}})
