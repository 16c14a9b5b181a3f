"""Entry of a track: one JSON file, tracks/TRACK/NAME.json, with the runs of all judging seeds and how to repeat them.

    format         1
    track          name of the track
    fingerprint    of the track: hash of its settings and its rule (`Track.fingerprint`)
    target, confidence
                   of the track, so that the score can be computed from the file alone
    name, author, date
                   name of the file; who submits; day of the last training, YYYY-MM-DD (UTC)
    overrides      the free settings, as words of a command line
    identity       of the runs without `config.seed`: resolved configuration, hash of the data, version of the
                   arithmetic, and hashes of own modules (`gansweep.sweep.identity`)
    metric         fingerprint of the metric
    runs           by seed:
                   state       completed or diverged
                   hash        sha256 of the identity with this seed
                   values      metric by evaluated step; null: not finite
                   divergence  null, or its step, player and cause
                   trained_s   training time in seconds by step: at the target, and at the last evaluation
                   pack        number of runs that trained together
    tuning         null, or budget and runs of the tuning protocol; each run has the settings in which the runs differ
                   (`overrides`), seed, state, steps_to_target (null: never) and final (null: none)
    versions, device
                   of the runs
    code           own modules by name, and own YAML files as conf/GROUP/NAME.yaml: sha256 and source
    score          upper confidence limit of the median number of steps to the target; null: infinity
    sha256         hash of all other fields in canonical JSON

The checksums show accidental changes. A person who recomputes them can change everything that the settings do not
determine, which is the outcome of the runs; `gansweep track verify` repeats the runs for that reason. Reading a file
executes nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gansweep.formatting import first_of
from gansweep.statistics.performance_profile import time_to_target
from gansweep.sweep.identity import digest
from gansweep.track import contradictions, rule, shape
from gansweep.training import atomic

FORMAT = 1
NOT_IN_NAME = {"schedule": "constant", "dynamics": "alternating", "feedback": "none"}  # choices without an effect


class BadEntry(ValueError):
    """Raised for an entry that is not valid; the text has one line for each problem."""

    def __init__(self, name: object, problems: Sequence[str]) -> None:
        super().__init__("\n  ".join([f"{name} is not a valid entry.", *first_of(problems)]))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class EntryRun:
    """Run of an entry with one judging seed; the fields are those of the file."""

    state: str
    hash: str
    values: Mapping[int, float | None]
    divergence: Mapping[str, Any] | None
    trained_s: Mapping[int, float]
    pack: int | None

    def steps_to(self, target: float) -> float:
        """Return the first evaluated step at which the run is at the target; infinity if it never is or diverged."""
        if self.state == shape.DIVERGED:
            return math.inf
        measured = {step: value for step, value in self.values.items() if value is not None}
        return time_to_target(list(measured), list(measured.values()), target)

    def seconds_to(self, target: float) -> float:
        """Return the training time to the target in seconds; infinity as in `steps_to`."""
        steps = self.steps_to(target)
        return self.trained_s.get(int(steps), math.nan) if math.isfinite(steps) else math.inf


@dataclass(frozen=True)
class TuningRun:
    """Run of the tuning protocol: the settings in which the runs differ, and its outcome.

    Args:
        overrides: settings by key.
        seed: a tuning seed.
        state: completed or diverged.
        steps_to_target: infinity if the target was not reached.
        final: metric after the last step; None if there is none.
    """

    overrides: Mapping[str, Any]
    seed: int
    state: str
    steps_to_target: float
    final: float | None


@dataclass(frozen=True)
class Tuning:
    """Runs of the tuning protocol, and their largest number."""

    budget: int
    runs: Sequence[TuningRun]


@dataclass(frozen=True)
class Entry:
    """Entry of a track; the fields are those of the file, see the module."""

    track: str
    fingerprint: str
    target: float
    confidence: float
    name: str
    author: str
    date: str
    overrides: Sequence[str]
    identity: Mapping[str, Any]
    metric: Mapping[str, Any]
    runs: Mapping[int, EntryRun]
    tuning: Tuning | None
    versions: Mapping[str, str]
    device: Mapping[str, str]
    code: Mapping[str, Mapping[str, str]]

    @classmethod
    def read(cls, path: Path) -> Entry:
        """Read an entry, and check that the file agrees with itself.

        Raises:
            BadEntry: with all problems.
            OSError: the file can't be read.
        """
        try:
            content = shape.parse(path.read_bytes())
        except ValueError as error:
            raise BadEntry(path, [str(error)]) from error
        return cls.of_json(content, path)

    @classmethod
    def of_json(cls, content: Any, path: object = "the file") -> Entry:
        """Return the entry that the content of a file describes.

        Raises:
            BadEntry: with all problems.
        """
        if isinstance(content, dict) and isinstance(content.get("format"), int) and content["format"] > FORMAT:
            found = shape.shown(content["format"])
            raise BadEntry(path, [f"format is {found}; this version of gansweep reads up to {FORMAT}"])
        if problems := list(shape.ENTRY("", content)):
            raise BadEntry(path, [problem.lstrip() for problem in problems])
        runs = {int(seed): EntryRun(**_whole_keys(run)) for seed, run in content["runs"].items()}
        kept = {key: value for key, value in content.items() if key not in ("format", "score", "sha256")}
        entry = cls(**kept | {"runs": runs, "tuning": _tuning(content["tuning"])})
        problems = list(contradictions.of(content))
        if _null(entry.score) != content["score"]:
            problems.append(f"score is {content['score']}, but {_null(entry.score)} by the values of the runs")
        if digest({key: value for key, value in content.items() if key != "sha256"}) != content["sha256"]:
            problems.append("sha256 is not the hash of the other fields; the file was edited")
        if problems:
            raise BadEntry(path, problems)
        return entry

    def as_json(self) -> dict[str, Any]:
        """Return the content of the file."""
        content = {"format": FORMAT, **{field.name: getattr(self, field.name) for field in fields(self)}}
        content["runs"] = {str(seed): vars(self.runs[seed]) for seed in sorted(self.runs)}
        content["tuning"] = self.tuning and {
            "budget": self.tuning.budget,
            "runs": [vars(run) | {"steps_to_target": _null(run.steps_to_target)} for run in self.tuning.runs],
        }
        content = json.loads(json.dumps(content | {"score": _null(self.score)}, allow_nan=False))
        return content | {"sha256": digest(content)}

    def write(self, path: Path) -> None:
        """Write the file; runs are one line each.

        Raises:
            OSError: it can't be written.
        """
        content = self.as_json()
        lines = [f"{json.dumps(key)}:{_text(content[key], key in ('runs', 'code', 'tuning'))}" for key in content]
        atomic.write(path, "{\n" + ",\n".join(lines) + "\n}\n")

    @cached_property
    def times(self) -> rule.Times:
        """Steps to the target by seed."""
        return {seed: run.steps_to(self.target) for seed, run in sorted(self.runs.items())}

    @cached_property
    def score(self) -> float:
        """Upper confidence limit of the median number of steps to the target."""
        return rule.score(list(self.times.values()), self.confidence)

    @property
    def seconds(self) -> float:
        """Median training time to the target in seconds; infinity if half of the runs do not reach it."""
        seconds = sorted(run.seconds_to(self.target) for run in self.runs.values())
        middle = (len(seconds) - 1) // 2, len(seconds) // 2
        return float(np.mean([seconds[place] for place in middle])) if seconds else math.inf

    @property
    def settings(self) -> dict[str, str]:
        """The free settings as texts by key."""
        pairs = (word.partition("=") for word in self.overrides)
        return {key: value for key, _, value in pairs}

    @property
    def method(self) -> str:
        """The chosen options of groups without their numbers, such as "adam, cosine"; of the discriminator with a `d`.

        Groups with their usual option, which changes nothing, are left out.
        """
        shown = []
        for key, value in self.settings.items():
            group, _, of = key.partition("@")
            is_choice = "." not in key and value.replace("_", "").isalnum() and not value[0].isdigit()
            if is_choice and NOT_IN_NAME.get(of or group) != value and value != "null":
                suffix = of.removeprefix(f"{group}_")
                shown.append(f"{suffix}: {value}" if of else value)
        return ", ".join(shown + ["average"] * (self.settings.get("trainer.ema", "null") != "null"))


def _whole_keys(run: Mapping[str, Any]) -> dict[str, Any]:
    return {**run, **{key: {int(step): value for step, value in run[key].items()} for key in ("values", "trained_s")}}


def _tuning(content: Mapping[str, Any] | None) -> Tuning | None:
    if content is None:
        return None
    runs = [
        TuningRun(**run | {"steps_to_target": math.inf if run["steps_to_target"] is None else run["steps_to_target"]})
        for run in content["runs"]
    ]
    return Tuning(content["budget"], runs)


def _null(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _text(value: Any, in_lines: bool) -> str:
    """Return compact JSON; `in_lines`: with one line for each item."""
    if in_lines and isinstance(value, dict) and value:
        inner = ",\n".join(f"{json.dumps(key)}:{_text(item, key == 'runs')}" for key, item in value.items())
        return "{\n" + inner + "\n}"
    if in_lines and isinstance(value, list) and value:
        return "[\n" + ",\n".join(_text(item, False) for item in value) + "\n]"
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
