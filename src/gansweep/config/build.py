"""Check a configuration, by way of its normal form, and build its Run, or return all its problems."""

from __future__ import annotations

import copy
import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from gansweep import device as devices
from gansweep.augmentations import Augmentation
from gansweep.augmentations.none import NoAugmentation
from gansweep.batched.member import Member, check_update
from gansweep.config.checks import Checked, data_problems, late_evaluations, misfits, players, problems_of
from gansweep.config.errors import BadConfig, SettingError, unknown_key
from gansweep.config.instantiate import Broken, Constructor, is_torch_optimizer
from gansweep.config.keys import CLIPPING, SCHEDULES
from gansweep.config.root import Root, out_of_range, steps_of
from gansweep.config.typed import conforms, signature, wrong_kind
from gansweep.interfaces import (
    Algorithm,
    Dataset,
    Dynamics,
    Feedback,
    LoggerSettings,
    Metric,
    Model,
    Schedule,
    UpdateRule,
)
from gansweep.losses.objective import NoGame, Objective
from gansweep.training.run import Run, TrainerSettings
from gansweep.training.tensorboard import TensorBoard

# Required type of each config group. Groups ending in _d apply to the discriminator only, _beta to the optimizer,
# _penalty and _noise to the objective, _ema to the weight average.
GROUPS: Mapping[str, type] = {
    "model": Model,
    "loss": Objective,
    "augment": Augmentation,
    "optimizer": UpdateRule,
    "optimizer_d": UpdateRule,
    "algorithm": Algorithm,
    "dynamics": Dynamics,
    **dict.fromkeys(SCHEDULES, Schedule),
    "feedback": Feedback,
    "feedback_d": Feedback,
    "data": Dataset,
    "metric": Metric,
    "metric_2": Metric,
}
REQUIRED = ("model", "optimizer", "algorithm", "dynamics", "schedule", "data")
MAX_DATASETS = 2
_datasets: dict[str, Dataset] = {}


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


def normalise(config: Mapping[str, Any], given: Collection[str] = ()) -> Checked:
    """Return the normal form of a configuration, which is not changed itself.

    1. Numbers are converted to their declared types, aliases to the names of the classes.
    2. Groups without a choice are removed; all others are instantiated.
    3. A length in epochs is converted to steps.
    4. `critic_steps` gets the default of the loss.
    5. Feedback that monitors the discriminator's loss belongs to `feedback_d`; feedback without effect is removed.
    """
    config = copy.deepcopy(dict(config))  # changed in place by the functions below
    allow = config.get("allow")
    make = Constructor(allow if isinstance(allow, list) else ())
    root = _root(config, make)
    make.problems += out_of_range(root)
    # Interpolated from the generator's settings, whose problems are reported already; NaN differs from itself.
    repeated = [f"{name}_d" for name in ("lr", *CLIPPING) if repr(config.get(f"{name}_d")) == repr(config.get(name))]
    make.problems = [problem for problem in make.problems if problem.name not in repeated]
    checked = Checked(config, root, {}, make.problems)
    _drop_epochs(checked, given)
    parts = {"trainer": _trainer(config, make), "logger": _loggers(config, make)}
    parts |= {group: _part(config, group, kind, make) for group, kind in GROUPS.items()}
    checked.parts.update({group: part for group, part in parts.items() if not isinstance(part, Broken)})
    if "data" in checked.parts:
        checked.parts["data"] = _shared(checked.parts["data"], config["data"])
    _convert_epochs(checked)
    if "loss" in checked.parts and root.get("critic_steps", 0) is None:
        loss = checked.parts["loss"]
        config["critic_steps"] = root["critic_steps"] = 1 if loss is None else loss.critic_steps
    _move_feedback(checked)
    return checked


def _root(config: dict[str, Any], make: Constructor) -> dict[str, Any]:
    """Convert the root settings to their declared types in place, and return the valid ones."""
    accepted = signature(Root).types
    known = [*accepted, *GROUPS, "trainer", "logger"]
    make.problems += [unknown_key(key, known) for key in config if key not in known]
    numbers = {key: value for key, value in config.items() if key in accepted}
    arguments = make.arguments(Root, numbers, "")
    config.update(numbers)
    return {key: value for key, value in arguments.items() if not isinstance(value, Broken)}


def _trainer(config: dict[str, Any], make: Constructor) -> TrainerSettings | Broken:
    """Return the settings of conf/trainer, which has no `_target_` because there is only one trainer."""
    node = {"_target_": "gansweep.training.run.TrainerSettings", **(config.get("trainer") or {})}
    trainer = make(node, "trainer")
    config["trainer"] = {key: value for key, value in node.items() if key != "_target_"}
    return trainer


