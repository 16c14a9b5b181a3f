"""Check a configuration and build its Run, or return all its errors."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gansweep import device as devices
from gansweep.batched.member import Member
from gansweep.config.checks import late_evaluations, misfits, players, problems_of
from gansweep.config.errors import BadConfig, SettingError
from gansweep.config.normalise import Normal, normalise
from gansweep.interfaces import Dataset, RunLength
from gansweep.losses.objective import NoGame, Objective
from gansweep.training.run import Run


@dataclass(frozen=True)
class Checked:
    """Result of checking a configuration.

    Args:
        config: the normalised configuration.
        problems: errors; empty if the configuration can be trained.
        parts: instantiated objects by group; groups that failed are missing.
        run: the run, None if there are errors.
    """

    config: dict[str, Any]
    problems: list[SettingError]
    parts: Mapping[str, Any]
    run: Run | None

    @property
    def data(self) -> Dataset:
        """The data set; configurations with equal data settings share one object."""
        return self.parts["data"]


@devices.cpu_threads(1)
def check(config: Mapping[str, Any], given: Collection[str] = ()) -> Checked:
    """Normalise a configuration, check that its objects are compatible, and build its run.

    Samples are generated here with one thread, so that they do not depend on torch's default number of threads.

    Args:
        config: resolved configuration in JSON types.
        given: keys given on the command line; `steps` there takes precedence over the `epochs` of an experiment.
    """
    normal = normalise(config, given)
    problems = [*normal.problems, *misfits(normal.config, normal.parts, normal.root, normal.given_as)]
    problems += late_evaluations(normal.parts.get("trainer"), normal.root.get("steps", 0), given)
    run = None
    if not problems:
        try:
            run = _run(normal)
        except ValueError as error:
            problems += [SettingError.of("", ValueError(line)) for line in str(error).splitlines()]
    return Checked(normal.config, problems, normal.parts, run)


def build(config: Mapping[str, Any], *, identity: Mapping[str, Any], cell: Mapping[str, Any]) -> Run:
    """Return the Run of a configuration.

    Args:
        config: resolved configuration in JSON types.
        identity: identity that a checkpoint must have to be resumed.
        cell: name, hash and overrides of the cell, for the record.

    Raises:
        BadConfig: the configuration has errors, or the device is not available.
    """
    checked = check(config)
    if checked.run is None:
        raise BadConfig(checked.problems)
    return for_cell(checked.run, identity=identity, cell=cell)


def for_cell(run: Run, *, identity: Mapping[str, Any], cell: Mapping[str, Any]) -> Run:
    """Return a checked run as the run of a cell; the arguments are those of `build`.

    Raises:
        BadConfig: the device is not available.
    """
    if problems := absent_device(run.config):
        raise BadConfig(problems)
    return replace(run, identity=identity, cell=cell)


def _run(normal: Normal) -> Run:
    """Assemble a Run from the objects of a checked configuration."""
    config, parts = normal.config, normal.parts
    generator, discriminator = players(config, parts)
    return Run(
        member=Member(
            config["seed"],
            parts["loss"] or Objective(NoGame()),
            generator,
            discriminator,
            config["steps"],
            parts["trainer"].ema,
            penalty_schedule=parts.get("schedule_penalty"),
            noise_schedule=parts.get("schedule_noise"),
            ema_schedule=parts.get("schedule_ema"),
        ),
        model=parts["model"],
        data=parts["data"],
        metric=parts.get("metric"),
        metric_2=parts.get("metric_2"),
        batch_size=config["batch_size"],
        critic_steps=config["critic_steps"],
        critic_schedule=parts.get("schedule_critic"),
        algorithm=parts["algorithm"],
        dynamics=parts["dynamics"],
        trainer=parts["trainer"],
        device=config["device"],
        precision=config["precision"],
        threads=config["threads"],
        config=config,
    )


def without_effect(run: Run) -> list[str]:
    """Return one warning line for each setting that has no effect in a run."""
    member, lines = run.member, list[str]()
    evaluations = math.ceil(run.steps / run.trainer.eval_every)  # feedback can't react to the last evaluation
    moves = getattr(run.dynamics, "generator_steps", 1), run.critic_steps
    for player, count in zip((member.generator, member.discriminator), moves, strict=True):
        length = RunLength(run.steps * count, evaluations, player.lr)
        for group, part in (("optimizer", player.rule), ("feedback", player.feedback)):
            warnings = getattr(part, "without_effect", lambda _: [])
            lines += [f"{group}={type(part).__name__}: {line}" for line in warnings(length)]
    return list(dict.fromkeys(lines))


def left_out(data: Dataset) -> list[str]:
    """Return at most one line that describes the files of a data set that are not used."""
    text = getattr(data, "left_out", "")
    return [f"data={data.name}: {text}"] if text else []


def absent_device(config: Mapping[str, Any]) -> list[SettingError]:
    """Return a problem if the device of a checked configuration is not available, else an empty list."""
    return problems_of("device", lambda: devices.resolve(config["device"]))
