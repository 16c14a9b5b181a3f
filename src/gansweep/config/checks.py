"""What the parts of a configuration say of each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from gansweep.algorithms.adversarial.critic_steps import critic_steps_at
from gansweep.batched.member import PlayerSettings
from gansweep.config.errors import BadConfig, Problem
from gansweep.config.root import steps_of
from gansweep.data.images import UnreadableImages
from gansweep.interfaces import Alone, Dataset, Metric, Model, OfPairs
from gansweep.memory import GIB, available_bytes
from gansweep.training.run import TrainerSettings

SCHEDULES = (
    *("schedule", "schedule_d", "schedule_beta", "schedule_beta_d"),
    *("schedule_penalty", "schedule_noise", "schedule_ema", "schedule_critic"),
)
COPIES = 2  # of the parameters that a training holds at least: themselves and their gradient


def misfits(parts: Mapping[str, Any], config: dict[str, Any], root: Mapping[str, Any]) -> list[Problem]:
    """Compare the parts with each other, as far as there are any."""
    found = _with_data(parts, config, root)
    steps = config["steps"]  # epochs are counted by now
    if isinstance(steps, int) and steps > 0:
        for key in SCHEDULES:
            if parts.get(key) is not None:
                found += said(key, lambda key=key: parts[key].check(steps))
        found += _with_memory(parts, config, steps) if not found else []
    found += _with_feedback(parts) + _sides(parts) + _idle_schedules(parts)
    return found + (_idle_critic_schedule(parts, root, steps) if not found else [])


def _with_data(parts: Mapping[str, Any], config: dict[str, Any], root: Mapping[str, Any]) -> list[Problem]:
    """Ask the data, and then those who need them; the first problem is the only one that is no consequence."""
    data, model = parts.get("data"), parts.get("model")
    if data is None:
        return []
    shape = tuple(data.sample_shape)
    asked: list[tuple[str, Callable[[], Any]]] = [
        ("data", data.check),
        ("data", lambda: _check_size(config, "data", "a sample", math.prod(shape))),
    ]
    if model is not None:
        sides = ["generator"] if isinstance(parts.get("algorithm"), Alone) else ["generator", "discriminator"]
        asked += [("model", lambda m=model, side=side: _check_network(config, m, side, shape)) for side in sides]
    for key in ("metric", "metric_2"):
        if parts.get(key) is not None:
            asked.append((key, lambda key=key: _check_evaluation(config, key, parts[key], shape)))
            asked.append((key, lambda key=key: parts[key].check(data)))
    asked.append(("data", lambda: _lengths_of_data(config, root, data)))
    return next(filter(None, (said(where, ask) for where, ask in asked)), [])


def _check_network(config: Mapping[str, Any], model: Model, side: str, shape: tuple[int, ...]) -> None:
    """Raise an error if a network can't be built for the data, or does not fit in memory."""
    network = getattr(model, side)(shape)
    _check_size(config, "model", f"the {side} with its gradient", COPIES * network.num_parameters)


def _check_evaluation(config: Mapping[str, Any], key: str, metric: Metric, shape: tuple[int, ...]) -> None:
    _check_size(config, key, "the samples of an evaluation", metric.num_samples * math.prod(shape))


def _check_size(config: Mapping[str, Any], group: str, what: str, count: int) -> None:
    """Raise BadConfig if `count` float32 numbers do not fit in memory, naming the largest setting of their group."""
    needed, available = 4 * count, available_bytes()
    if needed > available:
        value, key = max(_whole_numbers(config[group], group), default=(0, group))
        takes = f"{what} would take {needed / GIB:,.1f} GiB of memory, {available / GIB:,.1f} GiB are available"
        raise BadConfig([Problem(key, f"={value}: {takes}; expected a smaller number")])


def _whole_numbers(node: Any, path: str) -> Iterator[tuple[int, str]]:
    """Yield the integers of a choice with the keys that they have on the command line."""
    if isinstance(node, Mapping):
        for key, part in node.items():
            yield from _whole_numbers(part, f"{path}.{key}")
    elif isinstance(node, list):
        yield from ((part, path) for part in node if type(part) is int)
    elif type(node) is int:
        yield node, path


def _with_memory(parts: Mapping[str, Any], config: Mapping[str, Any], steps: int) -> list[Problem]:
    """Compare schedules of beta with the optimizers."""
    if not {"optimizer", "schedule"} <= parts.keys():
        return []
    generator, discriminator = players(config, parts)
    whose = "schedule_beta" if parts.get("schedule_beta_d") is None else "schedule_beta_d"
    return said("schedule_beta", lambda: generator.check_beta(steps)) or said(
        whose, lambda: discriminator.check_beta(steps)
    )