def _part(config: dict[str, Any], group: str, kind: type, make: Constructor) -> Any:
    """Return the object of a group; None for a group without a choice, which is removed from the config."""
    node = config.get(group)
    if node is None:
        if group in REQUIRED:
            make.problems.append(SettingError(group, None, f"must be chosen: {group}=..."))
            return Broken()
        config.pop(group, None)
        return None
    if not isinstance(node, dict) or "_target_" not in node:
        make.problems.append(SettingError(group, None, "expected a choice of this group with a _target_"))
        return Broken()
    where, target = f"{group}._target_", node["_target_"]
    if kind is UpdateRule and is_torch_optimizer(target, make.allow):
        wrapped = "_target_: gansweep.optimizers.torch_optimizer.TorchOptimizer with"
        hint = f"write {wrapped} name: {target} and settings: {{...}}; conf/optimizer/radam.yaml is an example"
        make.problems.append(SettingError(where, target, hint))
        return Broken()
    part = make(node, group)
    if isinstance(part, Broken):
        return part
    wrong = [] if conforms(part, kind) else [SettingError(where, target, wrong_kind(part, kind))]
    if kind is UpdateRule and not wrong:
        wrong = problems_of(where, lambda: check_update(part))
    make.problems += wrong
    return Broken() if wrong else part


def _loggers(config: dict[str, Any], make: Constructor) -> tuple[LoggerSettings, ...] | Broken:
    """Return the chosen loggers, which are below their names; TensorBoard for configurations of earlier versions."""
    nodes = config.get("logger")
    if nodes is None:
        return (TensorBoard(),)
    if not isinstance(nodes, dict) or not all(isinstance(node, dict) for node in nodes.values()):
        make.problems.append(SettingError("logger", nodes, "expected a mapping from names to nodes with a _target_"))
        return Broken()
    loggers = {name: make(node, f"logger.{name}") for name, node in nodes.items()}
    wrong = [
        SettingError(f"logger.{name}._target_", nodes[name]["_target_"], wrong_kind(logger, LoggerSettings))
        for name, logger in loggers.items()
        if not isinstance(logger, Broken) and not conforms(logger, LoggerSettings)
    ]
    make.problems += wrong
    broken = wrong or any(isinstance(logger, Broken) for logger in loggers.values())
    return Broken() if broken else tuple(loggers.values())


def _drop_epochs(checked: Checked, given: Collection[str]) -> None:
    """Discard the `epochs` of an experiment where `steps` are given on the command line."""
    epochs = checked.root.get("epochs")
    if epochs is None or "steps" not in given:
        return
    checked.config["epochs"] = checked.root["epochs"] = None
    if "epochs" in given:
        conflict = f"steps={checked.config['steps']} is given too; expected only one of them"
        checked.problems.append(SettingError("epochs", epochs, conflict))


def _convert_epochs(checked: Checked) -> None:
    """Replace `epochs` by `steps`, unless the data set can't be read, which is reported by the checks."""
    data, epochs, batch_size = checked.parts.get("data"), checked.root.get("epochs"), checked.root.get("batch_size", 0)
    if data is None or epochs is None or batch_size < 1:
        return
    if data_problems(checked.config, data) or problems_of("data", lambda: data.samples):
        return
    steps = steps_of(epochs, len(data.samples), batch_size)
    checked.config.update(steps=steps, epochs=None)
    checked.root.update(steps=steps, epochs=None)


def _move_feedback(checked: Checked) -> None:
    """Move feedback that monitors the discriminator's loss to `feedback_d`, and remove feedback without effect.

    A `feedback_d` without effect is kept where it replaces the generator's feedback.
    """
    config, parts = checked.config, checked.parts
    shared, own = parts.get("feedback"), parts.get("feedback_d")
    if shared is not None and shared.monitors == "game":
        if own is not None:
            conflict = f"changes only the discriminator's rate, and so does feedback_d={own!r}"
            checked.problems.append(SettingError("feedback", shared, f"{conflict}; expected one of them"))
            return
        parts["feedback_d"], config["feedback_d"] = shared, config.pop("feedback")
        parts["feedback"] = shared = None
        checked.given_as["feedback_d"] = "feedback"
    if shared is None or shared.monitors == "nothing":
        for group in ("feedback", "feedback_d"):
            if parts.get(group) is not None and parts[group].monitors == "nothing":
                parts[group] = None
                del config[group]


def _shared(data: Dataset, node: Mapping[str, Any]) -> Dataset:
    """Return the cached data set with equal settings, whose samples may be loaded already."""
    key = json.dumps(node, sort_keys=True, default=str)
    if key not in _datasets:
        while len(_datasets) >= MAX_DATASETS:
            del _datasets[next(iter(_datasets))]
        _datasets[key] = data
    return _datasets[key]


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
