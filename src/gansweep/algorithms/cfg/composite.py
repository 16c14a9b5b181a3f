"""Composite generator of a finished training by functional gradients, as a module of `torch.nn`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from gansweep.algorithms.cfg.functional_gradient import functional_gradient_step
from gansweep.layers import Network, Pass


class CompositeGenerator(nn.Module):
    """Generator G_T of the last stage: its approximator, followed by its functional gradient steps.

        G_t(z) = G_{t-1}(z) + eta dD_t/dx (G_{t-1}(z)),   t = 1 ... T,   G_0 = G~

    Images are clipped to [-1, 1]. The discriminators are in training mode, without a change of their running
    statistics, as in evaluations.

    Args:
        start: G~ at the start of the stage, which maps z (N, latent_dim) to samples.
        discriminator: network of the D_t.
        steps: state of the steps, as `FunctionalGradientSteps.export` returns it.
        batch_size: of the training; D with batch norm gets batches of this size.
    """

    def __init__(self, start: nn.Module, discriminator: Network, steps: Mapping[str, Any], batch_size: int) -> None:
        super().__init__()
        self.start, self.network, self.batch_size = start, discriminator, batch_size
        self.register_buffer("eta", steps["eta"])
        self.register_buffer("theta", steps["theta"])
        self._names = {name: f"buffer_{n}" for n, name in enumerate(steps["buffers"])}  # a name must not have dots
        for name, value in steps["buffers"].items():
            self.register_buffer(self._names[name], value)

    def forward(self, z: Tensor) -> Tensor:
        """Return samples G_T(z) (N, ...)."""
        x = self.start(z)
        parts = x.split(self.batch_size) if self.network.couples_samples else [x]
        x = torch.cat([self._stepped(part[None])[0] for part in parts])
        return x.clamp(-1, 1) if x.ndim == 4 else x

    def _stepped(self, x: Tensor) -> Tensor:
        """Return samples (1, B, ...) after all steps."""
        for t, theta in enumerate(self.get_buffer("theta")):
            buffers = {name: self.get_buffer(own)[t][None] for name, own in self._names.items()}
            params = self.network.cut(theta[None])
            x = functional_gradient_step(self.network, params, x, self.get_buffer("eta")[None], Pass((), buffers))
        return x
