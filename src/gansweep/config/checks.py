"""Checks of a normalised configuration: compatibility of its objects. Nothing is changed."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gansweep.algorithms.adversarial.critic_steps import critic_steps_at
from gansweep.batched.member import PlayerSettings
from gansweep.config.errors import BadConfig, SettingError
from gansweep.config.keys import SCHEDULES
from gansweep.data.images import UnreadableImages
from gansweep.interfaces import Dataset, Metric, Model, RunLength
from gansweep.labels import num_classes_of
from gansweep.memory import GIB, available_bytes
from gansweep.models.networks import network_of
from gansweep.training.run import Run, TrainerSettings

COPIES = 2  # minimum number of copies of the parameters in memory: the parameters and their gradient


@dataclass(frozen=True)
class Checked:
    """Normalised configuration with the objects that it names, and its problems.

    Args:
        config: the configuration; equivalent configurations are equal.
        root: settings outside the groups; invalid ones are missing.
        parts: instantiated objects by group; groups that failed are missing.
        problems: what is wrong; empty if the configuration can be trained.
        given_as: the group in which the user chose an object, for objects that belong to another group.
        run: the run, None if there are problems.
    """

    config: dict[str, Any]
    root: dict[str, Any]
    parts: dict[str, Any]
    problems: list[SettingError]
    given_as: dict[str, str] = field(default_factory=dict)
    run: Run | None = None

    @property
    def data(self) -> Dataset:
        """The data set; configurations with equal data settings share one object."""
        return self.parts["data"]


def misfits(checked: Checked) -> list[SettingError]:
    """Return the incompatibilities of the objects of a normalised configuration."""
    config, parts, root = checked.config, checked.parts, checked.root
    problems = _with_data(config, parts, root)
    steps = root.get("steps", 0) if root.get("epochs") is None else 0  # unknown if the data can't be read
    if steps > 0:
        for key in SCHEDULES:
            if parts.get(key) is not None:
                problems += problems_of(key, lambda key=key: parts[key].check(steps))
        problems += _with_memory(config, parts, steps) if not problems else []
    problems += _with_feedback(parts, checked.given_as) + _sides(parts) + _idle_schedules(parts)
    return problems + (_idle_critic_schedule(parts, root, steps) if not problems else [])


def data_problems(config: Mapping[str, Any], data: Dataset) -> list[SettingError]:
    """Return the first problem of a data set, found before its samples are read."""
    size = math.prod(data.sample_shape)
    return problems_of("data", data.check) or problems_of("data", lambda: _check_size(config, "data", "a sample", size))


def _with_data(config: Mapping[str, Any], parts: Mapping[str, Any], root: Mapping[str, Any]) -> list[SettingError]:
    """Check the data and then what depends on them; return the first problem, which may cause the others."""
    data, model = parts.get("data"), parts.get("model")
    if data is None:
        return []
    shape = tuple(data.sample_shape)
    checks: list[tuple[str, Callable[[], Any]]] = []
    if model is not None:
        sides = ["generator"] if getattr(parts.get("algorithm"), "alone", False) else ["generator", "discriminator"]
        checks.append(("model.conditional", lambda: _check_labels(data, model)))
        checks += [("model", lambda m=model, d=data, side=side: _check_network(config, m, side, d)) for side in sides]
    if parts.get("augment") is not None:
        checks.append(("augment", lambda: parts["augment"].check(shape)))
    for key in ("metric", "metric_2"):
        if parts.get(key) is not None:
            checks.append((key, lambda key=key: _check_evaluation(config, key, parts[key], shape)))
            checks.append((key, lambda key=key: parts[key].check(data)))
    checks.append(("data.in_memory", lambda: _check_streamed(data, parts.get("algorithm"))))
    checks.append(("data", lambda: _check_batch_size(root.get("batch_size", 1), data)))
    first = (problems_of(where, check) for where, check in checks)
    return data_problems(config, data) or next(filter(None, first), [])


def _check_labels(data: Dataset, model: Model) -> None:
    try:
        num_classes_of(data, model)
    except ValueError as error:
        raise SettingError("model.conditional", "true", str(error)) from error


def _check_network(config: Mapping[str, Any], model: Model, side: str, data: Dataset) -> None:
    """Raise an error if a network can't be built for the data shape, or does not fit in memory."""
    network = network_of(model, side, tuple(data.sample_shape), num_classes_of(data, model))
    _check_size(config, "model", f"the {side} with its gradient", COPIES * network.num_parameters)


