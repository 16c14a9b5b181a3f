"""Loggers as a user writes them: one that prints, and ones that raise in every method."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Lines:
    """Append one line per call to a file."""

    path: str

    def open(self, run):
        return _Lines(self.path, run)


class _Lines:
    def __init__(self, path, run):
        self.path = path
        self._write("open", run.name, run.group, run.step, run.settings["seed"])

    def scalars(self, values, step):
        self._write("scalars", step, *sorted(values))

    def picture(self, tag, picture, step):
        self._write("picture", step, tag, tuple(picture.shape), bool(picture.min() >= 0 and picture.max() <= 1))

    def flush(self):
        self._write("flush")

    def close(self, record):
        self._write("close", record and record["state"])

    def _write(self, *words):
        with Path(self.path).open("a") as file:
            print(*words, file=file)


@dataclass(frozen=True)
class Raising:
    """Raise in one of the methods."""

    method: str
    kind: str = "error"

    def open(self, run):
        self._call("open")
        return self

    def scalars(self, values, step):
        self._call("scalars")

    def picture(self, tag, picture, step):
        self._call("picture")

    def flush(self):
        self._call("flush")

    def close(self, record):
        self._call("close")

    def _call(self, method):
        if method != self.method:
            return
        if self.kind == "exit":
            sys.exit(3)
        if self.kind == "disk":
            raise OSError(28, "No space left on device")
        if self.kind == "hard exit":
            os._exit(4)
        raise ConnectionError("no\nnetwork")


@dataclass(frozen=True)
class Changing:
    """Change everything that it gets, as one that removes what a tracker can't store."""

    def open(self, run):
        run.settings.clear()
        run.config["trainer"].clear()
        return self

    def scalars(self, values, step):
        values.clear()

    def picture(self, tag, picture, step):
        picture.zero_()

    def close(self, record):
        if record:
            record["metric"].clear()
            record.clear()


class NoLogger:
    """A class without the method `open`."""
