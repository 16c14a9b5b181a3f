"""gansweep track submit: write the entry file of a sweep."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from gansweep.config.errors import SettingError
from gansweep.console import allowed_modules, make_folder, path, say
from gansweep.formatting import file_size


def parser(name: str) -> ArgumentParser:
    """Return the parser."""
    parser = ArgumentParser(
        name,
        description="Write the entry file of a sweep of `gansweep track try`: settings, runs of all judging seeds, "
        "tuning runs, and the sources of own classes. The runs are checked against the track; nothing is trained.",
        epilog="Example: %(prog)s outputs/track_ring_judge_optimizer-adam_0123abcd --name adam --author 'A. Author'",
    )
    parser.add_argument("sweep", type=path, help="folder of `gansweep track try`")
    parser.add_argument("overrides", nargs="*", metavar="allow=[MODULE,...]", help="own modules, as in the training")
    parser.add_argument("--track", help="name of the track (default: that in the name of the folder)")
    parser.add_argument("--name", help="name of the entry and its file (default: its optimizer, schedule, ...)")
    parser.add_argument("--author", default="anonymous", help="who submits (default: %(default)s)")
    parser.add_argument(
        "--tuning",
        type=path,
        help="folder of `gansweep track tune` (default: the one beside the sweep in which the settings were tried)",
    )
    parser.add_argument("--config-dir", "-cd", help="directory with further YAML files, as in the training")
    parser.add_argument("--out", type=path, help="the file (default: tracks/TRACK/NAME.json)")
    return parser


def run(options: Namespace) -> int:
    """Write the entry file, print its score, and return the exit code."""
    from gansweep.track.board import FOLDER
    from gansweep.track.submission import Source, entry_of
    from gansweep.track.track import Track

    if wrong := [word for word in options.overrides if not word.startswith("allow=")]:
        raise SettingError(wrong[0], None, "expected allow=[MODULE,...]; the settings are those of the sweep")
    track = Track.load(options.track or _track_of(options.sweep))
    extra = [f"allow=[{','.join(allowed_modules(options.overrides))}]"] if options.overrides else []
    source = Source(options.sweep, options.tuning, extra, options.config_dir)
    entry = entry_of(track, source, options.name, options.author)
    out = options.out or FOLDER / track.name / f"{entry.name}.json"
    if out.exists():
        raise SettingError("--name" if options.out is None else "--out", None, f"{out} exists already, choose another")
    make_folder("--out", out.parent)
    entry.write(out)
    tuning = "not tuned" if entry.tuning is None else f"{len(entry.tuning.runs)} tuning runs"
    size = file_size(out.stat().st_size)
    say(f"{out}: {entry.method}, score {entry.score:g} steps, {len(entry.runs)} seeds, {tuning}, {size}")
    say(f"To repeat its trainings: gansweep track verify {out}")
    say("To add it to the results: gansweep track page, then commit what both commands wrote")
    return 0


def _track_of(sweep: Path) -> str:
    """Return the track of a folder, track_NAME_judge_..."""
    parts = sweep.resolve().name.split("_judge_")[0].removeprefix("track_")
    if "_judge_" not in sweep.resolve().name:
        raise SettingError("--track", None, f"{sweep} is not named as by `gansweep track try`, expected --track NAME")
    return parts
