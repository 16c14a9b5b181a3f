"""Whether one's own classes hold to what the bench expects: python -m gansweep.check optimizer=mine."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gansweep.cli.compose import Composition
from gansweep.cli.compose_line import composed
from gansweep.cli.error_report import complain
from gansweep.config.errors import BadConfig, Problem
from gansweep.console import say

if TYPE_CHECKING:
    from gansweep.check.bench import Subject

# Checks have networks and data of their own, the smallest that do.
STAND_INS: dict[str, Any] = {
    "model": {"_target_": "gansweep.models.mlp.MLP"},
    "data": {"_target_": "gansweep.data.ring.Ring"},
    "metric": None,
    "batch_size": 1,
    "device": "cpu",
}


def main(arguments: Sequence[str]) -> int:
    """Check what the arguments choose, print a table for each combination, and return the exit code."""
    options = _parser().parse_args(list(arguments))
    try:
        subjects = subjects_of(options.overrides, options.config_dir)
    except BadConfig as error:
        return complain(error.problems, "checked")
    from gansweep.check.everything import findings
    from gansweep.check.finding import table

    broken = 0
    for words, subject in subjects.items():
        found = list(findings(subject))
        failed, judged = sum(one.failed for one in found), sum(one.holds is not None for one in found)
        broken += failed
        say(f"{words or 'the defaults'}\n\n{table(found)}\n\n{judged - failed} of {judged} checks passed")
    return 1 if broken else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m gansweep.check",
        description="Tries what an optimizer, loss, penalty, schedule or dynamics has to hold to before it trains, on "
        "games of a second: does a rate move its own player alone, does every member keep its bits beside others and "
        "after a restart, are gradients the slopes of their losses, do eigenvalues on the Dirac-GAN tell how it "
        "converges. Every setting of `python -m gansweep` may be given; model, data, metric and device make no "
        "difference.",
        epilog="Exit codes: 0 all checks passed, 1 some failed, 2 the configuration is wrong. Example: "
        "python -m gansweep.check --config-dir my_conf allow=[my_package] optimizer=mine loss=wgan_gp",
    )
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="setting, with commas for several values")
    parser.add_argument("--config-dir", "-cd", help="directory with further YAML files")
    parser.add_argument("--multirun", "-m", action="store_true", help="goes without saying")
    return parser


def subjects_of(overrides: Sequence[str], config_dir: str | None = None) -> dict[str, Subject]:
    """Make what every combination of a line chooses, by the words that chose it.

    Args:
        overrides: as `python -m gansweep -m` takes them.
        config_dir: further YAML files.

    Raises:
        BadConfig: with all that is wrong.
    """
    found, problems = {}, []
    for composition in composed(overrides, config_dir):
        problems += composition.problems
        subject = _subject(composition, problems)
        if subject is not None:
            found[" ".join(composition.overrides)] = subject
    if problems:
        raise BadConfig(problems)
    return found


def _subject(composition: Composition, problems: list[Problem]) -> Subject | None:
    """Build a run of the choices with stand-ins for what is not looked at; None if something is wrong."""
    from gansweep.check.bench import Subject
    from gansweep.config.build import check

    config = composition.config
    if not config:  # why is among the problems
        return None
    if config.get("epochs") is not None and "steps" not in composition.given:
        problems.append(Problem("epochs", f"={config['epochs']}: how many steps these are, the data say; give steps="))
        return None
    checked = check({**config, **STAND_INS}, composition.given)
    problems += checked.problems
    if checked.run is None:
        return None
    return Subject(checked.run.member, checked.run.dynamics, checked.run.critic_steps)
