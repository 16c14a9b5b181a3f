"""Wrapper around the optimizers of `torch.optim`, applied to one member at a time."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NoReturn

import torch
from torch import Tensor

from gansweep.interfaces import Slot, UpdateContext
from gansweep.optimizers.columns import columns


@dataclass(frozen=True)
class TorchOptimizer:
    """Any optimizer of `torch.optim`, applied to each member separately.

    The optimizer gets every slot in its own shape, like the parameters of an `nn.Module`; rules that
    use a whole tensor (Adafactor, Muon) do so per slot and per member. A new instance is created for
    each update from the member's tensors of `state`. These tensors are therefore the complete state,
    and a resumed run is bit-identical.

    Costs: members are updated one after another, each with about 10 us to create the optimizer plus
    the time of its step. With feedback, the learning rates are copied from the device once per update.
    An update can't be part of a compiled graph. The first update imports torch's compiler, which takes seconds.

    Args:
        name: qualified name of the class, e.g. `torch.optim.NAdam`.
        settings: keyword arguments of the class, except `params` and `lr`.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    elementwise: ClassVar[bool] = False

    def __post_init__(self) -> None:
        rule = self._class
        if "lr" in self.settings or "params" in self.settings:
            raise ValueError(f"settings={dict(self.settings)}: expected neither lr nor params, which the player sets")
        try:
            inspect.signature(rule).bind([], lr=0.0, **self.settings)
        except TypeError as error:
            accepted = _setting_names(rule)
            raise ValueError(f"settings={dict(self.settings)}: {error}; {self.name} accepts {accepted}") from None
        try:
            rule(_UnreadParameters(), lr=0.0, **self._arguments)
        except _SettingsAccepted:
            pass
        except (TypeError, ValueError) as error:
            raise ValueError(f"settings={dict(self.settings)}: {self.name} raised: {error}") from error

    @property
    def _class(self) -> Callable[..., torch.optim.Optimizer]:
        """Return the class; only classes with one learning rate and a step without closure are accepted."""
        accepted = {f"torch.optim.{rule.__name__}": rule for rule in vars(torch.optim).values() if _is_supported(rule)}
        if self.name not in accepted:
            raise ValueError(f"name={self.name}: expected one of {', '.join(sorted(accepted))}")
        return accepted[self.name]

    @property
    def _arguments(self) -> dict[str, Any]:
        """Return the settings with lists from YAML converted to the tuples that torch expects."""
        return {
            key: value if isinstance(value, str) or not isinstance(value, Sequence) else tuple(value)
            for key, value in self.settings.items()
        }

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return zeros (K, ...) for the optimizer's state, named `<slot>/<key>`.

        torch creates the state in the first step, so a step on zero gradients determines its shapes.

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
        state = {}
        for slot, parameter in zip(slots, parameters, strict=True):
            for key, value in optimizer.state[parameter].items():
                if isinstance(value, Tensor):
                    state[f"{slot.name}/{key}"] = value.new_zeros((theta.shape[0], *value.shape))
                elif value is not None:
                    raise ValueError(
                        f"name={self.name}: state {key!r} is of type {type(value).__name__}, expected a tensor"
                    )
        return state

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) and `state` in place, one member after another."""
        values = context.on_host or context
        rates, steps = values.lr.flatten().tolist(), values.step.flatten().tolist()
        for k, (rate, t) in enumerate(zip(rates, steps, strict=True)):
            self._update_member(context.slots, theta[k], grad[k], {key: s[k] for key, s in state.items()}, rate, t == 1)

    def _update_member(
        self,
        slots: Sequence[Slot],
        theta: Tensor,
        gradient: Tensor,
        state: Mapping[str, Tensor],
        rate: float,
        first: bool,
    ) -> None:
        """Update one row (P,) in place with an optimizer on views of the row and of its state."""
        parameters = _views(slots, theta.detach())
        for name, grad in _views(slots, gradient.detach()).items():
            parameters[name].grad = grad
        optimizer = self._class(list(parameters.values()), lr=rate, **self._arguments)
        entries = []
        for path, tensor in state.items():
            name, key = path.rsplit("/", 1)
            entries.append((parameters[name], key, tensor))
        if not first:
            for parameter, key, tensor in entries:
                optimizer.state[parameter][key] = tensor
        optimizer.step()
        for parameter, key, tensor in entries:
            updated = optimizer.state[parameter][key]
            if updated is not tensor:
                tensor.copy_(updated)


class _SettingsAccepted(Exception):
    """Raised when an optimizer iterates over its parameters, which happens after it has checked its settings."""


class _UnreadParameters:
    """Stand-in for parameters that raises `_SettingsAccepted` when iterated.

    Creating an optimizer with real parameters imports torch's compiler, which is too slow for checking a config.
    """

    def __iter__(self) -> Iterator[NoReturn]:
        raise _SettingsAccepted


def _is_supported(rule: object) -> bool:
    """Return whether `rule` is an optimizer class with an argument lr and a step without closure."""
    return (
        isinstance(rule, type)
        and issubclass(rule, torch.optim.Optimizer)
        and "lr" in inspect.signature(rule).parameters
        and inspect.signature(rule.step).parameters["closure"].default is None
    )


def _setting_names(rule: Callable[..., torch.optim.Optimizer]) -> str:
    """Return the setting names of an optimizer class, separated by commas."""
    return ", ".join(name for name in inspect.signature(rule).parameters if name not in ("params", "lr"))


def _views(slots: Sequence[Slot], row: Tensor) -> dict[str, Tensor]:
    """Return views of a row (P,) in the slots' shapes, by slot name."""
    return {slot.name: row[span].view(slot.shape) for slot, span in columns(slots)}
