"""Commands of the GAN Track: python -m gansweep.track list | try | tune."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from gansweep.cli.error_report import complain
from gansweep.config.errors import BadConfig, SettingError
from gansweep.console import command_name, exit_code, say
from gansweep.formatting import markdown, number


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return the exit code."""
    options = _parser().parse_args(None if arguments is None else list(arguments))
    try:
        return exit_code(lambda: options.function(options))
    except BadConfig as error:
        return complain(error.problems, "trained")


def _list(_options: Namespace) -> None:
    from gansweep.track.track import Track, names

    tracks = [Track.load(name) for name in names()]
    rows = [[t.name, t.title, f"{t.target:g}", str(t.steps), str(t.num_seeds), ", ".join(t.free)] for t in tracks]
    say(markdown(["track", "task", "target", "steps", "seeds", "free"], rows))


def _try(options: Namespace) -> None:
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


def _tune(options: Namespace) -> None:
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


def _parser() -> ArgumentParser:
    parser = ArgumentParser(command_name("track"), description="GAN Track: fewest steps to a target on frozen tasks.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser("list", help="list the tracks")
    one.set_defaults(function=_list)
    for name, function, text in (
        ("try", _try, "train an entry with the judging seeds and print its score"),
        ("tune", _tune, "choose an entry's settings with the tuning seeds"),
    ):
        one = commands.add_parser(name, help=text, description=text)
        one.add_argument("track")
        one.add_argument("overrides", nargs="*", metavar="KEY=VALUE")
        one.add_argument("--extra", action="append", default=[], metavar="KEY=VALUE", help="setting outside the entry")
        one.set_defaults(function=function)
        if name == "tune":
            one.add_argument("--budget", type=int, help="number of trainings")
        else:
            one.add_argument("--seeds", type=int, help="only the first seeds")
    return parser


if __name__ == "__main__":
    sys.exit(main())
