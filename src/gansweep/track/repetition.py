"""Repetition of an entry: the judging seeds, compared bit for bit, and new seeds ("skeptical run")."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from gansweep.console import say
from gansweep.sweep.cell import Result
from gansweep.sweep.sweep import Sweep
from gansweep.track import rule, shape
from gansweep.track.entry import Entry, EntryRun
from gansweep.track.submission import DEVICE, SAME_VERSIONS, entry_run
from gansweep.track.track import Track
from gansweep.track.training import run_line


class TrainingFailed(RuntimeError):
    """Raised if a run of a repetition was not trained to its end.

    Args:
        code: exit code of the training.
    """

    def __init__(self, code: int) -> None:
        super().__init__("a run was not trained to its end, so nothing can be said about the entry")
        self.code = code


def trained(
    track: Track, entry: Entry, seeds: Sequence[int], folder: Path, extra: Sequence[str], config_dir: str | None
) -> dict[int, Result]:
    """Train an entry with some seeds in a new folder, and return the results by seed.

    Raises:
        TrainingFailed: a run failed, or the training was interrupted.
    """
    place = str(folder).replace("\\", "\\\\").replace("'", "\\'")
    words = [*entry.overrides, f"seed={','.join(map(str, seeds))}", *extra, "logger=none", f"hydra.sweep.dir='{place}'"]
    output = io.StringIO()  # its table and command lines name the temporary folder
    with contextlib.redirect_stdout(output):
        code = run_line(track, words, config_dir)
    results = {int(run.cell.config["seed"]): run for run in Sweep(folder, []).results if run.state.is_result}
    if code or set(results) != set(seeds):
        say(output.getvalue())
        raise TrainingFailed(code)
    return {seed: results[seed] for seed in seeds}


@dataclass(frozen=True)
class Repetition:
    """Judging seeds of an entry, trained again.

    Args:
        entry: the entry.
        results: of the repeated runs, by seed.
        level: of the test, if the runs can't be compared bit for bit.
    """

    entry: Entry
    results: Mapping[int, Result]
    level: float

    @cached_property
    def differing(self) -> dict[int, str]:
        """What differs from the entry, by seed; without the seeds whose runs are equal."""
        pairs = {seed: (self.entry.runs[seed], self._run(seed)) for seed in self.results}
        found = {seed: next(differences(claimed, now), "") for seed, (claimed, now) in pairs.items()}
        return {seed: text for seed, text in found.items() if text}

    @cached_property
    def times(self) -> rule.Times:
        """Steps to the target of the repeated runs, by seed."""
        return {seed: self._run(seed).steps_to(self.entry.target) for seed in self.results}

    @property
    def other_machine(self) -> list[str]:
        """Versions and parts of the device that are not those of the entry."""
        record = next(iter(self.results.values())).record or {}
        pairs = [
            (name, claimed.get(name), str((record.get(part) or {}).get(name)))
            for part, names, claimed in (
                ("versions", SAME_VERSIONS, self.entry.versions),
                ("device", DEVICE, self.entry.device),
            )
            for name in names
        ]
        return [f"{name} {now} instead of {theirs}" for name, theirs, now in pairs if theirs != now]

    @property
    def p_value(self) -> float:
        """p-value of `rule.improvement_p` that the entry is not faster than its repetition."""
        return rule.improvement_p({seed: self.entry.times[seed] for seed in self.results}, self.times)

    @property
    def refutes(self) -> bool:
        """Whether the entry is refuted.

        With the same versions and processor, by any difference. With others the numbers of a correct entry differ too;
        then the entry is refuted if it is faster than its repetition at the level of the track.
        """
        return bool(self.differing) and (not self.other_machine or self.p_value <= self.level)

    @property
    def confirms(self) -> bool:
        """Whether all repeated runs are equal to those of the entry, bit for bit."""
        return not self.differing

    def _run(self, seed: int) -> EntryRun:
        return entry_run(self.results[seed], self.entry.target)


def differences(claimed: EntryRun, now: EntryRun) -> Iterator[str]:
    """Yield how a run of an entry differs from its repetition."""
    if claimed.state != now.state:
        yield f"{claimed.state} in the entry, but {now.state} when repeated"
    for step in sorted({*claimed.values, *now.values}):
        theirs, ours = (run.values.get(step, "no evaluation") for run in (claimed, now))
        if theirs != ours:
            yield f"the value after step {step} is {shape.shown(theirs)} in the entry, but {ours} when repeated"
            break
    for key in (claimed.divergence or {}) if now.divergence else ():
        theirs, ours = (dict(run.divergence or {}).get(key) for run in (claimed, now))
        if theirs != ours:
            yield f"divergence.{key} is {shape.shown(theirs)} in the entry, but {ours} when repeated"
    if claimed.hash != now.hash:
        yield "the settings have another hash"


@dataclass(frozen=True)
class SkepticalRun:
    """An entry trained with new seeds, which were not known when it was chosen.

    Args:
        entry: the entry.
        times: steps to the target with the new seeds.
        level: of the test.
    """

    entry: Entry
    times: rule.Times
    level: float

    @property
    def score(self) -> float:
        """Score with the new seeds."""
        return rule.score(list(self.times.values()), self.entry.confidence)

    @property
    def p_value(self) -> float:
        """p-value of `rule.faster_p`: the entry's times are not shorter than those of new seeds."""
        return rule.faster_p(list(self.entry.times.values()), list(self.times.values()))

    @property
    def holds(self) -> bool:
        """Whether the entry is not faster with the judging seeds than with new ones, at the level of the track."""
        return self.p_value > self.level
