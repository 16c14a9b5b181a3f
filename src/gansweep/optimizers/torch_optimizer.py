"""Any other optimizer of `torch.optim`, one instance for each member."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NoReturn

import torch
from torch import Tensor

from gansweep.interfaces import Slot
from gansweep.optimizers.columns import columns


@dataclass(frozen=True)
class TorchOptimizer:
    """Let a class of `torch.optim` move each member's parameters on its own.

    The optimizer sees every slot in its own shape, as it would see an `nn.Module`'s parameters;
    rules that look at a whole tensor (Adafactor, Muon) do so per slot and per member. It is made
    anew for each update, around the member's tensors of `state`, so these tensors are all that
    there is to save, and a resumed run continues to the last bit.

    Costs: members take turns, about 10 us for making the optimizer and its own time for the
    step; the rates are read from the device once per update. An update can't be part of a
    compiled graph. The first one imports torch's compiler, which takes seconds.

    Args:
        name: its path, `torch.optim.NAdam`.
        settings: keyword arguments of the class, all but `params` and `lr`.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    elementwise: ClassVar[bool] = False

    def __post_init__(self) -> None:
        rule = self._class
        if "lr" in self.settings or "params" in self.settings:
            raise ValueError(f"settings={dict(self.settings)}: expected neither lr nor params, the player has them")
        try:
            inspect.signature(rule).bind([], lr=0.0, **self.settings)
        except TypeError as error:
            raise ValueError(f"settings={dict(self.settings)}: {error}; {self.name} has {_names(rule)}") from None
        try:
            rule(_Unreadable(), lr=0.0, **self._arguments)
        except _SettingsAccepted:
            pass
        except (TypeError, ValueError) as error:
            raise ValueError(f"settings={dict(self.settings)}: {self.name} answers: {error}") from error

    @property
    def _class(self) -> Callable[..., torch.optim.Optimizer]:
        """Find the class; only those that take one rate and need nothing but a gradient will do."""
        accepted = {f"torch.optim.{rule.__name__}": rule for rule in vars(torch.optim).values() if _fits(rule)}
        if self.name not in accepted:
            raise ValueError(f"name={self.name}: expected one of {', '.join(sorted(accepted))}")
        return accepted[self.name]

    @property
    def _arguments(self) -> dict[str, Any]:
        """Return the settings with YAML's lists as the tuples that torch's signatures ask for."""
        return {
            key: value if isinstance(value, str) or not isinstance(value, Sequence) else tuple(value)
            for key, value in self.settings.items()
        }

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Make room (K, ...) for what the optimizer keeps, named `<slot>/<its key>`.

        torch makes its state in the first step, so a step on zeros shows what it will be.

        Raises:
            ValueError: the optimizer can't train these slots.
        """
        parameters = [torch.zeros(slot.shape, dtype=theta.dtype, device=theta.device) for slot in slots]
        for parameter in parameters:
            parameter.grad = torch.zeros_like(parameter)
        try:
            optimizer = self._class(parameters, lr=0.0, **self._arguments)
            optimizer.step()
        except (RuntimeError, ValueError) as error:
            raise ValueError(f"name={self.name}: can't train this network: {error}") from error
        room = {}
        for slot, parameter in zip(slots, parameters, strict=True):
            for key, value in optimizer.state[parameter].items():
                if isinstance(value, Tensor):
                    room[f"{slot.name}/{key}"] = value.new_zeros((theta.shape[0], *value.shape))
                elif value is not None:
                    raise ValueError(f"name={self.name}: keeps {key!r} as {type(value).__name__}, expected a tensor")
        return room

    def update(
        self,
        slots: Sequence[Slot],
        theta: Tensor,
        gradient: Tensor,
        state: Mapping[str, Tensor],
        lr: Tensor,
        step: Tensor,
    ) -> None:
        """Move `theta` (K, P) in place, one member after the other."""
        rates, steps = lr.flatten().tolist(), step.flatten().tolist()
        for k, (rate, t) in enumerate(zip(rates, steps, strict=True)):
            self._update_member(slots, theta[k], gradient[k], {key: s[k] for key, s in state.items()}, rate, t == 1)

    def _update_member(
        self,
        slots: Sequence[Slot],
        theta: Tensor,
        gradient: Tensor,
        state: Mapping[str, Tensor],
        rate: float,
        first: bool,
    ) -> None:
        """Move one row (P,) by an optimizer that works on views of it and of its state."""
        parameters = _views(slots, theta.detach())
        for name, slope in _views(slots, gradient.detach()).items():
            parameters[name].grad = slope
        optimizer = self._class(list(parameters.values()), lr=rate, **self._arguments)
        places = []
        for path, place in state.items():
            name, key = path.rsplit("/", 1)
            places.append((parameters[name], key, place))
        if not first:
            for parameter, key, place in places:
                optimizer.state[parameter][key] = place
        optimizer.step()
        for parameter, key, place in places:
            kept = optimizer.state[parameter][key]
            if kept is not place:
                place.copy_(kept)


class _SettingsAccepted(Exception):
    """Raised when an optimizer asks for its parameters, which it does after checking its settings."""


class _Unreadable:
    """Parameters that nobody can read.

    Building an optimizer of real ones imports torch's compiler; checking a config must not.
    """

    def __iter__(self) -> Iterator[NoReturn]:
        raise _SettingsAccepted


def _fits(rule: object) -> bool:
    """Tell whether it is an optimizer that takes a rate and steps without a closure."""
    return (
        isinstance(rule, type)
        and issubclass(rule, torch.optim.Optimizer)
        and "lr" in inspect.signature(rule).parameters
        and inspect.signature(rule.step).parameters["closure"].default is None
    )


def _names(rule: Callable[..., torch.optim.Optimizer]) -> str:
    """List the settings of a class, for a message."""
    return ", ".join(name for name in inspect.signature(rule).parameters if name not in ("params", "lr"))


def _views(slots: Sequence[Slot], row: Tensor) -> dict[str, Tensor]:
    """Cut a row (P,) into the slots' shapes, by their names."""
    return {slot.name: row[at].view(slot.shape) for slot, at in columns(slots)}
