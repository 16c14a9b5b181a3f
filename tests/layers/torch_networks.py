"""Networks of gansweep.layers beside the same networks of torch.nn."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from gansweep.layers import (
    AppendLabel,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    LeakyReLU,
    Linear,
    Reshape,
    Residual,
    Scale,
    SpectralNorm,
    Tanh,
    Upsample,
)


class Times(nn.Module):
    """Dropout with a given mask."""

    def __init__(self, mask):
        super().__init__()
        self.mask = mask

    def forward(self, x):
        return x * self.mask


def mlp(masks):
    ours = [Reshape((2, 3, 4), (24,)), Linear("1", 24, 9), LeakyReLU(0.2), Dropout((9,), 0.3), Linear("4", 9, 1)]
    return ours, nn.Sequential(nn.Flatten(), nn.Linear(24, 9), nn.LeakyReLU(0.2), Times(masks[0]), nn.Linear(9, 1))


def smooth(masks):
    ours = [Reshape((2, 3, 4), (24,)), Linear("1", 24, 8), Tanh(), Linear("3", 8, 5), Tanh(), Linear("5", 5, 1)]
    theirs = [nn.Flatten(), nn.Linear(24, 8), nn.Tanh(), nn.Linear(8, 5), nn.Tanh(), nn.Linear(5, 1)]
    return ours, nn.Sequential(*theirs)


def convolutions(masks):
    ours = [
        Conv2d("0", 2, 5, 2, stride=2, padding=0, bias=False),  # the stride does not divide the size
        LeakyReLU(0.2),
        Dropout((5, 1, 2), 0.5),
        ConvTranspose2d("3", 5, 3, 3, stride=2, padding=1),
        LeakyReLU(0.0),
        ConvTranspose2d("5", 3, 2, 4, bias=False),
        Conv2d("6", 2, 1, 3, padding=1),
        Reshape((1, 4, 6), (24,)),
        Linear("8", 24, 1),
    ]
    theirs = [
        nn.Conv2d(2, 5, 2, stride=2, bias=False),
        nn.LeakyReLU(0.2),
        Times(masks[0]),
        nn.ConvTranspose2d(5, 3, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(3, 2, 4, bias=False),
        nn.Conv2d(2, 1, 3, padding=1),
        nn.Flatten(),
        nn.Linear(24, 1),
    ]
    return ours, nn.Sequential(*theirs)


def normalised(masks):
    ours = [
        Conv2d("0", 2, 3, 2),
        BatchNorm("1", 3),
        LeakyReLU(0.2),
        Reshape((3, 2, 3), (18,)),
        Linear("4", 18, 5),
        BatchNorm("5", 5, eps=1e-3, momentum=0.2),
        LeakyReLU(0.2),
        Linear("7", 5, 1),
    ]
    theirs = [
        nn.Conv2d(2, 3, 2),
        nn.BatchNorm2d(3),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(18, 5),
        nn.BatchNorm1d(5, eps=1e-3, momentum=0.2),
        nn.LeakyReLU(0.2),
        nn.Linear(5, 1),
    ]
    return ours, nn.Sequential(*theirs)


class Block(nn.Module):
    """Residual block: shortcut(x) + factor * body(x); the shortcut is the identity if None."""

    def __init__(self, factor, shortcut, *body):
        super().__init__()
        self.factor, self.shortcut, self.body = factor, shortcut, nn.Sequential(*body)

    def forward(self, x):
        return (x if self.shortcut is None else self.shortcut(x)) + self.factor * self.body(x)


class Label(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.embedding = nn.Embedding(1, size)

    def forward(self, x):
        e = self.embedding(torch.zeros(len(x), dtype=torch.int64))
        return torch.cat([x, e / e.norm(dim=1, keepdim=True)], 1)


class Times3(nn.Module):
    def forward(self, x):
        return 0.3 * x


def residual(masks):
    ours = [
        Conv2d("0", 2, 3, 3, padding=1),
        Residual(
            [
                LeakyReLU(0.2),
                Conv2d("1.body.1", 3, 4, 3, padding=1),
                Dropout((4, 3, 4), 0.4),
                Residual([LeakyReLU(0.0), Conv2d("1.body.3.body.1", 4, 4, 1), AvgPool2d(2, 1)], [AvgPool2d(2, 1)]),
                Upsample(),
            ],
            [Conv2d("1.shortcut.0", 3, 4, 2, bias=False), Dropout((4, 2, 3), 0.3), Upsample()],
            0.1,
        ),
        AvgPool2d(3, 2, 1),
        Residual([Conv2d("3.body.0", 4, 4, 3, padding=1)], factor=0.5),
        Scale(0.3),
        Reshape((4, 2, 3), (24,)),
        Linear("6", 24, 1),
    ]
    inner = Block(1.0, nn.AvgPool2d(2, 1), nn.ReLU(), nn.Conv2d(4, 4, 1), nn.AvgPool2d(2, 1))
    in_body, in_shortcut = ([*masks, None])[:2]
    shortcut = nn.Sequential(nn.Conv2d(3, 4, 2, bias=False), Times(in_shortcut), nn.Upsample(scale_factor=2))
    body = [nn.LeakyReLU(0.2), nn.Conv2d(3, 4, 3, 1, 1), Times(in_body), inner, nn.Upsample(scale_factor=2)]
    theirs = [
        nn.Conv2d(2, 3, 3, padding=1),
        Block(0.1, shortcut, *body),
        nn.AvgPool2d(3, 2, 1),
        Block(0.5, None, nn.Conv2d(4, 4, 3, padding=1)),
        Times3(),
        nn.Flatten(),
        nn.Linear(24, 1),
    ]
    return ours, nn.Sequential(*theirs)


def label(masks):
    ours = [
        Reshape((2, 3, 4), (24,)),
        AppendLabel("1.embedding", 3),
        Linear("2", 27, 8),
        Reshape((8,), (2, 2, 2)),
        ConvTranspose2d("4", 2, 3, 5, stride=2, padding=2, output_padding=1),
        LeakyReLU(0.2),
        ConvTranspose2d("6", 3, 1, 5, stride=2, padding=2),
        Reshape((1, 7, 7), (49,)),
        Linear("8", 49, 1),
    ]
    theirs = [
        nn.Flatten(),
        Label(3),
        nn.Linear(27, 8),
        nn.Unflatten(1, (2, 2, 2)),
        nn.ConvTranspose2d(2, 3, 5, 2, 2, output_padding=1),
        nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(3, 1, 5, 2, 2),
        nn.Flatten(),
        nn.Linear(49, 1),
    ]
    return ours, nn.Sequential(*theirs)


def spectral(masks):
    ours = [
        SpectralNorm(Conv2d("0", 2, 3, 2, stride=2, bias=False)),
        LeakyReLU(0.2),
        Dropout((3, 1, 2), 0.3),
        Residual(
            [LeakyReLU(0.1), SpectralNorm(Conv2d("3.body.1", 3, 4, 1))],
            [SpectralNorm(Conv2d("3.shortcut", 3, 4, 1))],
            0.1,
        ),
        Reshape((4, 1, 2), (8,)),
        SpectralNorm(Linear("5", 8, 6)),
        LeakyReLU(0.2),
        SpectralNorm(Linear("7", 6, 1)),
    ]
    theirs = [
        spectral_norm(nn.Conv2d(2, 3, 2, 2, bias=False)),
        nn.LeakyReLU(0.2),
        Times(masks[0]),
        Block(0.1, spectral_norm(nn.Conv2d(3, 4, 1)), nn.LeakyReLU(0.1), spectral_norm(nn.Conv2d(3, 4, 1))),
        nn.Flatten(),
        spectral_norm(nn.Linear(8, 6)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Linear(6, 1)),
    ]
    return ours, nn.Sequential(*theirs)


def smooth_spectral(masks):
    ours = [Reshape((2, 3, 4), (24,)), SpectralNorm(Linear("1", 24, 7)), Tanh(), SpectralNorm(Linear("3", 7, 1))]
    theirs = [nn.Flatten(), spectral_norm(nn.Linear(24, 7)), nn.Tanh(), spectral_norm(nn.Linear(7, 1))]
    return ours, nn.Sequential(*theirs)


NETWORKS = pytest.mark.parametrize(
    "build",
    [mlp, smooth, convolutions, normalised, residual, label, spectral, smooth_spectral],
    ids=lambda f: f.__name__,
)
