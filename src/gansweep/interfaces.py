"""What the parts of gansweep expect of each other. Read this page first.

Shapes are written with these letters everywhere:

    K  members trained together; a solo run is K = 1
    B  samples in a batch
    P  parameters of one network, all of them in one row
    N  samples of a data set or of an evaluation
    D  numbers in one sample (C * H * W of an image), also a feature's length
    C, H, W  channels, height and width of an image

Every tensor of a training begins with K. Nothing is ever reduced over K, so a member's
result does not depend on who trains beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor

    from gansweep.batched.pack import Pack
    from gansweep.dynamics.position import Position
    from gansweep.layers.network import Network
    from gansweep.training.run import Run


@dataclass(frozen=True)
class Slot:
    """One parameter or buffer of a network: a named stretch of the member's row.

    Args:
        name: the name it has in the `state_dict` of the same network built of `torch.nn`.
        shape: its shape for one member, in torch's layout.
        role: what an initialisation looks at. `scale` and `shift` belong to normalisation.
        fan_in: inputs that one output sums over, 0 where that has no meaning.
        start: first value of all entries of a buffer.
    """

    name: str
    shape: tuple[int, ...]
    role: Literal["weight", "bias", "scale", "shift", "statistic", "embedding"] = "weight"
    fan_in: int = 0
    start: float = 0.0


@dataclass(frozen=True)
class Draw:
    """Random numbers that a layer asks for, for every sample of a forward pass.

    Args:
        shape: of one sample's numbers.
        keep: chance that an entry is kept. The mask holds 1 / keep there and 0 elsewhere.
    """

    shape: tuple[int, ...]
    keep: float


@runtime_checkable
class Initialisation(Protocol):
    """Where a parameter starts. One instance serves every slot of a network."""

    def __call__(self, slot: Slot, generator: Any) -> Tensor:
        """Draw the first value of a slot, of its shape, from the member's own generator."""
        ...


