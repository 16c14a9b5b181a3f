"""gansweep track try: train an entry with the judging seeds, and print its score."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from gansweep.config.errors import SettingError
from gansweep.console import say
from gansweep.formatting import number


def parser(name: str) -> ArgumentParser:
    """Return the parser."""
    parser = ArgumentParser(name, description="Train an entry with the judging seeds and print its score.")
    parser.add_argument("track")
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE")
    parser.add_argument("--extra", action="append", default=[], metavar="KEY=VALUE", help="setting outside the entry")
    parser.add_argument("--seeds", type=int, help="only the first seeds")
    return parser


def run(options: Namespace) -> int:
    """Train, and print the score."""
    from gansweep.track.rule import score
    from gansweep.track.track import Track
    from gansweep.track.training import judge, steps_to_target

    track = Track.load(options.track)
    num = track.num_seeds if options.seeds is None else options.seeds
    if not 1 <= num <= track.num_seeds:
        raise SettingError("--seeds", num, f"expected 1 to {track.num_seeds}")
    path, runs = judge(track, options.overrides, track.judging_seeds[:num], options.extra)
    times = {seed: steps_to_target(track, run) for seed, run in runs.items()}
    reached = [time for time in times.values() if time < float("inf")]
    say(f"\nTarget {track.target:g} reached by {len(reached)} of {len(times)} seeds; median steps and score:")
    say(f"score {number(score(list(times.values()), track.confidence))} steps   {path}")
    return 0
