"""Check a configuration and build its Run, or return all its problems."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from gansweep import device as devices
from gansweep.augmentations.none import NoAugmentation
from gansweep.batched.member import Member
from gansweep.config.checks import Checked, late_evaluations, misfits, players, problems_of
from gansweep.config.errors import BadConfig, SettingError
from gansweep.config.normal_form import normalise
from gansweep.losses.objective import NoGame, Objective
from gansweep.training.run import Run


@devices.cpu_threads(1)
def check(config: Mapping[str, Any], given: Collection[str] = ()) -> Checked:
    """Normalise a configuration, check that its objects are compatible, and build its run.

    Samples are generated here with one thread, so that they do not depend on torch's default number of threads.

    Args:
        config: resolved configuration in JSON types.
        given: keys given on the command line; `steps` there takes precedence over the `epochs` of an experiment.
    """
    checked = normalise(config, given)
    problems = checked.problems
    problems += misfits(checked)
    problems += late_evaluations(checked.parts.get("trainer"), checked.root.get("steps", 0), given)
    if not problems:
        try:
            run = _run(checked)
            checked.config["trainer"]["compile"] = run.trainer.compile  # auto is decided by the run
            return replace(checked, run=run)
        except ValueError as error:
            problems += [SettingError.of("", ValueError(line)) for line in str(error).splitlines()]
    return checked


def build(config: Mapping[str, Any]) -> Run:
    """Return the Run of a resolved configuration in JSON types.

    Raises:
        BadConfig: the configuration has errors, or this machine lacks the device or the compiler.
    """
    checked = check(config)
    if checked.run is None:
        raise BadConfig(checked.problems)
    if problems := absent(checked.run):
        raise BadConfig(problems)
    return checked.run


def _run(checked: Checked) -> Run:
    """Assemble a Run from the objects of a checked configuration."""
    config, parts = checked.config, checked.parts
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
            seed_init=config.get("seed_init"),
            seed_data=config.get("seed_data"),
            seed_noise=config.get("seed_noise"),
            augment=None if isinstance(parts.get("augment"), NoAugmentation) else parts.get("augment"),
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
        eval_seeds=config.get("eval_seeds", 1),
        loggers=parts["logger"],
    )


def absent(run: Run) -> list[SettingError]:
    """Return a problem if this machine lacks the device of a run or the compiler that it needs, else an empty list."""
    problems = problems_of("device", lambda: devices.resolve(run.device))
    if not problems and run.trainer.compile and not devices.has_compiler(devices.resolve(run.device)):
        needs = "torch.compile needs a C++ compiler on a CPU (g++, clang++ or the one that CXX names)"
        problems.append(SettingError("trainer.compile", "true", f"{needs}; expected false where there is none"))
    return problems