def _with_feedback(parts: Mapping[str, Any]) -> list[Problem]:
    """Say what feedback answers to and does not get."""
    found = []
    for key in ("feedback", "feedback_d"):
        feedback = parts.get(key)
        if feedback is not None and feedback.hears == "metric" and "metric" in parts and parts["metric"] is None:
            found.append(Problem(key, f"={feedback!r}: answers to a metric; choose one, metric=..., or other feedback"))
        if feedback is not None and parts.get("loss") is not None:
            found += said(key, lambda feedback=feedback: feedback.fitted(parts["loss"].game))
    return found


def _sides(parts: Mapping[str, Any]) -> list[Problem]:
    """Say what two players need; one by itself says what it can't have."""
    found, algorithm = [], parts.get("algorithm")
    if algorithm is not None and not isinstance(algorithm, Alone):
        if "loss" in parts and parts["loss"] is None:
            found.append(Problem("loss", "must be chosen: loss=..."))
        for key in ("metric", "metric_2"):
            if isinstance(parts.get(key), OfPairs):
                wrong = f"={parts[key].name}: compares images with what they were; expected algorithm=denoising"
                found.append(Problem(key, wrong))
    return found


def _idle_schedules(parts: Mapping[str, Any]) -> list[Problem]:
    """Say which schedule has nothing to multiply, so that nobody takes it for a setting that was compared."""
    found, loss = [], parts.get("loss")
    if loss is not None and parts.get("schedule_penalty") is not None and not loss.penalties:
        found.append(Problem("schedule_penalty", "the loss has no penalties, expected e.g. loss=r1, or null"))
    if loss is not None and parts.get("schedule_noise") is not None and not loss.instance_noise:
        wrong = "the loss has instance_noise=0, expected e.g. loss=instance_noise or loss.instance_noise=0.1, or null"
        found.append(Problem("schedule_noise", wrong))
    trainer = parts.get("trainer")
    if isinstance(trainer, TrainerSettings) and parts.get("schedule_ema") is not None and trainer.ema is None:
        found.append(Problem("schedule_ema", "trainer.ema=null: there is no average, expected e.g. trainer.ema=0.999"))
    return found


def _idle_critic_schedule(parts: Mapping[str, Any], root: Mapping[str, Any], steps: Any) -> list[Problem]:
    """Say if rounding leaves nothing of a schedule of critic steps."""
    schedule, loss = parts.get("schedule_critic"), parts.get("loss")
    if schedule is None or loss is None or not isinstance(steps, int) or steps < 1:
        return []
    base = root.get("critic_steps") or loss.critic_steps
    moves = {critic_steps_at(base, schedule, step, steps) for step in range(steps)}
    if moves == {base} and set(schedule.values(steps).tolist()) != {1.0}:
        wrong = f"={schedule!r}: leaves critic_steps={base} as it is in every step, expected more of them, or null"
        return [Problem("schedule_critic", wrong)]
    return []


def _lengths_of_data(config: dict[str, Any], root: Mapping[str, Any], data: Dataset) -> None:
    """Compare the batch with the data, and count epochs in steps.

    Raises:
        BadConfig: the batch is larger than the data.
    """
    batch_size, num_samples = root.get("batch_size", 1), len(data.samples)
    if batch_size > num_samples:
        wrong = f"={batch_size}: the data have {num_samples} samples, expected at most that"
        raise BadConfig([Problem("batch_size", wrong)])
    if root.get("epochs") is not None and config["epochs"] is not None and batch_size > 0:
        config["steps"], config["epochs"] = steps_of(root["epochs"], num_samples, batch_size), None


def players(config: Mapping[str, Any], parts: Mapping[str, Any]) -> tuple[PlayerSettings, PlayerSettings]:
    """Settings of generator and discriminator, who takes over what it has none of.

    The generator's schedule of beta is none for a discriminator without momentum.
    """
    beta, beta_d = parts.get("schedule_beta"), parts.get("schedule_beta_d")
    generator = PlayerSettings(parts["optimizer"], config["lr"], parts["schedule"], parts.get("feedback"), beta)
    discriminator = PlayerSettings(
        parts.get("optimizer_d") or parts["optimizer"],
        config["lr_d"],
        parts.get("schedule_d") or parts["schedule"],
        parts.get("feedback_d") or parts.get("feedback"),
        beta_d,
    )
    if beta_d is None and discriminator.memory:
        discriminator = replace(discriminator, beta_schedule=beta)
    return generator, discriminator


def said(where: str, ask: Callable[[], Any]) -> list[Problem]:
    """Return what an object objects to, as a list of none or one."""
    try:
        ask()
    except BadConfig as error:
        return error.problems
    except UnreadableImages as error:
        return [Problem.of("data", error)]
    except (ValueError, OSError, ImportError) as error:
        return [Problem.of(where, error)]
    except MemoryError as error:
        return [Problem(where, f"needs more memory than there is: {error}")]
    except RuntimeError as error:  # torch's, which is of no class of its own on a CPU
        if "can't allocate memory" not in str(error):
            raise
        return [Problem(where, "needs more memory than there is")]
    return []
