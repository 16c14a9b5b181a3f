"""Settings with values that are wrong for their type are refused by name before anything is written."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from bad_settings import BASE, Bad, bad_values, explains, names_it
from fork_server import BLOCK

from gansweep.cli import grid, hydra_app
from gansweep.cli.hydra_app import composer_and_loader, jobs_of
from gansweep.config import build
from gansweep.config.errors import BadConfig

NUM_WHOLE_COMMANDS, NUM_IN_ONE = 40, 12


def refusals(cases: Sequence[Bad]) -> Iterator[tuple[Bad, str]]:
    """Compose and check every case in this process, and yield its problems as text, empty if it is accepted."""
    hydra_app.register()
    by_line = defaultdict(list)
    for bad in cases:
        by_line[bad.setting.line].append(bad)
    for line in by_line.values():
        with composer_and_loader(None) as (composer, loader):
            for bad in line:
                build._datasets.clear()
                (job,) = jobs_of(loader, bad.arguments)
                try:
                    grid.compose(composer, [job], Path("nowhere"), here=True)
                except BadConfig as error:
                    yield bad, "".join(f"  {problem}\n" for problem in error.problems)
                else:
                    yield bad, ""


def wrong(cases: Sequence[Bad]) -> list[str]:
    """Return the cases that are accepted, not named or not explained."""
    found = []
    for bad, text in refusals(cases):
        fault = "accepted" if not text else "" if names_it(bad, text) and explains(bad, text) else text.strip()
        if fault:
            found.append(f"{bad} {bad.override[:80]}: {fault[-300:]}")
    return found


def test_settings_are_derived_from_their_declarations():
    cases = list(bad_values())
    assert len(cases) > 3000
    assert {"Root", "TrainerSettings", "Adam", "R1", "Ring", "WSD", "MLP", "KernelDistance"} <= {
        bad.setting.owner for bad in cases
    }


def test_twelve_values():
    of_the_root = [bad for bad in bad_values() if bad.setting.owner in ("Root", "TrainerSettings")]
    assert not wrong(random.Random(15).sample(of_the_root, 12))


@pytest.mark.slow
def test_every_value():
    assert not (found := wrong(list(bad_values()))), "\n".join([f"{len(found)} cases", *found])


@pytest.mark.slow
def test_whole_commands(server, tmp_path):
    """With 12 wrong settings each: exit code 2, one block that names all, nothing written, no traceback."""

    def run(number: int) -> list[str]:
        lines = bundles[number]
        here = tmp_path / f"case{number}"
        here.mkdir()
        arguments = [*BASE, *filter(None, dict.fromkeys(map(_choice, lines)))]
        ended = server("gansweep", [*arguments, *(bad.override for bad in lines)], here)
        missing = [str(bad) for bad in lines if not names_it(bad, ended.text)]
        if ended.code != 2 or ended.out or missing or not BLOCK.match(ended.err) or list(here.iterdir()):
            return [f"{[b.override[:60] for b in lines]}: {ended.code} {missing} {ended.text[-800:]}"]
        return []

    bundles = _bundles(NUM_WHOLE_COMMANDS)
    assert sum(map(len, bundles)) >= 400
    server.assert_no_faults(run, len(bundles))


def _bundles(count: int) -> list[list[Bad]]:
    """Return groups of 12 wrong settings that fit in one command line, with one choice for each group.

    Numbers out of range are excluded: an object checks them only if all its types are correct.
    """
    found = []
    cases = [bad for bad in bad_values() if not re.match("negative|zero|empty|one more", bad.kind)]
    shuffled = random.Random(16).sample(cases, len(cases))
    for _ in range(count):
        bundle: dict[str, Bad] = {}
        choices: dict[str, str] = {}
        for bad in shuffled:
            if any(key.startswith(bad.setting.key) or bad.setting.key.startswith(key) for key in bundle):
                continue
            choice = _choice(bad)
            if choices.setdefault(bad.setting.key.partition(".")[0], choice) == choice:
                bundle[bad.setting.key] = bad
            if len(bundle) == NUM_IN_ONE:
                break
        found.append(list(bundle.values()))
        shuffled = [bad for bad in shuffled if bad not in found[-1]]
    return found


def _choice(bad: Bad) -> str:
    """Return the override that chooses the class of a setting, empty for the root and the trainer."""
    group, dot, _ = bad.setting.key.partition(".")
    return bad.setting.line[-1] if dot and group != "trainer" else ""
