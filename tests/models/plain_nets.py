"""Plain torch modules, as a user writes them; those with a mistake are named after it."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm


class Attention(nn.Module):
    """Self-attention over pixels, with a learned factor () that starts at a value other than 0."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Conv2d(width, width, 1) for _ in range(3))
        self.factor = nn.Parameter(torch.tensor(0.5))

    def forward(self, x):
        q, k, v = (layer(x).flatten(2) for layer in (self.query, self.key, self.value))
        weights = (q.transpose(1, 2) @ k).softmax(2)
        return x + self.factor * (v @ weights.transpose(1, 2)).view_as(x)


class Generator(nn.Module):
    """z (B, latent_dim) -> images (B, C, H, W), with batch norm and self-attention."""

    def __init__(self, sample_shape: tuple[int, ...], latent_dim: int = 5, width: int = 7, norm: bool = True) -> None:
        super().__init__()
        self.latent_dim, self.width, self.half = latent_dim, width, sample_shape[1] // 2
        self.first = nn.Linear(latent_dim, width * self.half**2)
        self.norm = nn.BatchNorm2d(width) if norm else nn.Identity()
        self.attention = Attention(width)
        self.up = nn.ConvTranspose2d(width, sample_shape[0], 4, 2, 1)

    def forward(self, z):
        x = self.first(z).view(len(z), self.width, self.half, self.half)
        return torch.tanh(self.up(self.attention(F.silu(self.norm(x)))))


class Critic(nn.Module):
    """Images (B, C, H, W) -> logits (B,)."""

    def __init__(self, channels: int = 1, width: int = 7, spectral: bool = False, dropout: float = 0.0) -> None:
        super().__init__()
        wrapped = spectral_norm if spectral else nn.Identity()
        self.layers = nn.Sequential(
            wrapped(nn.Conv2d(channels, width, 4, 2, 1)),
            nn.LeakyReLU(0.2, inplace=True),
            nn.GroupNorm(1, width),
            nn.Dropout(dropout) if dropout else nn.Identity(),
            wrapped(nn.Conv2d(width, 9, 3, 1, 1)),
            nn.Softplus(),
        )
        self.last = wrapped(nn.Linear(9, 1))

    def forward(self, x):
        return self.last(self.layers(x).mean((2, 3)))[:, 0]


class NormedCritic(Critic):
    """With batch norm, and a layer that is not trained."""

    def __init__(self, channels: int = 1, width: int = 7) -> None:
        super().__init__(channels, width)
        self.norm = nn.BatchNorm2d(9)
        self.frozen = nn.Conv2d(9, 9, 1).requires_grad_(False)

    def forward(self, x):
        return self.last(self.frozen(self.norm(self.layers(x))).mean((2, 3)))


class Points(nn.Module):
    """Linear, batch and layer norm and dropout on vectors, in sizes that are not multiples of 8."""

    latent_dim = 3

    def __init__(self, inputs: int = 2, outputs: int = 1, width: int = 33, dropout: float = 0.0) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(inputs, width), nn.Linear(width, 17)
        self.norm, self.other = nn.BatchNorm1d(width), nn.LayerNorm(17)
        self.dropout = nn.Dropout(dropout)
        self.last = nn.Linear(17, outputs)

    def forward(self, x):
        x = self.dropout(torch.tanh(self.norm(self.first(x))))
        return self.last(self.other(self.second(x)).tanh())


class Tied(nn.Module):
    """One weight under two names."""

    latent_dim = 2

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(2, 2)
        self.second = nn.Linear(2, 2)
        self.second.weight = self.first.weight

    def forward(self, x):
        return self.second(self.first(x).tanh())


class Assigns(nn.Module):
    """Assigns a new tensor to a buffer, instead of changing it in place."""

    latent_dim = 2

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.register_buffer("mean", torch.zeros(2))

    def forward(self, x):
        if self.training:
            self.mean: Any = 0.5 * self.mean + 0.5 * x.detach().mean(0)
        return self.layer(x - self.mean)


# ---------------------------------------------------------------- mistakes
class WithoutLatentDim(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, x):
        return self.layer(x)


class Base(WithoutLatentDim):
    latent_dim = 2


class WrongShape(Base):
    def forward(self, x):
        return self.layer(x)[:, :1]


class Transposed(Base):
    """As many numbers as expected, in another order."""

    def forward(self, x):
        return self.layer(x).T


class NotFinite(Base):
    def forward(self, x):
        return self.layer(x) / 0.0


class Raises(Base):
    def forward(self, x):
        return self.layer(x) @ x


class CountsItsCalls(Base):
    calls = 0

    def forward(self, x):
        CountsItsCalls.calls += 1
        return self.layer(x) * CountsItsCalls.calls


class DropoutInEvaluation(Base):
    def forward(self, x):
        return F.dropout(self.layer(x), 0.5)


class DrawsFromNumpy(Base):
    def forward(self, x):
        return self.layer(x) + np.random.rand()


class InitialisedByPython(Base):
    def __init__(self) -> None:
        super().__init__()
        self.layer.weight.data.fill_(random.random())


class UnusedLayer(Base):
    def __init__(self) -> None:
        super().__init__()
        self.other = nn.Linear(2, 2)


class Detached(Base):
    def forward(self, x):
        return self.layer(x).detach()


class ClipsItself(Base):
    def forward(self, x):
        self.layer.weight.data.clamp_(-0.01, 0.01)
        return self.layer(x)


class Lazy(Base):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.LazyLinear(2)


class Half(Base):
    def __init__(self) -> None:
        super().__init__()
        self.half()


class Empty(nn.Module):
    latent_dim = 2

    def forward(self, x):
        return x


class NoModule:
    latent_dim = 2
