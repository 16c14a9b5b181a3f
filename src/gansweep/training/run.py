"""Run: one cell of a sweep as objects, validated and ready to train."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal

from gansweep.algorithms.adversarial import Adversarial
from gansweep.batched.member import Member
from gansweep.dynamics.alternating import Alternating
from gansweep.interfaces import Algorithm, Dataset, Dynamics, LoggerSettings, Metric, Model, Schedule
from gansweep.training.tensorboard import TensorBoard

# Increased by hand whenever the same config gives other numbers than before. It is part of
# every cell's identity, so that results of different arithmetic are never compared.
NUMERICS = "4"
# Increased instead if only conditional models give other numbers.
NUMERICS_OF_LABELS = "2"


def numerics_of(model: Model) -> str:
    """Return the version of the arithmetic that is part of the identity of a run with this model."""
    return f"{NUMERICS}, labels {NUMERICS_OF_LABELS}" if getattr(model, "conditional", False) else NUMERICS


COMPILED_FROM = 50_000  # updates of both players from which compile=auto is true


@dataclass(frozen=True)
class TrainerSettings:
    """Intervals and options of the trainer. Only `ema`, `compile`, `eval_every` and `eval_at` affect the numbers.

    Args:
        eval_every: steps between evaluations of the metric; step 0 and the last step are always evaluated.
        eval_at: further steps after which the metric is evaluated and a sample grid is written.
        log_every: steps between points of the curves.
        sample_every: steps between sample grids.
        checkpoint_every: steps between checkpoints.
        checkpoint_minutes: minutes after which a checkpoint is written in any case.
        check_every: steps between two checks for divergence that does not show in the losses.
        diagnose_every: steps between two diagnoses of the game's vector field; null for none.
        patience: consecutive checks with a constant output or a zero gradient that end a run.
        ema: decay of the running average of the generator's parameters, e.g. 0.999; null for none.
        compile: use torch.compile; the first steps then take up to a minute. auto: true for runs of at least 50,000
            updates of both players, if all their settings can be compiled.
        tensorboard: false: no event files, with logger=tensorboard too.
        keep: weights in the cell's directory: last, those of the checkpoint; best, also those of the best evaluation of
            the metric; all, those of every evaluation.
    """

    eval_every: int = 250
    eval_at: list[int] = field(default_factory=list)
    log_every: int = 10
    sample_every: int = 250
    checkpoint_every: int = 250
    checkpoint_minutes: float = 5.0
    check_every: int = 25
    diagnose_every: int | None = None
    patience: int = 4
    ema: float | None = None
    compile: bool | Literal["auto"] = False
    tensorboard: bool = True
    keep: Literal["last", "best", "all"] = "last"

    def __post_init__(self) -> None:
        for name in ("eval_every", "log_every", "sample_every", "checkpoint_every", "check_every", "patience"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: expected a whole number, at least 1")
        if any(step < 1 for step in self.eval_at):
            raise ValueError(f"eval_at={self.eval_at}: expected steps, 1 or above")
        if self.diagnose_every is not None and self.diagnose_every < 1:
            raise ValueError(
                f"diagnose_every={self.diagnose_every}: expected a whole number, at least 1, or null for none"
            )
        if not 0 < self.checkpoint_minutes < math.inf:
            raise ValueError(f"checkpoint_minutes={self.checkpoint_minutes}: expected minutes, above 0")
        if self.ema is not None and not 0 <= self.ema < 1:
            raise ValueError(f"ema={self.ema}: expected a decay in [0, 1), e.g. 0.999, or null for no average")
        if self.keep not in ("last", "best", "all"):
            raise ValueError(f"keep={self.keep}: expected last, best or all")
        if self.compile not in (False, True, "auto"):
            raise ValueError(f"compile={self.compile}: expected true, false or auto")


@dataclass(frozen=True)
class Intervals:
    """Outputs that are due after a step, counted from 1. All are due after the last step.

    Args:
        trainer: interval of each output in steps.
        total_steps: of the run.
    """

    trainer: TrainerSettings
    total_steps: int

    def evaluations(self, until: int) -> list[int]:
        """Return all steps up to `until` after which the metric is evaluated, and 0."""
        every, at = self.trainer.eval_every, self.trainer.eval_at
        return [n for n in sorted({0, *range(every, until + 1, every), *at, self.total_steps}) if n <= until]

    def point(self, step: int) -> bool:
        """Return whether a point is added to the curves."""
        return self._every(self.trainer.log_every, step)

    def evaluation(self, step: int) -> bool:
        """Return whether the metric is evaluated."""
        return step in self.trainer.eval_at or self._every(self.trainer.eval_every, step)

    def picture(self, step: int) -> bool:
        """Return whether a sample grid is written."""
        return step in self.trainer.eval_at or self._every(self.trainer.sample_every, step)

    def checkpoint(self, step: int) -> bool:
        """Return whether a checkpoint is due, regardless of `checkpoint_minutes`."""
        return self._every(self.trainer.checkpoint_every, step)

    def diagnosis(self, step: int) -> bool:
        """Return whether the game's vector field is diagnosed."""
        return self.trainer.diagnose_every is not None and self._every(self.trainer.diagnose_every, step)

    def anything(self, step: int) -> bool:
        """Return whether divergence has to be read: before an output that a diverged run must not have, or a check."""
        output = self.evaluation(step) or self.picture(step) or self.checkpoint(step) or self.diagnosis(step)
        return output or self._every(self.trainer.check_every, step)

    def _every(self, interval: int, step: int) -> bool:
        return step == self.total_steps or step % interval == 0


