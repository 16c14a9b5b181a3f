"""Contract checks of user-defined classes: python -m gansweep.check optimizer=mine."""

from __future__ import annotations

import copy
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gansweep.cli.compose import Composition
from gansweep.cli.error_report import complain
from gansweep.cli.hydra_app import composed, overrides_parser
from gansweep.code_identity import dotted
from gansweep.config.errors import BadConfig, SettingError
from gansweep.console import command_name, interruptible, say
from gansweep.terminal_layout import for_terminal

if TYPE_CHECKING:
    from gansweep.check.bench import Subject

# The checks use their own small networks and data; these are the smallest valid choices.
STAND_INS: dict[str, Any] = {
    "model": {"_target_": "gansweep.models.mlp.MLP"},
    "data": {"_target_": "gansweep.data.ring.Ring"},
    "metric": None,
    "batch_size": 1,
    "device": "cpu",
}


@interruptible
def main(arguments: Sequence[str]) -> int:
    """Check what the arguments choose, print a table for each combination, and return the exit code."""
    options = _parser().parse_intermixed_args(list(arguments))
    try:
        subjects = subjects_of(options.overrides, options.config_dir)
    except BadConfig as error:
        return complain(error.problems, "checked")
    from gansweep.check import convergence, dynamics, loss, members, model, optimizer, penalty, rates, schedule
    from gansweep.check.finding import table

    families = (optimizer, schedule, loss, penalty, dynamics, rates, members, convergence)
    broken = 0
    for words, subject in subjects.items():
        results = [check() for check in model.checks(subject)]
        results += [check() for family in families for check in family.checks(subject.without_model())]
        failed = sum(finding.failed for finding in results)
        judged = sum(finding.passed is not None for finding in results)
        broken += failed
        text = f"{words or 'the defaults'}\n\n{table(results)}\n\n{judged - failed} of {judged} checks passed"
        say(for_terminal(text))
    return 1 if broken else 0


def _parser() -> ArgumentParser:
    return overrides_parser(
        command_name("check"),
        description="Check the contracts of an optimizer, loss, penalty, schedule, dynamics or model on small "
        "problems that take about a second: each learning rate affects its own player only, each member's numbers do "
        "not depend on the other members or on a restart, gradients agree with finite differences of the losses, "
        "and the eigenvalues on the Dirac-GAN predict the measured convergence rate. All settings of "
        "`python -m gansweep` are accepted; a model that contains classes of your own is checked for samples of the "
        "shape of `data`; other models, the samples of the data, metric and device have no effect.",
        epilog="Exit codes: 0 all checks passed, 1 some failed, 2 the configuration is wrong. Example: "
        "%(prog)s --config-dir my_conf allow=[my_package] optimizer=mine loss=wgan_gp",
    )


def subjects_of(overrides: Sequence[str], config_dir: str | None = None) -> dict[str, Subject]:
    """Return the checked classes of every combination of a command line, by its overrides.

    Raises:
        BadConfig: with all problems.
    """
    subjects, problems = {}, []
    for composition in composed(overrides, config_dir):
        problems += composition.problems
        subject = _subject(composition, problems)
        if subject is not None:
            subjects[" ".join(composition.overrides)] = subject
    if problems:
        raise BadConfig(problems)
    return subjects


def _subject(composition: Composition, problems: list[SettingError]) -> Subject | None:
    """Build the chosen classes, with `STAND_INS` for the rest; return None and append to problems on an error."""
    from gansweep.check.bench import Subject
    from gansweep.config.build import check

    config = composition.config
    if not config:  # the reason is in composition.problems
        return None
    if composition.unknown_length:
        problems += composition.unknown_length
        return None
    checked = check({**config, **STAND_INS}, composition.given)
    problems += checked.problems
    if checked.run is None:
        return None
    subject = Subject(checked.run.member, checked.run.dynamics, checked.run.critic_steps)
    is_own = any(not path.startswith("gansweep.") for path in dotted(config["model"]))
    return _with_model(subject, config, problems) if is_own else subject


def _with_model(subject: Subject, config: Mapping[str, Any], problems: list[SettingError]) -> Subject | None:
    """Return the subject with the user's model for samples of the data's shape; the data are not read."""
    from gansweep.config.checks import problems_of
    from gansweep.config.instantiate import Broken, Constructor

    make = Constructor(config.get("allow") or ())
    model, data = (make(copy.deepcopy(dict(config[group])), group) for group in ("model", "data"))
    problems += make.problems
    if isinstance(model, Broken) or isinstance(data, Broken):
        return None
    shape = tuple(data.sample_shape)
    for build in (model.generator, model.discriminator):
        found = problems_of("model", lambda build=build: build(shape))
        problems += found
        if found:
            return None
    return replace(subject, model=model, sample_shape=shape)
