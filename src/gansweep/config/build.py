"""Build a Run from a composed configuration, or collect all its errors."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gansweep import device as devices
from gansweep.batched.member import Member
from gansweep.config.checks import SCHEDULES, late_evaluations, misfits, players, said
from gansweep.config.errors import BadConfig, Problem, unknown_key
from gansweep.config.instantiate import Broken, Constructor
from gansweep.config.protocol import keeps
from gansweep.config.root import Root, out_of_range
from gansweep.config.signature import signature
from gansweep.interfaces import (
    Algorithm,
    Dataset,
    Dynamics,
    Feedback,
    Metric,
    Model,
    Outlook,
    Remarking,
    Schedule,
    UpdateRule,
)
from gansweep.losses.objective import NoGame, Objective
from gansweep.training.run import Run, TrainerSettings

# Required type of each config group. Groups ending in _d apply to the discriminator only, _beta to the optimizer,
# _penalty and _noise to the objective, _ema to the weight average. These are optional, and so are feedback and metrics.
GROUPS: Mapping[str, type] = {
    "model": Model,
    "loss": Objective,
    "optimizer": UpdateRule,
    "optimizer_d": UpdateRule,
    "algorithm": Algorithm,
    "dynamics": Dynamics,
    "schedule": Schedule,
    "schedule_d": Schedule,
    "schedule_beta": Schedule,
    "schedule_beta_d": Schedule,
    "schedule_penalty": Schedule,
    "schedule_noise": Schedule,
    "schedule_ema": Schedule,
    "schedule_critic": Schedule,
    "feedback": Feedback,
    "feedback_d": Feedback,
    "data": Dataset,
    "metric": Metric,
    "metric_2": Metric,
}
OPTIONAL = ("loss", "optimizer_d", *SCHEDULES[1:], "feedback", "feedback_d", "metric", "metric_2")
MOST_DATASETS = 2
_datasets: dict[str, Dataset] = {}


@dataclass(frozen=True)
class Checked:
    """Result of checking a configuration.

    Args:
        config: the configuration with numbers converted to their declared types, and the length in steps.
        problems: errors; empty if the configuration can be trained.
        parts: instantiated objects by group; groups that failed are missing.
        run: the run, None if there are errors.
    """

    config: dict[str, Any]
    problems: list[Problem]
    parts: Mapping[str, Any]
    run: Run | None

    @property
    def data(self) -> Dataset:
        """The data set; configurations with equal data settings share one object."""
        return self.parts["data"]


@devices.cpu_threads(1)
def check(config: Mapping[str, Any], given: Collection[str] = ()) -> Checked:
    """Instantiate all objects of a configuration and check that they are compatible.

    Samples are generated here with one thread, so that they do not depend on torch's default number of threads.

    Args:
        config: resolved configuration in JSON types.
        given: keys given on the command line; `steps` there takes precedence over the `epochs` of an experiment.
    """
    config = copy.deepcopy(dict(config))
    trust = config.get("allow")
    make = Constructor(trust if isinstance(trust, list) else ())
    root = _root(config, make)
    make.problems += out_of_range(root)
    if root.get("lr_d") == root.get("lr"):  # lr_d is interpolated from lr; its problem is already reported for lr
        make.problems = [problem for problem in make.problems if problem.where != "lr_d"]
    make.problems += _length(config, root, given)
    parts: dict[str, Any] = {"trainer": _trainer(config, make)}
    for group, kind in GROUPS.items():
        part = _part(config, group, kind, make)
        if not isinstance(part, Broken):
            parts[group] = part
    if "data" in parts:
        parts["data"] = _shared(parts["data"], config["data"])
    make.problems += misfits(parts, config, root)
    make.problems += late_evaluations(parts["trainer"], config["steps"], given)
    make.problems += _settled_feedback(parts, config)
    if not make.problems and config["critic_steps"] is None:
        config["critic_steps"] = 1 if parts["loss"] is None else parts["loss"].critic_steps
    run = None
    if not make.problems:
        try:
            run = _run(config, parts)
        except ValueError as error:
            make.problems += [Problem.of("", ValueError(line)) for line in str(error).splitlines()]
    return Checked(config, make.problems, parts, run)


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
    problems = checked.problems or absent_device(checked.config)
    if problems or checked.run is None:
        raise BadConfig(problems)
    return replace(checked.run, identity=identity, cell=cell)


def _run(config: dict[str, Any], parts: Mapping[str, Any]) -> Run:
    """Assemble a Run from the instantiated objects of a checked configuration."""
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


def remarks(run: Run) -> list[str]:
    """Return one warning line for each setting that has no effect in a run."""
    member, lines = run.member, list[str]()
    evaluations = math.ceil(run.steps / run.trainer.eval_every)  # feedback can't react to the last evaluation
    moves = getattr(run.dynamics, "generator_steps", 1), run.critic_steps
    for player, count in zip((member.generator, member.discriminator), moves, strict=True):
        outlook = Outlook(run.steps * count, evaluations, player.lr)
        for group, part in (("optimizer", player.rule), ("feedback", player.feedback)):
            if isinstance(part, Remarking):
                lines += [f"{group}={type(part).__name__}: {remark}" for remark in part.remarks(outlook)]
    return list(dict.fromkeys(lines))


def left_out(data: Dataset) -> list[str]:
    """Return at most one line that describes the files of a data set that are not used."""
    text = getattr(data, "left_out", "")
    return [f"data={data.name}: {text}"] if text else []


def absent_device(config: Mapping[str, Any]) -> list[Problem]:
    """Return a problem if the device of a checked configuration is not available, else an empty list."""
    return said("device", lambda: devices.resolve(config["device"]))


def _root(config: dict[str, Any], make: Constructor) -> dict[str, Any]:
    """Convert the root settings to their declared types in place, and return the valid ones."""
    accepted = signature(Root).types
    for key in config:
        if key not in accepted and key not in GROUPS and key != "trainer":
            make.problems.append(unknown_key(key, [*accepted, *GROUPS, "trainer"]))
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
    node = config.get(group)
    if node is None:
        if group not in OPTIONAL:
            make.problems.append(Problem(group, f"must be chosen: {group}=..."))
            return Broken()
        config.pop(group, None)
        return None
    if not isinstance(node, dict) or "_target_" not in node:
        make.problems.append(Problem(group, "expected a choice of this group with a _target_"))
        return Broken()
    torchs = str(node["_target_"]).startswith("torch.optim.")
    if torchs and kind is UpdateRule:
        wrapped = "_target_: gansweep.optimizers.torch_optimizer.TorchOptimizer with"
        hint = f"={node['_target_']}: write {wrapped} name: {node['_target_']} and settings: {{...}}"
        make.problems.append(Problem(f"{group}._target_", f"{hint}; conf/optimizer/radam.yaml is an example"))
        return Broken()
    part = make(node, group)
    if not isinstance(part, Broken) and not keeps(part, kind):
        make.problems.append(Problem(f"{group}._target_", f"={node['_target_']}: is not a {kind.__name__}"))
        return Broken()
    return part


def _length(config: dict[str, Any], root: Mapping[str, Any], given: Collection[str]) -> list[Problem]:
    """Choose between `steps` and `epochs`: command-line overrides take precedence over an experiment."""
    if root.get("epochs") is None or "steps" not in given:
        return []
    config["epochs"] = None
    if "epochs" not in given:
        return []
    return [Problem("epochs", f"={root['epochs']}: steps={config['steps']} is given too; expected only one of them")]


def _settled_feedback(parts: dict[str, Any], config: dict[str, Any]) -> list[Problem]:
    """Normalise the feedback settings in place, so that equivalent configurations have the same identity.

    Feedback that monitors the discriminator's loss is moved to `feedback_d`. Feedback without effect is removed, except
    for a `feedback_d` that overrides the generator's feedback.
    """
    shared, own = parts.get("feedback"), parts.get("feedback_d")
    if shared is not None and shared.hears == "game":
        if own is not None:
            conflict = f"={shared!r}: changes only the discriminator's rate, and so does feedback_d={own!r}"
            return [Problem("feedback", f"{conflict}; expected one of them")]
        parts["feedback_d"], config["feedback_d"] = shared, config.pop("feedback")
        parts["feedback"] = shared = None
    if shared is None or shared.hears == "nothing":
        for group in ("feedback", "feedback_d"):
            if parts.get(group) is not None and parts[group].hears == "nothing":
                parts[group] = None
                del config[group]
    return []


def _shared(data: Dataset, node: Mapping[str, Any]) -> Dataset:
    """Return the cached data set with equal settings, whose samples may be loaded already."""
    key = json.dumps(node, sort_keys=True, default=str)
    if key not in _datasets:
        while len(_datasets) >= MOST_DATASETS:
            del _datasets[next(iter(_datasets))]
        _datasets[key] = data
    return _datasets[key]