@dataclass(frozen=True)
class Run:
    """One training run.

    Args:
        member: seed, objective and both players' settings.
        model: the pair of networks.
        data: training data.
        metric: metric of the generated samples; None for no evaluation.
        metric_2: second metric, recorded only; it affects neither feedback nor the choice of the best value.
        batch_size: samples in a batch.
        critic_steps: discriminator updates before each generator update.
        critic_schedule: multiplier of `critic_steps` at every generator step; None for 1.
        algorithm: training algorithm.
        dynamics: how the players' gradients become steps.
        trainer: intervals of evaluations, curves, pictures and checkpoints; `compile` of the run is never auto.
        device: auto, cpu, cuda, cuda:1 or mps.
        precision: fp32, tf32 or bf16.
        threads: intra-op CPU threads.
        eval_seeds: draws of latents on which the value after the last step and the holdout value are measured.
        loggers: where curves and pictures are written; TensorBoard needs `trainer.tensorboard` too.
    """

    member: Member
    model: Model
    data: Dataset
    metric: Metric | None
    batch_size: int
    critic_steps: int = 1
    metric_2: Metric | None = None
    critic_schedule: Schedule | None = None
    algorithm: Algorithm = field(default_factory=Adversarial)
    dynamics: Dynamics = field(default_factory=Alternating)
    trainer: TrainerSettings = field(default_factory=TrainerSettings)
    device: str = "auto"
    precision: str = "fp32"
    threads: int = 1
    eval_seeds: int = 1
    loggers: tuple[LoggerSettings, ...] = (TensorBoard(),)

    @property
    def steps(self) -> int:
        """Number of generator updates."""
        return self.member.steps

    @property
    def updates(self) -> int:
        """Number of updates of both players."""
        return self.steps * (self.critic_steps + getattr(self.dynamics, "generator_steps", 1))

    @property
    def monitors_metric(self) -> bool:
        """Whether the feedback of a player or of the algorithm monitors the metric."""
        algorithm = self.algorithm
        return self.member.monitors_metric or getattr(algorithm, "monitors_metric", False)

    def __post_init__(self) -> None:
        if self.trainer.compile == "auto":
            object.__setattr__(self, "trainer", replace(self.trainer, compile=self._is_worth_compiling()))
        if self.metric is None and self.metric_2 is not None:
            raise ValueError("metric=null: metric_2 needs a first metric, expected metric=...")
        if self.metric is None and self.trainer.keep == "best":
            raise ValueError("trainer.keep=best: needs a metric, expected metric=... or trainer.keep=all")
        if self.metric is None and self.monitors_metric:
            raise ValueError(
                "metric=null: the feedback of this run monitors the metric, expected metric=..., or other feedback"
            )
        self.algorithm.check(self)

    def _is_worth_compiling(self) -> bool:
        """Return the value of compile=auto.

        It depends on the run alone, and not on the number of cells or the machine: it is part of the identity of a
        cell, which has to be the same in a larger grid and on another machine.
        """
        if self.updates < COMPILED_FROM:
            return False
        try:
            replace(self, trainer=replace(self.trainer, compile=True))
        except ValueError:  # it can't be compiled, or has problems that are raised without compilation, too
            return False
        return True
