"""Protocols between the packages of gansweep, with those of update rules from `update_rule`. Read this module first.

Shapes use these letters everywhere:

    K  members trained together; a solo run is K = 1
    B  samples in a batch
    P  parameters of one network, flattened into one row
    N  samples of a data set or of an evaluation
    D  entries of one sample (C * H * W for an image), or length of a feature vector
    C, H, W  channels, height and width of an image

The first dimension of every training tensor is K. No operation reduces over K, so a member's
result does not depend on which runs share the batch.
"""

# pyright: reportReturnType=false
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

# Exported here too.
from gansweep.update_rule import Beta as Beta
from gansweep.update_rule import OnHost as OnHost
from gansweep.update_rule import RunLength as RunLength
from gansweep.update_rule import Slot as Slot
from gansweep.update_rule import UpdateContext as UpdateContext
from gansweep.update_rule import UpdateRule as UpdateRule

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import torch
    from torch import Tensor


class ArgumentConflict(ValueError):
    """Error of a constructor about arguments that do not fit together.

    Args:
        message: `argument=value: ...`, naming the argument to change.
        arguments: names of all arguments that the error concerns.
    """

    def __init__(self, message: str, *arguments: str) -> None:
        super().__init__(message)
        self.arguments = arguments


@runtime_checkable
class Initialisation(Protocol):
    """Parameter initialisation. One instance is used for every slot of a network."""

    def __call__(self, slot: Slot, generator: Any) -> Tensor:
        """Return the initial value of a slot, with its shape, drawn from the member's random generator."""


@runtime_checkable
class Game(Protocol):
    """Losses of the discriminator and the generator as functions of the logits.

    Logits are (K, B), one number per sample; losses are (K,). `relativistic`: the generator's loss
    depends on the logits of the last real batch too. Optional attribute `ideal_loss`: the smallest
    discriminator loss when generated and real samples have the same distribution (gap-aware feedback).
    """

    relativistic: ClassVar[bool]

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return the discriminator's loss (K,) for logits on real and generated samples (K, B)."""

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Return the generator's loss (K,) for logits (K, B); `real` is None unless the game is relativistic."""


@runtime_checkable
class Penalty(Protocol):
    """Gradient penalty: a function of the discriminator's input gradient at points x_hat.

        P(D) = weight * E[ score(dD/dx (x_hat), D(x_hat)) ],   x_hat = points(real, fake, u)

    `noise`: number of variables u ~ U[0, 1], one per sample or one per entry of a sample.
    `needs_logits`: the score uses D(x_hat), which costs another forward pass. Optional field `every`:
    updates of the discriminator between two evaluations (`GradientPenalty`).
    """

    noise: ClassVar[Literal["sample", "entry"]]
    needs_logits: ClassVar[bool]

    @property
    def weight(self) -> float:
        """Factor of the score."""

    def points(self, real: Tensor, fake: Tensor, u: Tensor) -> Tensor:
        """Return x_hat (K, B, ...); `u` is (K, B, 1, ...) or (K, B, ...), depending on `noise`."""

    def score(self, grad: Tensor, logits: Tensor | None = None) -> Tensor:
        """Return unweighted scores (K, B) of gradients (K, B, ...) and logits (K, B) or None."""


@runtime_checkable
class Algorithm(Protocol):
    """Training algorithm: defines one training step. One instance is used for all members of a pack.

    Optional attributes: `alone = True` if it trains only the generator, on a loss of its own;
    `monitors_metric = True` if feedback on one of its settings monitors the metric;
    `indexes_samples = True` if its packs use length, shape, device and `samples[indices]` only;
    `sampler(...)`, if the samples that it evaluates are not the outputs of its generator; see `CFG`.
    """

    def check(self, run: Any) -> None:
        """Raise ValueError if a `Run` does not fit, with one line for each setting to change."""

    def pack(self, runs: Sequence[Any], samples: Tensor) -> Any:
        """Return the `Pack` that trains runs, which differ only in their members, on `samples`."""


@runtime_checkable
class Dynamics(Protocol):
    """Game dynamics: how both players' gradients become optimizer steps.

    `joint`: both players are updated from the same parameters, once per step; otherwise alternately.

    Optional attributes:

        remembers     names of vectors that are stored between steps (`Position.remember`)
        extrapolates  True if it restores the parameters after a step of the optimizers
        autonomous    False if a step depends on its number
        third_derivatives  True if it calls `Position.jvp` for all blocks of the Jacobian
    """

    joint: ClassVar[bool]

    def __call__(self, game: Any) -> None:
        """Take one step of the game, a `gansweep.dynamics.position.Position`."""


@runtime_checkable
class Schedule(Protocol):
    """Multiplier of the base learning rate, a pure function of step and total steps."""

    def __call__(self, step: int, total_steps: int) -> float:
        """Return the multiplier during step `step`, 0 <= step < total_steps."""

    def values(self, total_steps: int) -> np.ndarray:
        """Return the multipliers of all steps, float64 (total_steps,)."""

    def check(self, total_steps: int) -> None:
        """Raise ValueError if the schedule does not fit a run of `total_steps` steps."""


