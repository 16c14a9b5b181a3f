"""gansweep track verify: check an entry file, and repeat its trainings."""

from __future__ import annotations

import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from gansweep.config.errors import SettingError
from gansweep.console import path, say, say_error

if TYPE_CHECKING:
    from gansweep.track.entry import Entry
    from gansweep.track.repetition import Repetition
    from gansweep.track.track import Track

CONFIRMED, REFUTED, UNDECIDED = 0, 1, 3


def parser(name: str) -> ArgumentParser:
    """Return the parser."""
    parser = ArgumentParser(
        name,
        description="Check an entry file against its track, then train its seeds again from the settings in the file "
        "and compare every value, bit for bit. With another version of torch or another processor, the numbers may "
        "differ; the times are then compared by the test of the rule. --skeptical trains new seeds instead, which "
        "were not known when the entry was chosen.",
        epilog="Exit codes: 0 all repeated runs are equal bit for bit, or the claim holds with new seeds; 1 a run "
        "differs, or the claim does not hold; 2 the file is not valid, or wrong input; 3 not decided: the runs differ, "
        "but were trained with other versions or on another processor. Example: %(prog)s tracks/ring/adam.json "
        "--seeds 0,3,7",
    )
    parser.add_argument("file", type=path, help="the entry file")
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="workers=1, device=cpu, progress=off, ...")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--seeds", metavar="S,S,...", help="judging seeds to repeat (default: all)")
    what.add_argument("--static", action="store_true", help="check the file only, and train nothing")
    what.add_argument(
        "--skeptical", nargs="?", type=int, const=0, metavar="N", help="train N new seeds (default: as many as judge)"
    )
    parser.add_argument("--write-code", type=path, metavar="FOLDER", help="write the sources of own classes, and end")
    parser.add_argument(
        "--allow-code", action="store_true", help="use own classes and YAML files of the entry; read them first"
    )
    return parser


def run(options: Namespace) -> int:
    """Check and repeat an entry, print the outcome, and return the exit code."""
    from gansweep.track import own_code
    from gansweep.track.checks import check
    from gansweep.track.entry import Entry
    from gansweep.track.track import Track
    from gansweep.track.words import check_process_words

    entry = Entry.read(options.file)
    if options.write_code is not None:
        own_code.write(entry.code, options.write_code)
        say(f"{len(entry.code)} files written to {options.write_code}; nothing was imported")
        return 0
    track = Track.load(entry.track)
    check_process_words(track, options.overrides)
    seeds = _seeds(options, track)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gansweep-")))
        extra, config_dir = _own_code(entry, options.allow_code, folder / "code", stack)
        check(entry, track, options.file, extra, config_dir)
        say(f"{options.file}: the file is valid; {len(entry.runs)} seeds, score {_steps(entry.score)}")
        if options.static:
            return CONFIRMED
        return _repeat(options, entry, track, seeds, folder / "runs", [*extra, *options.overrides], config_dir)


def _seeds(options: Namespace, track: Track) -> list[int]:
    """Return the seeds to train.

    Raises:
        SettingError: an option is wrong.
    """
    if options.skeptical is not None:
        num = options.skeptical or track.num_seeds
        if num < 1:
            raise SettingError("--skeptical", num, "expected a number of seeds, 1 or above")
        return list(range(track.first_skeptical_seed, track.first_skeptical_seed + num))
    if options.seeds is None:
        return list(track.judging_seeds)
    texts = options.seeds.split(",")
    seeds = [int(text) for text in texts if text.strip().isdecimal()]
    if len(seeds) < len(texts) or not set(seeds) <= set(track.judging_seeds) or len(set(seeds)) < len(seeds):
        raise SettingError("--seeds", options.seeds, f"expected judging seeds, 0 to {track.num_seeds - 1}, each once")
    return seeds


def _own_code(entry: Entry, is_allowed: bool, folder: Path, stack: ExitStack) -> tuple[list[str], str | None]:
    """Put the own classes of an entry on the import path; return `allow=` and the directory of its YAML files.

    Raises:
        SettingError: it has own classes or YAML files, and they are not allowed.
    """
    from gansweep.track import own_code

    modules = own_code.allowed(entry.identity.get("code") or {})
    names = sorted({*modules, *entry.code})
    if not names:
        return [], None
    if not is_allowed:
        expected = f"the entry has {', '.join(names)}; read the sources (--write-code FOLDER), then add --allow-code"
        raise SettingError("--allow-code", None, expected)
    folder.mkdir()
    own_code.write(entry.code, folder)
    sys.path.insert(0, str(folder))
    stack.callback(sys.path.remove, str(folder))
    conf = folder / own_code.CONF
    return [f"allow=[{','.join(modules)}]"] if modules else [], str(conf) if conf.is_dir() else None


def _repeat(
    options: Namespace,
    entry: Entry,
    track: Track,
    seeds: Sequence[int],
    folder: Path,
    extra: Sequence[str],
    config_dir: str | None,
) -> int:
    """Train the seeds, print the comparison, and return the exit code."""
    from gansweep.track.repetition import Repetition, SkepticalRun, TrainingFailed, trained
    from gansweep.track.training import steps_to_target

    try:
        results = trained(track, entry, seeds, folder, extra, config_dir)
    except TrainingFailed as error:
        say_error(error)
        return UNDECIDED if error.code in (0, 1) else error.code
    if options.skeptical is None:
        return _report(Repetition(entry, results, track.level))
    skeptical = SkepticalRun(entry, {seed: steps_to_target(track, run) for seed, run in results.items()}, track.level)
    reached = sum(time < float("inf") for time in skeptical.times.values())
    say(
        f"\nSeeds {seeds[0]} to {seeds[-1]}: score {_steps(skeptical.score)} (entry: {_steps(entry.score)}), "
        f"{reached} of {len(seeds)} reach the target"
    )
    verdict = "the claim holds" if skeptical.holds else "the claim does not hold: the judging seeds are faster"
    test = f"p = {skeptical.p_value:.2g}, level {track.level:g}"
    say(f"Rank-sum test of the entry's times against these: {test}: {verdict}")
    return CONFIRMED if skeptical.holds else REFUTED


def _report(repetition: Repetition) -> int:
    """Print how a repetition compares with the entry, and return the exit code."""
    num, differing, others = len(repetition.results), repetition.differing, repetition.other_machine
    say(f"\n{num - len(differing)} of {num} repeated runs are equal bit for bit")
    for seed, difference in differing.items():
        say(f"seed {seed}: {difference}")
    if repetition.confirms:
        return CONFIRMED
    if others:
        say(f"Trained here with {', '.join(others)}, so the numbers of a correct entry may differ")
        p = repetition.p_value
        verdict = "refuted" if repetition.refutes else "not refuted, and not confirmed"
        say(f"Signed-rank test of the entry's times against these: p = {p:.2g}, level {repetition.level:g}: {verdict}")
    return REFUTED if repetition.refutes else UNDECIDED


def _steps(steps: float) -> str:
    return f"{steps:g} steps" if steps < float("inf") else "infinite"
