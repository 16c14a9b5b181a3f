"""Wrapper around torch optimizers of torch.optim and of other packages, applied to one member at a time."""

from __future__ import annotations

import inspect
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any, ClassVar, NoReturn

import numpy as np
import torch
from torch import Tensor

from gansweep.interfaces import Slot, UpdateContext
from gansweep.optimizers.torch_state import Layout
from gansweep.update_rule import columns

NOMINAL_LR = 1e-3  # for the constructor where the rate is 0, which some classes refuse
TRIAL = (Slot("weight", (5, 3)), Slot("bias", (5,), "bias"))
TOLERANCE = 1e-3
TRIAL_STEPS = 12  # one more than the period of most classes that compute something every tenth step
_TRIED: set[tuple[str, str]] = set()  # names and settings that were tried in this process
STARTED = "started"  # of a member whose first step was made; for classes outside of torch.optim


@dataclass(frozen=True)
class TorchOptimizer:
    """Any `torch.optim.Optimizer` class of an allowed module, applied to each member separately.

    The optimizer gets every slot in its own shape, like the parameters of an `nn.Module`; rules that
    use a whole tensor (Adafactor, Muon, SOAP) do so per slot and per member. A new instance is created for
    each update from the member's tensors of `state`. These tensors are therefore the complete state,
    and a resumed run is bit-identical. A class with `train()` and `eval()`, such as those of
    `schedulefree`, trains in train mode; evaluations use the parameters in eval mode.

    A class outside of torch.optim is tried at construction: it has to train a small matrix and a vector without
    closure, and equally when it is created again from its state before every step. A class that draws
    from global random generators is not accepted, because members would depend on each other.

    Costs: members are updated one after another, each with about 10 us to create the optimizer plus
    the time of its step. With feedback, the learning rates are copied from the device once per update.
    An update can't be part of a compiled graph. The first update imports torch's compiler, which takes seconds.

    Args:
        name: qualified name of the class, e.g. `torch.optim.NAdam` or `pytorch_optimizer.Lion`.
        settings: keyword arguments of the class, except `params` and `lr`.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    elementwise: ClassVar[bool] = False
    CLASS_NAMES: ClassVar[tuple[str, ...]] = ("name",)  # checked against the allowed modules

    def __post_init__(self) -> None:
        rule = self._class
        if "lr" in self.settings or "params" in self.settings:
            raise ValueError(f"settings={dict(self.settings)}: expected neither lr nor params, which the player sets")
        try:
            inspect.signature(rule).bind([], lr=NOMINAL_LR, **self.settings)
        except TypeError as error:
            accepted = _setting_names(rule)
            raise ValueError(f"settings={dict(self.settings)}: {error}; {self.name} accepts {accepted}") from None
        if not self._is_torchs:
            self._check_by_trial()
            return
        try:
            rule(_UnreadParameters(), lr=0.0, **self._arguments)
        except _SettingsAccepted:
            pass
        except (TypeError, ValueError) as error:
            raise ValueError(f"settings={dict(self.settings)}: {self.name} raised: {error}") from error

    @property
    def _is_torchs(self) -> bool:
        return self.name.startswith("torch.optim.")

    @property
    def _class(self) -> Callable[..., torch.optim.Optimizer]:
        """Return the class; only classes with one learning rate and a step without closure are accepted."""
        if not self._is_torchs:
            return _imported(self.name)
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

    @property
    def evaluated(self) -> Callable[[Tensor, Mapping[str, Tensor]], Tensor]:
        """The function that returns the parameters in eval mode (K, P); absent for classes without `eval()`."""
        if not (hasattr(self._class, "train") and hasattr(self._class, "eval")):
            raise AttributeError(f"{self.name} has no train() and eval()")
        return self._in_eval_mode

    def state(self, slots: Sequence[Slot], theta: Tensor) -> dict[str, Tensor]:
        """Return zeros (K, ...) for the optimizer's state, named `<slot>/<key>`, `group/<key>` and `attribute/<key>`.

        torch creates the state in the first step, so steps of another network with these slots determine its layout.

        Raises:
            ValueError: the optimizer can't train these slots, or its state can't be stored.
        """
        layout, zeros = self._prepared(slots, theta)
        state = {key: value.new_zeros((len(theta), *value.shape[1:])) for key, value in zeros.items()}
        self._layouts[_shapes(state)] = tuple(slots), layout
        return state

    def _prepared(self, slots: Sequence[Slot], theta: Tensor) -> tuple[Layout, dict[str, Tensor]]:
        """Return the layout of the state for these slots, and the state of one member before its first step."""
        fill = torch.zeros if self._is_torchs else torch.ones
        parameters = [fill(slot.shape, dtype=theta.dtype, device=theta.device) for slot in slots]
        for parameter in parameters:
            parameter.grad = torch.zeros_like(parameter)
        try:
            if self._is_torchs:
                optimizer = self._class(parameters, lr=0.0, **self._arguments)
                optimizer.step()
            else:
                optimizer = self._new(parameters, NOMINAL_LR, first=True)
                for n in range(2):
                    for parameter in parameters:
                        parameter.grad = torch.full_like(parameter, 1.0 + n)
                    optimizer.step()
            layout = Layout(optimizer, [slot.name for slot in slots], per_parameter=self._is_torchs)
        except Exception as error:
            raise ValueError(f"name={self.name}: can't train this network: {error}") from error
        zeros = layout.zeros(optimizer, 1)
        return layout, zeros if self._is_torchs else zeros | {STARTED: torch.zeros(1, dtype=torch.bool)}

    @cached_property
    def _layouts(self) -> dict[tuple, tuple[tuple[Slot, ...], Layout]]:
        """Slots and layout of every network that this rule trains, by the names and shapes of its state."""
        return {}

    def _new(self, parameters: Sequence[Tensor], rate: float, *, first: bool) -> torch.optim.Optimizer:
        """Return an optimizer without state; at its first step, it is in train mode."""
        optimizer = self._class(list(parameters), lr=rate if self._is_torchs else rate or NOMINAL_LR, **self._arguments)
        optimizer.param_groups[0]["lr"] = rate
        if first and hasattr(optimizer, "train"):
            optimizer.train()  # pyright: ignore
        return optimizer

    def update(self, theta: Tensor, grad: Tensor, state: Mapping[str, Tensor], context: UpdateContext) -> None:
        """Update `theta` (K, P) and `state` in place, one member after another."""
        values = context.on_host or context
        rates, steps = values.lr.flatten().tolist(), values.step.flatten().tolist()
        if _shapes(state) not in self._layouts:  # made by another instance
            self.state(context.slots, theta)
        layout = self._layouts[_shapes(state)][1]
        for k, (rate, t) in enumerate(zip(rates, steps, strict=True)):
            parameters, member = _views(context.slots, theta[k].detach()), {key: s[k] for key, s in state.items()}
            # A few classes change the gradients in place.
            gradient = grad[k].detach() if self._is_torchs else grad[k].detach().clone()
            for parameter, g in zip(parameters, _views(context.slots, gradient), strict=True):
                parameter.grad = g
            first = t == 1 if self._is_torchs else not member[STARTED]
            optimizer = self._new(parameters, rate, first=first)
            if not first:
                layout.restore(optimizer, member)
            optimizer.step()
            layout.store(optimizer, member)
            if first and not self._is_torchs:
                member[STARTED].fill_(True)

    def _check_by_trial(self) -> None:
        """Raise ValueError unless steps from the stored state equal those of an optimizer that is kept.

        They may round differently, because the stored state is contiguous in memory.
        """
        tried = self.name, repr(self.settings)
        if tried in _TRIED:
            return
        if inspect.signature(self._class.step).parameters["closure"].default is not None:  # pyright: ignore
            raise ValueError(f"name={self.name}: its step needs a closure; expected a class that needs gradients only")
        before = _global_random_states()
        draw = torch.Generator().manual_seed(0)
        theta = torch.randn(1, sum(math.prod(slot.shape) for slot in TRIAL), generator=draw)
        kept, state = _views(TRIAL, theta[0].clone()), self.state(TRIAL, theta)
        try:
            optimizer = self._new(kept, NOMINAL_LR, first=True)
            for t in range(1, TRIAL_STEPS + 1):
                grad = torch.randn(theta.shape, generator=draw)
                for parameter, g in zip(kept, _views(TRIAL, grad[0].clone()), strict=True):
                    parameter.grad = g
                optimizer.step()
                lr, step = torch.full((1, 1), NOMINAL_LR, dtype=torch.float64), torch.full((1, 1), float(t))
                self.update(theta, grad, state, UpdateContext(lr, step, TRIAL))
        except Exception as error:
            raise ValueError(f"name={self.name}: {error or type(error).__name__}") from error
        if _global_random_states() != before:
            raise ValueError(f"name={self.name}: draws from global random generators, on which members would depend")
        expected = torch.cat([parameter.detach().flatten() for parameter in kept])
        if not torch.allclose(theta[0], expected, rtol=TOLERANCE, atol=NOMINAL_LR * TOLERANCE):
            raise ValueError(
                f"name={self.name}: a step from its stored state differs from the same step of an optimizer that was "
                "kept; expected a class whose state, group and attributes hold all that it remembers"
            )
        _TRIED.add(tried)

    def _in_eval_mode(self, theta: Tensor, state: Mapping[str, Tensor]) -> Tensor:
        """Return the parameters in eval mode (K, P), given those in train mode; a copy."""
        slots, layout = self._layouts[_shapes(state)]
        rows = theta.detach().clone()
        for k, row in enumerate(rows):
            member = {key: s[k].clone() for key, s in state.items()}
            if member[STARTED]:
                optimizer = self._new(_views(slots, row), NOMINAL_LR, first=False)
                layout.restore(optimizer, member)
                optimizer.eval()  # pyright: ignore
        return rows


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


def _global_random_states() -> list[bytes]:
    """Return the states of the global random generators of torch, NumPy and Python."""
    state = np.random.get_state(legacy=False)["state"]
    return [
        torch.get_rng_state().numpy().tobytes(),
        state["key"].tobytes() + repr(state["pos"]).encode(),
        repr(random.getstate()).encode(),
    ]


def _imported(name: str) -> Callable[..., torch.optim.Optimizer]:
    """Return the optimizer class of another package.

    Raises:
        ValueError: it can't be imported, is not an optimizer, or has no argument lr.
    """
    module, _, attribute = name.rpartition(".")
    try:
        rule = getattr(import_module(module), attribute)
    except (ImportError, ValueError, AttributeError) as error:
        raise ValueError(f"name={name}: can't be imported: {error}") from error
    if not (isinstance(rule, type) and issubclass(rule, torch.optim.Optimizer)):
        raise ValueError(f"name={name}: expected a class derived from torch.optim.Optimizer")
    if not {"params", "lr"} <= set(inspect.signature(rule).parameters):
        raise ValueError(f"name={name}: expected an optimizer class with the arguments params and lr")
    return rule


def _setting_names(rule: Callable[..., torch.optim.Optimizer]) -> str:
    """Return the setting names of an optimizer class, separated by commas."""
    return ", ".join(name for name in inspect.signature(rule).parameters if name not in ("params", "lr"))


def _shapes(state: Mapping[str, Tensor]) -> tuple:
    return tuple(sorted((key, tuple(value.shape[1:])) for key, value in state.items()))


def _views(slots: Sequence[Slot], row: Tensor) -> list[Tensor]:
    """Return views of a row (P,) in the slots' shapes."""
    return [row[span].view(slot.shape) for slot, span in columns(slots)]
