"""Plot learning-rate schedules without training: python -m gansweep.schedules schedule=cosine,step."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gansweep.cli.compose import Composition
from gansweep.cli.error_report import complain
from gansweep.cli.hydra_app import composed, overrides_parser
from gansweep.config.errors import BadConfig, SettingError
from gansweep.config.instantiate import Broken, Constructor
from gansweep.config.root import Root, out_of_range
from gansweep.config.typed import conforms, signature, wrong_kind
from gansweep.console import WRONG, command_name, interruptible, say, say_error
from gansweep.interfaces import Schedule
from gansweep.sweep.identity import plain
from gansweep.terminal_layout import for_terminal

if TYPE_CHECKING:
    from gansweep.schedules.curves import Curve

OUT = "schedules.png"
SUFFIXES = (".png", ".svg", ".pdf", ".jpg", ".jpeg", ".webp", ".eps", ".ps", ".tif", ".tiff")
MAX_STEPS = 10**8  # every value of a curve is computed


class Player(NamedTuple):
    """Learning rate of one player of one run: schedule, base rate, length, and its label from the command line."""

    schedule: Schedule
    lr: float
    steps: int
    words: str


@interruptible
def main(arguments: Sequence[str]) -> int:
    """Plot the schedules of a command line, print a table of them, and return the exit code."""
    options = _parser().parse_intermixed_args(list(arguments))
    outs = [word.partition("=")[2] for word in options.overrides if word.startswith("out=")]
    out = outs[-1] if outs else OUT
    path = Path(out)
    try:
        _check_out(out)
        curves = curves_of([word for word in options.overrides if not word.startswith("out=")], options.config_dir)
    except BadConfig as error:
        return complain(error.problems, "drawn")
    from gansweep.schedules.curves import table

    say(for_terminal(table(curves)))
    return _picture(curves, path) if out != "null" else 0


def _parser() -> ArgumentParser:
    return overrides_parser(
        command_name("schedules"),
        description="Plot the learning rates of a `python -m gansweep` command and print a table of them. All "
        "settings of that command are accepted; only schedule, schedule_d, lr, lr_d and steps have an effect. "
        "A setting that only some of the schedules have, such as schedule.end=0.1, is applied to those.",
        epilog=f"The figure is written to {OUT}; choose another file with out=FILE, or none with out=null. Example: "
        "%(prog)s schedule=cosine,step lr=1e-3 steps=1000 out=rates.png",
    )


def _check_out(out: str) -> None:
    """Check the path of the figure before anything is computed.

    Raises:
        BadConfig: it is not a valid path of a figure.
    """
    folders = [folder for folder in Path(out).parents if folder.exists()]
    if not out or Path(out).is_dir():
        wrong = "is a directory" if out else "is empty"
    elif out != "null" and Path(out).suffix.lower() not in ("", *SUFFIXES):
        wrong = f"has the ending {Path(out).suffix}"
    elif folders and not folders[0].is_dir():
        wrong = f"{folders[0]} is not a directory"
    else:
        return
    raise SettingError("out", out, f"{wrong}; expected a file ending in {', '.join(SUFFIXES)}, or null")


def _picture(curves: Sequence[Curve], path: Path) -> int:
    try:
        from gansweep.schedules.curves import draw

        path.parent.mkdir(parents=True, exist_ok=True)
        draw(curves, path)
    except (OSError, ValueError) as error:
        say_error(f"out={path}: can't be written: {getattr(error, 'strerror', None) or error}")
        return WRONG
    say(f"\nDrawn in {path}")
    return 0


def curves_of(overrides: Sequence[str], config_dir: str | None = None) -> list[Curve]:
    """Return the distinct learning-rate curves of all combinations of a command line.

    Args:
        overrides: of a `python -m gansweep -m` command.
        config_dir: directory with further YAML files.

    Raises:
        BadConfig: with all problems.
    """
    from gansweep.schedules.curves import Curve

    compositions = composed(overrides, config_dir)
    players: list[Player] = []
    problems = _problems(compositions)
    for composition in compositions:
        if not composition.config:  # the reason is in composition.problems
            continue
        allow = composition.config.get("allow")
        make = Constructor(allow if isinstance(allow, list) else ())
        for player in _players(composition, make):
            if all(player[:3] != other[:3] for other in players):  # the fields that determine the curve
                players.append(player)
        problems += make.problems
    if problems:
        raise BadConfig(problems)
    varies = [key for key in ("lr", "steps") if len({getattr(player, key) for player in players}) > 1]
    return [
        Curve(
            ", ".join([player.words, *(f"{key}={plain(getattr(player, key))}" for key in varies)]),
            player.lr * player.schedule.values(player.steps),
        )
        for player in players
    ]


def _problems(compositions: Sequence[Composition]) -> list[SettingError]:
    """Return the problems of all overrides, except settings that exist for another schedule."""
    known = {key for composition in compositions for key in _taken(composition) if "." in key}
    return [problem for each in compositions for problem in each.problems if problem.name not in known]


def _taken(composition: Composition) -> Mapping[str, Any]:
    """Return the overrides that are valid in the composition."""
    wrong = {problem.name for problem in composition.problems}
    return {key: value for key, value in composition.given.items() if key not in wrong}


def _players(composition: Composition, make: Constructor) -> Iterator[Player]:
    """Yield the generator of a run, and the discriminator if its rates differ."""
    config = composition.config
    numbers = {key: value for key, value in config.items() if key in signature(Root).types}
    root = {k: v for k, v in make.arguments(Root, numbers, "").items() if not isinstance(v, Broken)}
    if root.get("lr_d") == root.get("lr"):  # not set separately, so its problems are those of lr
        root.pop("lr_d", None)
        make.problems = [problem for problem in make.problems if problem.name != "lr_d"]
    make.problems += out_of_range(root)
    if root.get("steps", 0) > MAX_STEPS:
        make.problems.append(SettingError("steps", root["steps"], f"expected at most {MAX_STEPS} to draw"))
    make.problems += composition.unknown_length if root.get("epochs") is not None else []
    own = config.get("schedule_d") is not None
    for group, lr in (("schedule", "lr"), ("schedule_d" if own else "schedule", "lr_d")):
        schedule = _schedule(config.get(group), group, make)
        if make.problems or schedule is None:
            return
        try:
            schedule.check(root["steps"])
        except ValueError as error:
            make.problems.append(SettingError.of(group, error))
            return
        words = _words(composition, group)
        if lr == "lr" or own or "lr_d" in root:
            rate = root.get(lr, root["lr"])
            yield Player(schedule, rate, root["steps"], words if lr == "lr" else f"{words} (discriminator)")


def _schedule(node: Any, group: str, make: Constructor) -> Schedule | None:
    if not isinstance(node, dict):
        make.problems.append(SettingError(group, None, f"must be chosen: {group}=..."))
        return None
    schedule = make(node, group)
    if isinstance(schedule, Broken):
        return None
    if not conforms(schedule, Schedule):
        make.problems.append(SettingError(f"{group}._target_", node["_target_"], wrong_kind(schedule, Schedule)))
        return None
    return schedule


def _words(composition: Composition, group: str) -> str:
    """Return the label of a schedule: its choice and the settings given for it.

    `schedule=warmup schedule@schedule.after=cosine` is "warmup, after=cosine".
    """
    choices = composition.choices
    choice = choices.get(group) or choices.get(f"schedule@{group}") or group
    settings = [
        f"{key.removeprefix('schedule@').removeprefix(f'{group}.')}={plain(value)}"
        for key, value in _taken(composition).items()
        if key.removeprefix("schedule@").startswith(f"{group}.")
    ]
    return ", ".join([str(choice), *settings])
