"""Feature networks as a user writes them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class Embed(nn.Module):
    """Images (B, channels, H, W) -> features (B, D), with dropout in training only."""

    def __init__(self, channels: int = 1, num_features: int = 6) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, num_features, 3, padding=1)
        self.norm = nn.BatchNorm2d(num_features)
        self.register_buffer("offset", torch.tensor(0.5))

    def forward(self, x):
        return F.dropout(self.norm(self.conv(x)).mean((2, 3)), 0.5, self.training) + self.offset


class Mean(nn.Module):
    """The mean of every channel, without parameters."""

    def forward(self, x):
        return x.mean((2, 3), keepdim=True)


class Pixels(nn.Module):
    def forward(self, x):
        return x.flatten(1)


class Random(Mean):
    def forward(self, x):
        return F.dropout(super().forward(x), 0.5)


class NotFinite(Mean):
    def forward(self, x):
        return x.mean((2, 3)) / 0.0


class WithoutBatch(Mean):
    def forward(self, x):
        return x.mean()


class Raises(Mean):
    def forward(self, x):
        return self.missing(x)
