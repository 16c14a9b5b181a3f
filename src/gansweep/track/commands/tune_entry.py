"""gansweep track tune: choose the settings of an entry by the tuning protocol."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser, Namespace

from gansweep.console import say
from gansweep.formatting import markdown, number
from gansweep.track.commands.arguments import add_entry, typed, whole_number

SHOWN = 10
MOST_TRAININGS = 10_000


def parser(name: str) -> ArgumentParser:
    """Return the parser."""
    parser = ArgumentParser(
        name,
        description="Choose an entry's settings with the tuning seeds: a space-filling search of the learning rate, "
        "then further seeds of the best points. Settings may be lists, lr=1e-3,1e-2, or intervals, "
        "'lr=interval(1e-4,1)'. The same line continues; finished runs are not trained again.",
        epilog="Example: %(prog)s ring optimizer=rmsprop schedule=cosine",
    )
    add_entry(parser)
    parser.add_argument(
        "--budget",
        metavar="N",
        help="number of trainings (default: that of the track, which is also the largest of a submitted entry)",
    )
    return parser


def run(options: Namespace) -> int:
    """Train by the tuning protocol, print the tried settings, and return the exit code."""
    from gansweep.track.track import Track
    from gansweep.track.training import tune
    from gansweep.track.words import split

    track = Track.load(options.track)
    words, extra = split(track, options.overrides)
    most = track.tuning_budget
    budget = most if options.budget is None else whole_number("--budget", options.budget, 1, MOST_TRAININGS)
    tried = tune(track, words, budget, extra, options.config_dir)
    rows = []
    for point in tried[:SHOWN]:
        steps, final = point.loss(track)
        rows.append([" ".join(point.words), str(len(point.results)), f"{steps:g}", number(final)])
    num = sum(len(point.results) for point in tried)
    say(
        f"\nTrack {track.name}: {num} trainings, budget {budget}; without the target counted as {2 * track.steps} steps"
    )
    say(markdown(["settings", "seeds", "mean steps to target", "mean final value"], rows))
    if len(tried) > SHOWN:
        say(f"and {len(tried) - SHOWN} more")
    if budget > most:
        say(f"\nA submitted entry is tuned with at most {most} trainings.")
    line = " ".join(filter(None, [f"gansweep track try {track.name}", shlex.join(tried[0].words), typed(options)]))
    say(f"\nTo judge the best: {line}")
    return 0
