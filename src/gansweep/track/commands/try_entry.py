"""gansweep track try: train an entry with the judging seeds, and print its score."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gansweep.config.errors import SettingError
from gansweep.console import say
from gansweep.track.commands.arguments import add_entry, whole_number

if TYPE_CHECKING:
    from gansweep.track.entry import Entry
    from gansweep.track.outcome import Outcome
    from gansweep.track.track import Track

AUTO = "auto"


def parser(name: str) -> ArgumentParser:
    """Return the parser."""
    parser = ArgumentParser(
        name,
        description="Train an entry with the judging seeds, and print its score and the comparison with the record. "
        "The same line continues; finished runs are not trained again.",
        epilog="Example: %(prog)s ring optimizer=rmsprop lr=3e-3 schedule=cosine --seeds auto",
    )
    add_entry(parser)
    parser.add_argument(
        "--seeds",
        metavar="N",
        help="train the first N judging seeds only (default: all); auto: a quarter, half and all of them, and stop "
        "early if the entry can no longer become the record or is clearly behind it",
    )
    return parser


def run(options: Namespace) -> int:
    """Train, print the score, and return the exit code."""
    from gansweep.track.board import comparable, records
    from gansweep.track.rule import stages
    from gansweep.track.track import Track
    from gansweep.track.words import check_single, split

    track = Track.load(options.track)
    words, extra = split(track, options.overrides)
    check_single(track, words)
    if options.seeds == AUTO:
        numbers = stages(track.num_seeds)
    else:
        most = track.num_seeds
        numbers = [most if options.seeds is None else _number(options.seeds, most)]
    record = next(reversed(records(track, comparable(track))), None)  # before the training: a file may be faulty
    path, outcome, stopped = _train(track, words, extra, options.config_dir, numbers, record)
    say("\n".join(["", f"Track {track.name}: {shlex.join(words) or 'the defaults'}", *outcome.lines(record)]))
    say("\n".join(_end(path, outcome, stopped)))
    return 0


def _number(text: str, most: int) -> int:
    try:
        return whole_number("--seeds", text, 1, most)
    except SettingError as error:
        raise SettingError("--seeds", text, f"{error.expected}, or {AUTO}") from None


def _train(
    track: Track,
    words: Sequence[str],
    extra: Sequence[str],
    config_dir: str | None,
    numbers: Sequence[int],
    record: Entry | None,
) -> tuple[Path, Outcome, str]:
    """Train in stages; return the folder, the outcome, and why later stages are left out, empty if none is."""
    from gansweep.track.outcome import Outcome
    from gansweep.track.rule import futility
    from gansweep.track.training import judge

    def outcome_of(num: int) -> tuple[Path, Outcome]:
        path, results = judge(track, words, track.judging_seeds[:num], extra, config_dir)
        return path, Outcome(track, results)

    rule = {"seeds": track.judging_seeds, "level": track.level, "confidence": track.confidence}
    *early, last = numbers
    for num in early:
        path, outcome = outcome_of(num)
        if why := futility(outcome.times, record and record.times, **rule):
            return path, outcome, why
    return *outcome_of(last), ""


def _end(path: Path, outcome: Outcome, stopped: str) -> Iterator[str]:
    yield f"\nResults: {path}"
    if stopped:
        yield f"Stopped after {len(outcome.results)} seeds: {stopped}"
        yield "To train the others: the same line without --seeds"
    elif outcome.is_complete:
        yield f"To submit: gansweep track submit {path} --name NAME --author AUTHOR"
    else:
        yield "To train the other seeds: the same line without --seeds"