@runtime_checkable
class Feedback(Protocol):
    """Adaptive gain on the scheduled learning rate.

        rate = lr * schedule(step, total_steps) * gain,   gain = 1 before the first update

    `monitors`: its signal. "game" is the discriminator's loss without penalties at
    each of its updates, which changes the discriminator's rate only; "metric" is the value at every
    evaluation; "nothing" is no signal. A member's gain depends on the signal of this member only.
    Optional method `without_effect(length)`, as that of `UpdateRule`.
    """

    monitors: ClassVar[Literal["game", "metric", "nothing"]]

    def fitted(self, game: Game) -> Feedback:
        """Return a copy with the defaults that depend on the game; raise ValueError if the game does not fit."""

    def state(self, num_members: int, device: torch.device) -> dict[str, Tensor]:
        """Return the initial state; the first dimension of every tensor is K."""

    def update(self, state: Mapping[str, Tensor], signal: Tensor, lower_is_better: bool = True) -> Tensor:
        """Update the state in place with a signal (K,) and return the gains (K,) from now on."""


@runtime_checkable
class Model(Protocol):
    """Both architectures for a sample shape; those of `conditional = True` take the number of classes as well."""

    @property
    def latent_dim(self) -> int:
        """Length of z."""

    def generator(self, sample_shape: tuple[int, ...]) -> Any:
        """Return the `Network` from z (K, B, latent_dim) to samples (K, B, *sample_shape)."""

    def discriminator(self, sample_shape: tuple[int, ...]) -> Any:
        """Return the `Network` from samples (K, B, *sample_shape) to logits (K, B, 1)."""


@runtime_checkable
class Dataset(Protocol):
    """Data set held as one tensor. Images are in the range [-1, 1].

    The constructor reads no files; samples and hash are read at first use and cached. Optional: `left_out`,
    one line about unused files, empty if all are used; `labels`, int64 (N,) in 0 ... C - 1 or None.
    """

    @property
    def name(self) -> str:
        """Name in tables."""

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample, (C, H, W) for images, (2,) for points; available without reading files."""

    @property
    def samples(self) -> Tensor:
        """All samples, float32 (N, *sample_shape)."""

    @property
    def content_hash(self) -> str:
        """Hash of the source files or parameters of the samples; part of a cell's identity."""

    def check(self) -> None:
        """Raise FileNotFoundError or ValueError if it cannot be read, naming the expected files."""


@runtime_checkable
class Metric(Protocol):
    """Metric of generated samples.

    Optional: `of_pairs = True` if each sample has its target; `labels(data)`, classes of the samples that it needs;
    `per_class(data, fake)`, values of the single classes, whose mean is then recorded as the value.
    """

    lower_is_better: ClassVar[bool]

    @property
    def name(self) -> str:
        """Name in tables; includes the name of the feature network."""

    @property
    def num_samples(self) -> int:
        """Number of generated samples that it is computed from."""

    def check(self, data: Dataset) -> None:
        """Raise ValueError if it cannot be computed on this data. Called before training."""

    def fingerprint(self, data: Dataset) -> dict[str, Any]:
        """Return the metric fingerprint in JSON's types. Values with equal fingerprints are comparable."""

    def __call__(self, data: Dataset, fake: Tensor) -> float:
        """Return the metric of finite samples (N, ...) of one member."""


class LoggedRun(NamedTuple):
    """What loggers know about a run.

    Args:
        directory: of the cell.
        name: name of the cell.
        sweep: name of the sweep.
        group: name of the configuration: equal for runs that differ only in their seeds.
        settings: settings given on the command line, chosen options, and `seed`.
        config: the resolved configuration.
        step: first step of the run, or step from which it continues; loggers replace later points.
    """

    directory: Path
    name: str
    sweep: str
    group: str
    settings: Mapping[str, Any]
    config: Mapping[str, Any]
    step: int


@runtime_checkable
class Logger(Protocol):
    """Destination of the curves and pictures of one run. An exception ends the logging, not the run.

    Optional method `flush()`, called before every checkpoint: a run that is interrupted continues from there.
    """

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Add one point to each curve, by tag, such as `loss/generator` and `Metric/fd_digits`."""

    def picture(self, tag: str, picture: Tensor, step: int) -> None:
        """Add a picture (3, h, w) in [0, 1] on the CPU."""

    def close(self, record: Mapping[str, Any] | None) -> None:
        """End the logging; `record` is that of the ended run, None if it failed or is to be continued later."""


@runtime_checkable
class LoggerSettings(Protocol):
    """Settings of a logger, the class that conf/logger/NAME.yaml names. It has no state."""

    def open(self, run: LoggedRun) -> Logger:
        """Return a new logger of a run."""