def _check_evaluation(config: Mapping[str, Any], key: str, metric: Metric, shape: tuple[int, ...]) -> None:
    _check_size(config, key, "the samples of an evaluation", metric.num_samples * math.prod(shape))


def _check_size(config: Mapping[str, Any], group: str, what: str, count: int) -> None:
    """Raise BadConfig for the largest integer setting of a group if `count` float32 numbers do not fit in memory."""
    needed, available = 4 * count, available_bytes()
    if needed > available:
        value, key = max(_whole_numbers(config[group], group), default=(0, group))
        takes = f"{what} would take {needed / GIB:,.1f} GiB of memory, {available / GIB:,.1f} GiB are available"
        raise SettingError(key, value, f"{takes}; expected a smaller number")


def _whole_numbers(node: Any, path: str) -> Iterator[tuple[int, str]]:
    """Yield the integers of a config node with their dotted keys."""
    if isinstance(node, Mapping):
        for key, part in node.items():
            yield from _whole_numbers(part, f"{path}.{key}")
    elif isinstance(node, list):
        yield from ((part, path) for part in node if type(part) is int)
    elif type(node) is int:
        yield node, path


def _with_memory(config: Mapping[str, Any], parts: Mapping[str, Any], steps: int) -> list[SettingError]:
    """Check that the optimizers support the schedules of beta."""
    if not {"optimizer", "schedule"} <= parts.keys():
        return []
    generator, discriminator = players(config, parts)
    whose = "schedule_beta" if parts.get("schedule_beta_d") is None else "schedule_beta_d"
    return problems_of("schedule_beta", lambda: generator.check_beta(steps)) or problems_of(
        whose, lambda: discriminator.check_beta(steps)
    )


def _with_feedback(parts: Mapping[str, Any], given_as: Mapping[str, str]) -> list[SettingError]:
    """Return a problem for feedback whose monitored quantity is not available."""
    problems = []
    for key in ("feedback", "feedback_d"):
        feedback, where = parts.get(key), given_as.get(key, key)
        if feedback is not None and feedback.monitors == "metric" and "metric" in parts and parts["metric"] is None:
            wrong = "monitors a metric, but metric=null; expected metric=... or another feedback"
            problems.append(SettingError(where, feedback, wrong))
        if feedback is not None and parts.get("loss") is not None:
            problems += problems_of(where, lambda feedback=feedback: feedback.fitted(parts["loss"].game))
    return problems


def _sides(parts: Mapping[str, Any]) -> list[SettingError]:
    """Check the settings that two-player algorithms require; single-player algorithms check their own."""
    problems, algorithm = [], parts.get("algorithm")
    for key in ("metric", "metric_2"):
        if hasattr(parts.get(key), "labels") and not getattr(parts.get("model"), "conditional", False):
            wrong = "compares single classes; expected model.conditional=true, with a model that has this setting"
            problems.append(SettingError(key, parts[key].name, wrong))
    if algorithm is not None and not getattr(algorithm, "alone", False):
        if "loss" in parts and parts["loss"] is None:
            problems.append(SettingError("loss", None, "must be chosen: loss=..."))
        for key in ("metric", "metric_2"):
            if getattr(parts.get(key), "of_pairs", False):
                wrong = "compares restored images with originals; expected algorithm=denoising"
                problems.append(SettingError(key, parts[key].name, wrong))
    return problems


def _idle_schedules(parts: Mapping[str, Any]) -> list[SettingError]:
    """Return a problem for each schedule without a quantity to multiply; it would have no effect in a comparison."""
    problems, loss = [], parts.get("loss")
    if loss is not None and parts.get("schedule_penalty") is not None and not loss.penalties:
        problems.append(
            SettingError("schedule_penalty", None, "the loss has no penalties, expected e.g. loss=r1, or null")
        )
    if loss is not None and parts.get("schedule_noise") is not None and not loss.instance_noise:
        wrong = "the loss has instance_noise=0, expected e.g. loss=instance_noise or loss.instance_noise=0.1, or null"
        problems.append(SettingError("schedule_noise", None, wrong))
    trainer = parts.get("trainer")
    if isinstance(trainer, TrainerSettings) and parts.get("schedule_ema") is not None and trainer.ema is None:
        wrong = "trainer.ema=null: there is no average, expected e.g. trainer.ema=0.999"
        problems.append(SettingError("schedule_ema", None, wrong))
    return problems


