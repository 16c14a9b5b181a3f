"""Checks of a user's `torch.nn.Module` before it is trained."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.lazy import LazyModuleMixin

from gansweep.layers.layer import Pass
from gansweep.layers.module_layer import SEED, ModuleLayer, constants, seeded, trained
from gansweep.user_code import Factory, cause_of

BATCH = 4  # samples of a test


def required_latent_dim(factory: Factory) -> int:
    """Return the generator's attribute `latent_dim`, or the value of its constructor's argument of that name.

    Raises:
        ValueError: there is none.
    """
    value = getattr(factory.cls, "latent_dim", None)
    if value is None and not _needs_shape(factory):
        value = getattr(_constructed("generator", factory), "latent_dim", None)
    if value is None:
        default = getattr(inspect.signature(factory.cls).parameters.get("latent_dim"), "default", None)
        value = factory.arguments.get("latent_dim", default)
    if not isinstance(value, int):
        raise ValueError(
            f"latent_dim={'null' if value is None else value}: {factory.name} has no attribute latent_dim that is a "
            "whole number; expected model.latent_dim=..., or such an attribute"
        )
    return value


def examined(player: str, factory: Factory, input_shape: tuple[int, ...], output_shape: tuple[int, ...]) -> bool:
    """Test a module on random inputs, and return whether it draws random numbers in training.

    Args:
        player: generator or discriminator.
        factory: the class with its arguments.
        input_shape: shape of one input.
        output_shape: required shape of the output for one input.

    Raises:
        ValueError: with `player=class: ` and the reason that it can't be trained.
    """
    test = _Test(player, factory, input_shape, output_shape)
    test.parameters()
    test.initial_values()
    test.shape()
    is_random = test.random_in(training=True)
    if test.random_in(training=False):
        test.refuse(
            f"draws random numbers in evaluation mode{test.of_dropout()}; expected random numbers only "
            "where self.training is True, e.g. F.dropout(x, training=self.training)"
        )
    test.outputs(is_random)
    return is_random


class _Test:
    def __init__(
        self, player: str, factory: Factory, input_shape: tuple[int, ...], output_shape: tuple[int, ...]
    ) -> None:
        self.player, self.factory, self.output_shape = player, factory, output_shape
        self.module = _constructed(player, factory)
        with seeded(1):
            x = torch.randn(BATCH, *input_shape)
        self.x = x if player == "generator" else x.clamp(-1, 1)

    def refuse(self, reason: str) -> None:
        raise ValueError(f"{self.player}={self.factory.name}: {reason}")

    def parameters(self) -> None:
        """Check kind, type and device of parameters and buffers."""
        lazy = [name for name, part in self.module.named_modules() if isinstance(part, LazyModuleMixin)]
        if lazy:
            self.refuse(f"has lazy layers ({', '.join(lazy[:3])}), expected layers of given sizes")
        if not trained(self.module):
            self.refuse("has no parameters to train")
        for name, value in (trained(self.module) | constants(self.module)).items():
            if value.device.type != "cpu":
                self.refuse(f"{name} is constructed on {value.device}, expected no device in the constructor")
            if name in trained(self.module) and value.dtype != torch.get_default_dtype():
                self.refuse(f"{name} is {value.dtype}, expected {torch.get_default_dtype()}")

    def initial_values(self) -> None:
        """Check that a second construction with the same seed has the same values."""
        other = _constructed(self.player, self.factory)
        for get in (trained, constants):
            for name, value in get(self.module).items():
                if not torch.equal(value, get(other)[name]):
                    self.refuse(
                        f"initial values of {name} differ between two constructions with the same seed; "
                        "expected random numbers of torch's global generator only, and no uninitialised memory"
                    )

    def random_in(self, *, training: bool) -> bool:
        """Return whether a forward pass uses torch's global generator."""
        before = torch.default_generator.get_state(), random.getstate(), np.random.get_state()
        with seeded(2):
            start = torch.default_generator.get_state()
            self.module.train(training)
            with torch.no_grad(), self._explained():
                self.module(self.x.clone())
            is_random = not torch.equal(torch.default_generator.get_state(), start)
        after = np.random.get_state()
        if random.getstate() != before[1] or any(np.any(a != b) for a, b in zip(after, before[2], strict=True)):
            self.refuse("draws from Python's or numpy's random generator; expected torch's global generator")
        return is_random

    def of_dropout(self) -> str:
        names = [
            f"{name} ({type(part).__name__})"
            for name, part in self.module.named_modules()
            if isinstance(part, nn.modules.dropout._DropoutNd)
        ]
        return f" (it contains {', '.join(names[:3])})" if names else ""

    def outputs(self, is_random: bool) -> None:
        """Check shape, values, repeatability and gradients of forward passes."""
        layer = ModuleLayer(self.module, self.output_shape, is_random=is_random)
        values = {name: value.detach()[None].clone() for name, value in trained(self.module).items()}
        buffers = {name: value.detach()[None].clone() for name, value in constants(self.module).items()}
        params = [values[slot.name].requires_grad_() for slot in layer.slots]
        masks = [torch.ones(1, BATCH, *SEED.shape)] if is_random else []

        def run(training: bool) -> tuple[Tensor, dict[str, Tensor]]:
            state = Pass(masks, {name: value.clone() for name, value in buffers.items()}, training)
            with self._explained():
                y = layer.forward(params, self.x[None], state)
            return y, state.updates

        for training in (False, True):
            (first, updates), (second, _) = run(training), run(training)
            if not first.isfinite().all():
                self.refuse("output is not finite for the initial parameters")
            if not torch.equal(first, second):
                self.refuse(
                    "output differs between two passes with equal parameters, buffers, input and random numbers; "
                    "expected no other state, such as attributes that forward changes"
                )
            for name, value in updates.items():
                if value.shape != buffers[name].shape or value.dtype != buffers[name].dtype:
                    self.refuse(f"forward changes shape or type of the buffer {name}")
        self._gradients(params, lambda: run(True)[0])

    def shape(self) -> None:
        """Check the shape of the output; logits may lack the last axis or have further axes of length 1.

        No pass may change the parameters, because a pass is computed with copies of them.
        """
        before = {name: value.detach().clone() for name, value in trained(self.module).items()}
        for training in (False, True):
            self.module.train(training)
            with seeded(2), torch.no_grad(), self._explained():
                y = self.module(self.x.clone())
            shape = tuple(y.shape) if isinstance(y, Tensor) else type(y).__name__
            expected = (BATCH, *self.output_shape)
            is_logit = self.player == "discriminator" and isinstance(shape, tuple) and {*shape[1:]} <= {1}
            if shape != expected and not (is_logit and shape[:1] == (BATCH,)):
                self.refuse(f"maps {tuple(self.x.shape)} to {shape}, expected {expected}")
        for name, value in trained(self.module).items():
            if not torch.equal(value, before[name]):
                self.refuse(f"forward changes the parameter {name}, expected changes of buffers only")

    def _gradients(self, params: list[Tensor], output: Callable[[], Tensor]) -> None:
        with torch.enable_grad():
            y = output()
        if not y.requires_grad:
            self.refuse("output does not depend on the parameters; look for detach() and no_grad()")
        names = list(trained(self.module))
        gradients = torch.autograd.grad(y.sum(), params, allow_unused=True)
        unused = [name for name, gradient in zip(names, gradients, strict=True) if gradient is None]
        if unused:
            names = ", ".join(unused[:3])
            self.refuse(f"output does not depend on the parameters {names}; expected none, or requires_grad=False")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Convert any error of the module's forward pass to a ValueError with its place."""
        try:
            yield
        except Exception as error:
            where = cause_of(error, [self.factory.cls.__module__.partition(".")[0]])
            self.refuse(f"forward of inputs {tuple(self.x.shape)} raised {where}")


def _needs_shape(factory: Factory) -> bool:
    parameter = inspect.signature(factory.cls).parameters.get("sample_shape")
    return parameter is not None and parameter.default is parameter.empty and factory.accepts("sample_shape")


def _constructed(player: str, factory: Factory) -> Any:
    """Return the module with the initial values of seed 0."""
    if not issubclass(factory.cls, nn.Module):
        raise ValueError(f"{player}={factory.name}: expected a subclass of torch.nn.Module")
    try:
        with seeded(0):
            return factory()
    except Exception as error:
        where = cause_of(error, [factory.cls.__module__.partition(".")[0]])
        raise ValueError(f"{player}={factory.name}: can't be constructed: {where}") from error
