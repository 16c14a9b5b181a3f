"""Test bench of the checks: the real trainer with tiny networks and seeded random data."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor

from gansweep.algorithms.adversarial import AdversarialPack, Report
from gansweep.batched.member import Member, PlayerSettings
from gansweep.batched.pack import PackSettings
from gansweep.dynamics.alternating import Alternating
from gansweep.interfaces import Dynamics, Model, Schedule
from gansweep.models.mlp import MLP
from gansweep.schedules.constant import Constant

P = ParamSpec("P")
T = TypeVar("T")
PLAYERS = ("generator", "discriminator")
MODEL = MLP(latent_dim=4, generator_widths=(8, 10), discriminator_widths=(10, 8), dropout=0.3)
NUM_SAMPLES, SAMPLE_SHAPE, BATCH = 40, (1, 6, 6), 10


@dataclass(frozen=True)
class Subject:
    """The configuration under test, without data and metric.

    Args:
        member: objective, and optimizer, learning rate and schedule of both players.
        dynamics: update scheme of both players.
        critic_steps: discriminator updates before each generator update.
        model: the user's model; None for tiny networks of gansweep, which are not checked.
        sample_shape: shape of the samples, which are random.
    """

    member: Member
    dynamics: Dynamics = field(default_factory=Alternating)
    critic_steps: int = 1
    model: Model | None = None
    sample_shape: tuple[int, ...] = SAMPLE_SHAPE

    def fresh(self) -> Subject:
        """Return a deep copy without state from previous use, as in another process."""
        return copy.deepcopy(self)

    def without_model(self) -> Subject:
        """Return the subject with tiny networks of gansweep in the place of the user's model."""
        return replace(self, model=None, sample_shape=SAMPLE_SHAPE)

    def at_rates(self, lr_g: float, lr_d: float, by_g: Schedule | None = None, by_d: Schedule | None = None) -> Member:
        """Return the member with other learning rates and schedules, without weight clipping.

        A schedule is constant unless it is given. Weight clipping would change a discriminator that
        its optimizer does not update.
        """
        member = self.member
        return replace(
            member,
            objective=replace(member.objective, clip=None),
            generator=PlayerSettings(member.generator.rule, lr_g, by_g or Constant()),
            discriminator=PlayerSettings(member.discriminator.rule, lr_d, by_d or Constant()),
        )

    def pack(self, members: Sequence[Member]) -> AdversarialPack:
        """Return a batch of members that trains with these dynamics."""
        random = torch.Generator().manual_seed(5)
        samples = torch.rand(NUM_SAMPLES, *self.sample_shape, generator=random) * 2 - 1
        return AdversarialPack(
            members,
            self.model or MODEL,
            samples,
            PackSettings(batch_size=BATCH),
            critic_steps=self.critic_steps,
            dynamics=self.dynamics,
        )


def play(pack: AdversarialPack, until: int) -> list[Report]:
    """Train up to generator step `until`, or to the end of the runs, and return the reports."""
    reports = []
    for report in pack.steps():
        reports.append(report)
        if report.steps[0] >= until:
            break
    return reports


def theta(pack: AdversarialPack, player: str) -> Tensor:
    """Return the parameters (P,) of the first member."""
    return pack.export(0)[player]["theta"]


@contextmanager
def double() -> Iterator[None]:
    """Context manager: the default dtype is float64."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def in_float64(run: Callable[P, T]) -> Callable[P, T]:
    """Decorator: the default dtype is float64 during a call."""

    @wraps(run)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        with double():
            return run(*args, **kwargs)

    return wrapped


def difference(one: Any, other: Any) -> float:
    """Return the largest difference of two tensors or nested dicts of tensors; inf for NaN."""
    if isinstance(one, Mapping):
        return max((difference(one[key], other[key]) for key in one), default=0.0)
    if one.numel() == 0:
        return 0.0
    largest = (one.double() - other.double()).abs().max().item()
    return largest if largest == largest else float("inf")


def finite_differences(function: Callable[[Tensor], Tensor], x: Tensor, step: float = 1e-6) -> Tensor:
    """Return the gradient (shape of x) of the sum of `function` by central differences."""
    gradient = torch.zeros_like(x)
    for n in range(x.numel()):
        values = []
        for sign in (1, -1):
            shifted = x.detach().clone()
            shifted.view(-1)[n] += sign * step
            values.append(function(shifted).sum().item())
        gradient.view(-1)[n] = (values[0] - values[1]) / (2 * step)
    return gradient


def relative_error(gradient: Tensor, expected: Tensor) -> float:
    """Return || gradient - expected || / || expected ||, inf where it is not a number."""
    norm = expected.norm().item()
    error = (gradient - expected).norm().item()
    return error / norm if norm > 0 else (0.0 if error == 0 else float("inf"))