def late_evaluations(trainer: Any, steps: int, given: Collection[str]) -> list[SettingError]:
    """Return a problem if `trainer.eval_at` of the command line has steps after the last one.

    Those of an experiment are not refused: they have no effect in its shorter scales.
    """
    if not isinstance(trainer, TrainerSettings) or steps < 1:
        return []
    if not {"trainer", "trainer.eval_at"} & set(given) or max(trainer.eval_at, default=0) <= steps:
        return []
    wrong = f"the run ends after steps={steps}, expected steps from 1 to {steps}"
    return [SettingError("trainer.eval_at", trainer.eval_at, wrong)]


def _idle_critic_schedule(parts: Mapping[str, Any], root: Mapping[str, Any], steps: int) -> list[SettingError]:
    """Return a problem if a schedule of critic steps has no effect after rounding."""
    schedule, loss = parts.get("schedule_critic"), parts.get("loss")
    if schedule is None or loss is None or steps < 1:
        return []
    base = root.get("critic_steps") or loss.critic_steps
    moves = {critic_steps_at(base, schedule, step, steps) for step in range(steps)}
    if moves == {base} and set(schedule.values(steps).tolist()) != {1.0}:
        wrong = f"has no effect on critic_steps={base} after rounding, expected more of them, or null"
        return [SettingError("schedule_critic", schedule, wrong)]
    return []


def _check_streamed(data: Dataset, algorithm: Any) -> None:
    """Raise SettingError if the images are read in batches and the algorithm uses all of them."""
    if getattr(data, "is_streamed", False) and not getattr(algorithm, "indexes_samples", False):
        wrong = "this algorithm needs all images in memory, expected true, or algorithm=adversarial, cfg or denoising"
        raise SettingError("data.in_memory", getattr(data, "in_memory", None), wrong)


def _check_batch_size(batch_size: int, data: Dataset) -> None:
    num_samples = len(data.samples)
    if batch_size > num_samples:
        wrong = f"the data set has {num_samples} samples, expected at most that"
        raise SettingError("batch_size", batch_size, wrong)


def players(config: Mapping[str, Any], parts: Mapping[str, Any]) -> tuple[PlayerSettings, PlayerSettings]:
    """Return the settings of generator and discriminator; the discriminator's default to the generator's.

    A discriminator whose optimizer has no momentum does not inherit the schedule of beta.
    """
    beta, beta_d = parts.get("schedule_beta"), parts.get("schedule_beta_d")
    generator = PlayerSettings(
        parts["optimizer"],
        config["lr"],
        parts["schedule"],
        parts.get("feedback"),
        beta,
        clip_norm=config.get("clip_grad_norm"),
        clip_value=config.get("clip_grad_value"),
    )
    discriminator = PlayerSettings(
        parts.get("optimizer_d") or parts["optimizer"],
        config["lr_d"],
        parts.get("schedule_d") or parts["schedule"],
        parts.get("feedback_d") or parts.get("feedback"),
        beta_d,
        clip_norm=config.get("clip_grad_norm_d"),
        clip_value=config.get("clip_grad_value_d"),
    )
    if beta_d is None and discriminator.memory:
        discriminator = replace(discriminator, beta_schedule=beta)
    return generator, discriminator


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


def problems_of(where: str, check: Callable[[], Any]) -> list[SettingError]:
    """Call `check` and return the problems of the error that it raises, an empty list if it raises none."""
    try:
        check()
    except BadConfig as error:
        return error.problems
    except UnreadableImages as error:
        return [SettingError.of("data", error)]
    except (ValueError, OSError, ImportError) as error:
        return [SettingError.of(where, error)]
    except MemoryError as error:
        return [SettingError(where, None, f"needs more memory than is available: {error}")]
    except RuntimeError as error:  # torch has no exception class for out of memory on a CPU
        if "can't allocate memory" not in str(error):
            raise
        return [SettingError(where, None, "needs more memory than is available")]
    return []
