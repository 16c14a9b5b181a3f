"""Files of a sweep, and kinds of damage to each."""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# A completed cell, one whose process was killed, and the sweep itself.
FILES = {
    "finished": (
        *("record.json", "checkpoint.pt", "gansweep.log", ".hydra/config.yaml", ".hydra/overrides.yaml"),
        *("samples", "events.*"),
    ),
    "unfinished": ("checkpoint.pt", "checkpoint.previous.pt", ".claim.*", "gansweep.log", ".hydra/config.yaml"),
    "sweep": ("sweep.json", "table.md", "results.csv", "multirun.yaml"),
}


def _replace(content: bytes) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        path.write_bytes(content)

    return damage


def _change(how: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        path.write_bytes(how(path.read_bytes()))

    return damage


def _instead(make: Callable[[Path], None]) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        path.unlink()
        make(path)

    return damage


def _flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


def _folder(path: Path) -> None:
    path.mkdir()
    (path / "inside").write_text("1")


def _of_the_future(path: Path) -> None:
    os.utime(path, (4e9, 4e9))


BYTES: dict[str, Callable[[Path], None]] = {
    "empty": _replace(b""),
    "cut in half": _change(lambda content: content[: len(content) // 2]),
    "one byte short": _change(lambda content: content.rstrip()[:-1]),
    "one byte flipped": _change(_flip),
    "random bytes": _replace(random.Random(0).randbytes(4000)),
    "zeros": _change(lambda content: bytes(len(content))),
    "not UTF-8": _change(lambda content: b"\xff\xfe" + content),
    "doubled": _change(lambda content: content + content),
    "null": _replace(b"null"),
    "a list": _replace(b"[1, 2]"),
    "an empty mapping": _replace(b"{}"),
    "a word": _replace(b'"text"'),
    "400 digits": _replace(b'{"format": ' + b"1" * 400 + b"}"),
    "nested deeply": _replace(b"[" * 100_000),
    "a folder": _instead(_folder),
    "a FIFO": _instead(os.mkfifo),
    "a link to itself": _instead(lambda path: path.symlink_to(path.name)),
    "a link to nothing": _instead(lambda path: path.symlink_to("nothing")),
    "of the future": _of_the_future,
    "gone": Path.unlink,
}
# Wrong values of one field of a JSON file.
VALUES: dict[str, Any] = {
    "null": None,
    "text": "x",
    "a list": ["x"],
    "a mapping": {"x": 1},
    "400 digits": 10**399,
    "negative": -1,
    "NaN": float("nan"),
    "markup": "<b>\x1b[31m\n=cmd|' /C calc'!A0",
}


@dataclass(frozen=True)
class Damage:
    """Damage to one file.

    Args:
        where: finished, half-way or sweep.
        file: its name there.
        kind: what happens.
        damage: does it.
    """

    where: str
    file: str
    kind: str
    damage: Callable[[Path], None]

    def __str__(self) -> str:
        return f"{self.where}/{self.file}: {self.kind}"

    @property
    def is_named(self) -> bool:
        """Whether the sweep must name the file: it reads it and cannot use it."""
        read = (self.where, self.file) == ("unfinished", "checkpoint.pt") or self.file in ("record.json", "sweep.json")
        return read and self.kind in BYTES and self.kind not in UNSPOKEN

    def __call__(self, path: Path) -> None:
        """Damage a file. Claims get the age of an hour: a new one could still be written."""
        if path.is_dir():
            shutil.rmtree(path)
            path.write_bytes(b"")
        self.damage(path)
        if self.file.startswith(".claim") and self.kind not in ("gone", "of the future"):
            past = time.time() - 3600
            os.utime(path, (past, past), follow_symlinks=False)


# Files that need not be named: the sweep does not read them, or they remain valid.
UNSPOKEN = ("of the future", "gone", "doubled", "a link to nothing")


def damages(record: dict[str, Any], frozen: dict[str, Any]) -> Iterator[Damage]:
    """List all damages, given a record.json and a sweep.json."""
    for where, files in FILES.items():
        for file in files:
            for kind, damage in BYTES.items():
                yield Damage(where, file, kind, damage)
    for where, file, content in (("finished", "record.json", record), ("sweep", "sweep.json", frozen)):
        for path in _fields(content):
            for kind, value in VALUES.items():
                named = ".".join(map(str, path))
                yield Damage(where, file, f"{named} {kind}", _field(path, value))


def _fields(node: Any, path: tuple = ()) -> Iterator[tuple]:
    """Yield all paths of a JSON file, except those inside configurations; of lists the first entry only."""
    if path:
        yield path
    if isinstance(node, dict) and path[-1:] not in [("config",), ("identity",)]:
        for key, part in node.items():
            yield from _fields(part, (*path, key))
    elif isinstance(node, list) and node:
        yield from _fields(node[0], (*path, 0))


def _field(path: tuple, value: Any) -> Callable[[Path], None]:
    def damage(file: Path) -> None:
        content = node = json.loads(file.read_text())
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = value
        file.write_text(json.dumps(content))

    return damage
