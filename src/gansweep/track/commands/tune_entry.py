"""gansweep track tune: choose the settings of an entry by the tuning protocol."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from gansweep.console import say
from gansweep.formatting import markdown, number


def parser(name: str) -> ArgumentParser:
    """Return the parser."""
    parser = ArgumentParser(name, description="Choose an entry's settings with the tuning seeds.")
    parser.add_argument("track")
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE")
    parser.add_argument("--extra", action="append", default=[], metavar="KEY=VALUE", help="setting outside the entry")
    parser.add_argument("--budget", type=int, help="number of trainings")
    return parser


def run(options: Namespace) -> int:
    """Train by the tuning protocol, and print the tried settings."""
    from gansweep.track.track import Track
    from gansweep.track.training import tune, tuning_loss

    track = Track.load(options.track)
    tried = tune(track, options.overrides, options.budget or track.tuning_budget, options.extra)
    rows = []
    for one in tried[:10]:
        steps, final = tuning_loss(track, list(one.results.values()))
        rows.append([" ".join(one.words), str(len(one.results)), f"{steps:.0f}", number(final)])
    say("\n" + markdown(["settings", "seeds", "mean steps to target", "mean final value"], rows))
    say(f"\nTo judge the best: gansweep track try {track.name} {' '.join(tried[0].words)}")
    return 0
