"""Checks of an entry against its track, without training.

`against_rule` compares the file with the rule: its seeds, which settings are free, the tuning. `against_settings`
compares the identity of the runs with the settings that the track and the overrides give now. What both leave open is
the outcome of the runs, the values and divergences; `gansweep.track.repetition` trains them again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gansweep.cli.grid import cell_of
from gansweep.cli.hydra_app import composed
from gansweep.config.errors import BadConfig
from gansweep.sweep.cell import Cell
from gansweep.sweep.identity import canonical, plain
from gansweep.track import shape
from gansweep.track.contradictions import YAML, hash_of
from gansweep.track.entry import BadEntry, Entry, EntryRun, Tuning
from gansweep.track.track import Track, differences, frozen_differences
from gansweep.track.words import check_single, check_words
from gansweep.training.run import Intervals


def check(entry: Entry, track: Track, where: object, extra: Sequence[str] = (), config_dir: str | None = None) -> None:
    """Check an entry against its track.

    Args:
        entry: the entry.
        track: its track.
        where: its file, for the message.
        extra: settings outside the identity, such as `allow=[my_gans]`.
        config_dir: directory with further YAML files.

    Raises:
        BadEntry: with all problems.
        BadConfig: the settings of the entry are not valid.
    """
    problems = list(against_rule(entry, track))
    if not problems:  # otherwise the settings may not be those of an entry
        seed = track.judging_seeds[0]
        cell = composed_cell(track, entry.overrides, seed, extra, config_dir)
        problems = list(against_settings(entry, cell, composed_cell(track, [], seed), track))
    if problems:
        raise BadEntry(where, problems)


def against_rule(entry: Entry, track: Track) -> Iterator[str]:
    """Yield how an entry deviates from the rule of a track."""
    yield from against_task(entry, track)
    yield from _seed_problems(entry, track)
    choices = {(key.partition("@")[0], value) for key, value in entry.settings.items()}
    for name in sorted(name for name in entry.code if name.endswith(YAML)):
        if tuple(name.removesuffix(YAML).split("/")[1:]) not in choices:
            yield f"code.{name}: the entry does not choose it"
    if entry.tuning is not None:
        yield from _tuning_problems(entry.tuning, entry.settings, track)


def against_task(entry: Entry, track: Track) -> Iterator[str]:
    """Yield how an entry deviates from the task of a track: another task, or settings that are not free."""
    if entry.track != track.name:
        yield f"track is {entry.track}, expected {track.name}"
    if entry.fingerprint != track.fingerprint:
        yield f"fingerprint is that of another version of the track; that of {track.name} is {track.fingerprint}"
    for key in ("target", "confidence"):
        if getattr(entry, key) != getattr(track, key):
            yield f"{key} is {getattr(entry, key):g}, but {getattr(track, key):g} in track {track.name}"
    for word in entry.overrides:
        try:
            check_words(track, [word])
            check_single(track, [word])
        except BadConfig as error:
            yield f"overrides: {error}"
        if "${" in word:
            yield f"overrides: {word}: expected a value, not an interpolation"


def _seed_problems(entry: Entry, track: Track) -> Iterator[str]:
    judging, tuning = set(track.judging_seeds), set(track.tuning_seeds)
    if missing := sorted(judging - set(entry.runs)):
        yield f"runs: seed {_listed(missing)} missing; every judging seed counts, also one that diverged"
    if tuned := sorted(tuning & set(entry.runs)):
        yield f"runs: seed {_listed(tuned)} {_is(tuned)} for tuning, and can't judge an entry"
    if unknown := sorted(set(entry.runs) - judging - tuning):
        yield f"runs: seed {_listed(unknown)} {_is(unknown)} not among the judging seeds"


def _tuning_problems(tuning: Tuning, settings: Mapping[str, str], track: Track) -> Iterator[str]:
    if tuning.budget > track.tuning_budget:
        yield f"tuning.budget is {tuning.budget}, more than the {track.tuning_budget} trainings of track {track.name}"
    others = sorted({run.seed for run in tuning.runs} - set(track.tuning_seeds))
    if others:
        yield f"tuning.runs: seed {_listed(others)} {_is(others)} not among the tuning seeds"
    trained = [(plain(run.overrides), run.seed) for run in tuning.runs]
    if twice := next((one for one in trained if trained.count(one) > 1), None):
        yield f"tuning.runs: has {twice[0]} with seed {twice[1]} twice"
    tried = ({key: plain(value) for key, value in run.overrides.items()} for run in tuning.runs)
    if not any(run.items() <= settings.items() for run in tried):
        yield "tuning.runs: none has the settings of the entry"


def against_settings(entry: Entry, cell: Cell, reference: Cell, track: Track) -> Iterator[str]:
    """Yield how the identity and the evaluations of an entry differ from those of its settings.

    Args:
        entry: the entry.
        cell: run of the track's and the entry's settings, with any seed.
        reference: run of the track's settings alone.
        track: the track.
    """
    problems = [*_identity_problems(entry, cell, reference, track)]
    if not problems and hash_of(entry.identity, cell.identity["config"]["seed"]) != cell.hash:
        problems.append("identity is not that of the settings")
    yield from problems
    run = cell.run
    if run is None or run.metric is None or canonical(run.metric.fingerprint(run.data)) != canonical(entry.metric):
        yield "metric is not the fingerprint of the metric of the track"
    if run is not None:
        expected = Intervals(run.trainer, run.steps).evaluations(run.steps)
        for seed, trained in entry.runs.items():
            yield from (f"runs.{seed}.values: {problem}" for problem in _step_problems(trained, expected))


def _identity_problems(entry: Entry, cell: Cell, reference: Cell, track: Track) -> Iterator[str]:
    claimed, now = entry.identity, cell.identity
    config = {key: value for key, value in now["config"].items() if key != "seed"}
    frozen = frozen_differences(track, claimed["config"], reference.identity["config"])
    for key in frozen:
        yield f"identity.config.{key}: track {track.name} fixes it{_values(key, claimed['config'], config)}"
    for key in differences(claimed["config"], config):
        if key not in frozen:
            yield f"identity.config.{key}: differs from the overrides{_values(key, claimed['config'], config)}"
    if claimed.get("numerics") != now["numerics"]:
        yield (
            f"identity.numerics is {claimed.get('numerics')}, but the arithmetic of this version of gansweep is "
            f"{now['numerics']}; train the entry again"
        )
    if claimed.get("data") != now["data"]:
        yield "identity.data is not the hash of the data of the track"
    yield from _code_problems(claimed.get("code") or {}, now.get("code") or {})
    if unknown := sorted(set(claimed) - {"config", "data", "numerics", "code"}):
        yield f"identity.{unknown[0]}: unknown field"


def _code_problems(claimed: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted({*claimed, *now}):
        if claimed.get(name) != now.get(name):
            theirs, ours = (code.get(name, "that of the release") for code in (claimed, now))
            yield f"identity.code: the runs used another version of {name} ({theirs}; here {ours})"


def _step_problems(run: EntryRun, expected: Sequence[int]) -> Iterator[str]:
    """Yield which evaluations are missing, and which are not due; a diverged run has those before its divergence."""
    end = expected[-1] if run.divergence is None else run.divergence["step"] - 1
    if missing := [step for step in expected if step <= end and step not in run.values]:
        yield f"the evaluation after step {missing[0]} is missing"
    if further := sorted(set(run.values) - set(expected)):
        yield f"there is no evaluation after step {further[0]} in this track"
    if run.state == shape.DIVERGED and end >= expected[-1]:
        yield "the divergence is after the last step"


def _values(key: str, claimed: Any, now: Any) -> str:
    """Return the two values of a dotted key as text; empty if one is missing or long."""
    for part in key.split("."):
        claimed, now = (node.get(part) if isinstance(node, Mapping) else None for node in (claimed, now))
    texts = plain(claimed), plain(now)
    return "" if max(map(len, texts)) > 60 else f": {texts[0]}, expected {texts[1]}"


def _listed(seeds: Sequence[int]) -> str:
    shown = ", ".join(map(str, seeds[:5]))
    return shown if len(seeds) <= 5 else f"{shown} and {len(seeds) - 5} more"


def _is(seeds: Sequence[int]) -> str:
    return "is" if len(seeds) == 1 else "are"


def composed_cell(
    track: Track, words: Sequence[str], seed: int, extra: Sequence[str] = (), config_dir: str | None = None
) -> Cell:
    """Return the run of an entry with a seed, checked but not trained.

    Args:
        track: the track.
        words: settings of the entry, one value each.
        seed: of the run.
        extra: settings outside the identity, such as `allow=[my_gans]`.
        config_dir: directory with further YAML files.

    Raises:
        BadConfig: with all problems.
    """
    (composition,) = composed([*track.overrides, *words, f"seed={seed}", *extra], config_dir)
    if composition.problems:
        raise BadConfig(composition.problems)
    return cell_of(composition.config, composition.overrides, composition.choices, Path())
