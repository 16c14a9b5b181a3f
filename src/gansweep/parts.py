"""What the parts of a configuration say of each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gansweep.algorithms.adversarial.critic_steps import critic_steps_at
from gansweep.interfaces import Alone, Dataset, OfPairs
from gansweep.members.member import PlayerSettings
from gansweep.settings.problem import BadConfig, Problem
from gansweep.settings.root import steps_of
from gansweep.training.run import TrainerSettings

SCHEDULES = (
    *("schedule", "schedule_d", "schedule_beta", "schedule_beta_d"),
    *("schedule_penalty", "schedule_noise", "schedule_ema", "schedule_critic"),
)


def misfits(parts: Mapping[str, Any], config: dict[str, Any], root: Mapping[str, Any]) -> list[Problem]:
    """Compare the parts with each other, as far as there are any."""
    found = []
    data, model, metric = (parts.get(group) for group in ("data", "model", "metric"))
    if data is not None:
        found += said("data", data.check)
        if not found and model is not None:
            shape = tuple(data.sample_shape)
            found += said("model", lambda: model.generator(shape))
            if not found and not isinstance(parts.get("algorithm"), Alone):
                found += said("model", lambda: model.discriminator(shape))
        if not found and metric is not None:
            found += said("metric", lambda: metric.check(data))
        if not found and parts.get("metric_2") is not None:
            found += said("metric_2", lambda: parts["metric_2"].check(data))
        found += said("data", lambda: _lengths_of_data(config, root, data)) if not found else []
    steps = config["steps"]
    for key in SCHEDULES:
        if parts.get(key) is not None and isinstance(steps, int) and steps > 0:
            found += said(key, lambda key=key: parts[key].check(steps))
    if not found and {"optimizer", "schedule"} <= parts.keys() and isinstance(steps, int) and steps > 0:
        generator, discriminator = players(config, parts)
        whose = "schedule_beta" if parts.get("schedule_beta_d") is None else "schedule_beta_d"
        found += said("schedule_beta", lambda: generator.check_beta(steps))
        found += said(whose, lambda: discriminator.check_beta(steps)) if not found else []
    for key in ("feedback", "feedback_d"):
        feedback = parts.get(key)
        if feedback is not None and feedback.hears == "metric" and "metric" in parts and metric is None:
            found.append(Problem(key, f"={feedback!r}: answers to a metric; choose one, metric=..., or other feedback"))
        if feedback is not None and parts.get("loss") is not None:
            found += said(key, lambda feedback=feedback: feedback.fitted(parts["loss"].game))
    found += _sides(parts) + _idle_schedules(parts)
    return found + (_idle_critic_schedule(parts, root, steps) if not found else [])


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
    except (ValueError, OSError, ImportError) as error:
        return [Problem.of(where, error)]
    return []