@runtime_checkable
class Game(Protocol):
    """What the two players want, as a loss for each to lower.

    Logits come as (K, B), one number per sample; losses leave as (K,). `relativistic` says that
    the generator's loss looks at the logits of real samples too.
    """

    relativistic: ClassVar[bool]

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Score the discriminator's logits on real and on generated samples."""
        ...

    def generator(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """Score the generator by the discriminator's logits on its samples.

        A relativistic game is given `real`, the logits of the last real batch, others None.
        """
        ...


@runtime_checkable
class IdealLoss(Protocol):
    """What a game may tell beside its losses, where there is such a number."""

    @property
    def ideal_loss(self) -> float:
        """Least loss that a discriminator can have where generated samples are spread as real ones."""
        ...


@runtime_checkable
class Penalty(Protocol):
    """A price on the slope of the discriminator at chosen points.

    P(D) = weight * E[ score(dD/dx (x_hat), D(x_hat)) ],   x_hat = points(real, fake, u)

    `noise` says how many numbers u ~ U[0, 1] there are: one for each sample, or one for each entry of
    it. `needs_logits` says that the score looks at D(x_hat), which costs another pass.
    """

    noise: ClassVar[Literal["sample", "entry"]]
    needs_logits: ClassVar[bool]

    @property
    def weight(self) -> float:
        """Factor of the score."""
        ...

    def points(self, real: Tensor, fake: Tensor, u: Tensor) -> Tensor:
        """Choose x_hat (K, B, ...); `u` is (K, B, 1, ...) or (K, B, ...), as `noise` says."""
        ...

    def score(self, slope: Tensor, logits: Tensor | None = None) -> Tensor:
        """Price slopes (K, B, ...) -> (K, B), without the weight; `logits` (K, B) if needed."""
        ...


@runtime_checkable
class UpdateRule(Protocol):
    """An optimizer without its parameters: how a gradient moves a row.

    `elementwise` says that every entry of a row is moved on its own, whatever stands beside
    it. Such a rule is applied to a row in stretches that fit the processor's cache.
    """

    elementwise: ClassVar[bool]

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Make the tensors to remember between steps, each beginning with K.

        Those of an elementwise rule are (K, P), or (K,) for a number that all entries share.
        """
        ...

    def update(
        self,
        slots: Sequence[Slot],
        theta: Tensor,
        gradient: Tensor,
        state: Mapping[str, Tensor],
        lr: Tensor,
        step: Tensor,
    ) -> None:
        """Move `theta` (K, P) downhill in place; `lr` is (K, 1).

        `step` (K, 1) counts this member's updates from 1, in float64.
        """
        ...


@runtime_checkable
class Averaging(Protocol):
    """What an update rule offers besides, if gradients are taken at one point and quality is judged at another."""

    def evaluated(self, theta: Tensor, state: Mapping[str, Tensor]) -> Tensor:
        """Return the parameters (K, P) that are judged, theta (K, P) being those that are trained."""
        ...


class Beta(NamedTuple):
    """What a schedule makes of a rule's memory in one update.

    Args:
        now: beta1 or momentum in force, (K, 1), in the parameters' precision.
        product: of those of all updates so far and this one, (K, 1), in float64. It takes the place
            of beta1^t where a mean is divided by the sum of its weights, 1 - beta1^t.
    """

    now: Tensor
    product: Tensor


@runtime_checkable
class Remembering(Protocol):
    """What an update rule offers besides, if a schedule can change how long it remembers gradients."""

    @property
    def memory(self) -> float:
        """What the schedule multiplies: beta1 or momentum, 0 where the settings have none."""
        ...

    def update(
        self,
        slots: Sequence[Slot],
        theta: Tensor,
        gradient: Tensor,
        state: Mapping[str, Tensor],
        lr: Tensor,
        step: Tensor,
        beta: Beta | None = None,
    ) -> None:
        """Move `theta` as `UpdateRule` does; `beta` stands in for the rule's own memory where it is scheduled."""
        ...


class Outlook(NamedTuple):
    """What a run will ask of a player's rule or feedback.

    Args:
        updates: of this player's parameters.
        evaluations: values of the metric that feedback hears.
        lr: base rate.
    """

    updates: int
    evaluations: int
    lr: float


@runtime_checkable
class Remarking(Protocol):
    """What a rule or feedback offers besides, if it can see beforehand that a setting will do nothing."""

    def remarks(self, outlook: Outlook) -> list[str]:
        """Say so, each in a line that begins with `setting=value: `; such a run is trained all the same."""
        ...


@runtime_checkable
class Algorithm(Protocol):
    """How networks learn: what one step of a training is. One instance serves all members of a pack."""

    def check(self, run: Run) -> None:
        """Raise ValueError if a run's parts do not fit the algorithm, a line for each setting that has to change."""
        ...

    def pack(self, runs: Sequence[Run], samples: Tensor) -> Pack[Any]:
        """Put runs that share everything but their members side by side, to train on `samples`."""
        ...


@runtime_checkable
class Steered(Protocol):
    """What an algorithm offers besides, if numbers of its own answer to how a run goes."""

    @property
    def hears_metric(self) -> bool:
        """Whether one of them answers to the metric."""
        ...


@runtime_checkable
class Alone(Protocol):
    """What an algorithm says besides, if it trains the generator by itself and by a loss of its own.

    There is no discriminator then, and `loss` is left out.
    """

    alone: ClassVar[bool]


@runtime_checkable
class Corruption(Protocol):
    """A way to spoil images.

    `law` says of which random numbers: U[0, 1], N(0, 1), or None for none.
    """

    law: ClassVar[Literal["uniform", "normal"] | None]

    def noise_shape(self, sample_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Say how many numbers an image (C, H, W) takes."""
        ...

    def __call__(self, images: Tensor, noise: Tensor | None = None) -> Tensor:
        """Spoil images (..., C, H, W) by numbers (..., *noise_shape)."""
        ...


@runtime_checkable
class Dynamics(Protocol):
    """How both players' gradients become steps of their optimizers.

    `joint` says that both move from one point of the game, once in a step; otherwise they take
    turns in the trainer's own loop.
    """

    joint: ClassVar[bool]

    def __call__(self, game: Position) -> None:
        """Take one step of the game."""
        ...


@runtime_checkable
class Schedule(Protocol):
    """A multiplier of the base rate, as a pure function of progress."""

    def __call__(self, step: int, total_steps: int) -> float:
        """Value in force during step `step`, 0 <= step < total_steps."""
        ...

    def values(self, total_steps: int) -> np.ndarray:
        """All of them, float64, of length total_steps."""
        ...

    def check(self, total_steps: int) -> None:
        """Raise ValueError if it does not fit a run of that length."""
        ...


@runtime_checkable
class Feedback(Protocol):
    """A gain on the scheduled rate that answers to how the run goes.

    rate = lr * schedule(step, total_steps) * gain,   and the gain is 1 until something was heard

    `hears` says what it answers to: "game", the discriminator's loss without penalties at each of
    its updates, which moves the discriminator's rate alone; "metric", the value at every
    evaluation; or "nothing". Every member's gain follows from what this member said, entry by entry.
    """

    hears: ClassVar[Literal["game", "metric", "nothing"]]

    def fitted(self, game: Game) -> Feedback:
        """Return it with what it leaves to the game filled in; raise ValueError if that can't be."""
        ...

    def state(self, num_members: int, device: torch.device) -> dict[str, Tensor]:
        """Make the tensors to remember between updates, each beginning with K."""
        ...

    def update(self, state: Mapping[str, Tensor], signal: Tensor, lower_is_better: bool = True) -> Tensor:
        """Hear a signal (K,), change the state in place and return the gains (K,) in force from now."""
        ...


@runtime_checkable
class Model(Protocol):
    """A pair of networks for samples of a shape."""

    @property
    def latent_dim(self) -> int:
        """Length of z."""
        ...

    def generator(self, sample_shape: tuple[int, ...]) -> Network:
        """Build the map of z (K, B, latent_dim) to samples (K, B, *sample_shape)."""
        ...

    def discriminator(self, sample_shape: tuple[int, ...]) -> Network:
        """Build the map of samples to logits (K, B, 1)."""
        ...


@runtime_checkable
class Dataset(Protocol):
    """Samples as one tensor, in the range [-1, 1] where they are images.

    Making one reads nothing; samples and hash are read at first use and kept.
    """

    @property
    def name(self) -> str:
        """What tables call it."""
        ...

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample, (C, H, W) of images, (2,) of points; known without reading."""
        ...

    @property
    def samples(self) -> Tensor:
        """All samples, float32 (N, *sample_shape)."""
        ...

    @property
    def content_hash(self) -> str:
        """Hash of what the samples are made from; it enters a cell's identity."""
        ...

    def check(self) -> None:
        """Raise FileNotFoundError or ValueError, saying what to put where, if it can't be read."""
        ...


@runtime_checkable
class PartlyRead(Protocol):
    """What a data set offers besides, if some of its files, or parts of them, may not be used."""

    @property
    def left_out(self) -> str:
        """One line about what is not used, empty if all is. It reads the samples."""
        ...


@runtime_checkable
class OfPairs(Protocol):
    """What a metric says besides, if it compares every sample with what it should be, and an algorithm has to know."""

    of_pairs: ClassVar[bool]


@runtime_checkable
class Metric(Protocol):
    """A distance of generated samples to a data set, known by the feature network's name."""

    lower_is_better: ClassVar[bool]

    @property
    def name(self) -> str:
        """What tables call it; it names the feature network."""
        ...

    @property
    def num_samples(self) -> int:
        """Generated samples it is computed from."""
        ...

    def check(self, data: Dataset) -> None:
        """Raise ValueError if it can't be computed on this data, before anything is trained."""
        ...

    def fingerprint(self, data: Dataset) -> dict[str, Any]:
        """Everything that makes two values comparable, in JSON's types."""
        ...

    def __call__(self, data: Dataset, fake: Tensor) -> float:
        """Measure finite samples (N, ...) of one member against the data."""
        ...
