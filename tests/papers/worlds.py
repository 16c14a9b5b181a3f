"""Runs that never took place, for which a statement is true, false or undecided: `WORLDS` by name of the statement."""

from __future__ import annotations

import itertools
import math

from gansweep.papers.coopnets import PRINTED_LOSSES
from gansweep.papers.epfl_table1 import printed_at

SEEDS = range(6)
STATED, OPPOSITE, NOISE = "as stated", "the opposite", "no difference"
NOISES = (-3.0, 2.0, 3.0, -2.5, 1.5, -1.2)  # by seed, without a sign in common


def row(experiment: str, value: float, **columns: object) -> dict[str, str]:
    """A run in a line of results.csv; NaN is a diverged run."""
    lost = math.isnan(value)
    filled = {
        "experiment": experiment,
        "state": "diverged" if lost else "completed",
        "seed": 0,
        "final": "" if lost else value,
        "untrained": 100.0,
        "floor": 0.0,
        "steps_done": 200_000,
        "critic_steps": 1,
        **columns,
    }
    return {name: str(content) for name, content in filled.items()}


def pair(world: str, seed: int) -> tuple[float, float]:
    """Values of the configurations that a statement calls better and worse."""
    jitter = 0.01 * NOISES[seed]
    return {STATED: (10 + jitter, 20.0), OPPOSITE: (20.0, 10 + jitter), NOISE: (15 + NOISES[seed], 15.0)}[world]


def epfl_best_rate(world):
    cells = itertools.product(("adam", "sgd", "rmsprop"), (1e-3, 1e-4, 1e-5), SEEDS)
    return [row("epfl_table1", pair(world, s)[lr != 1e-4], optimizer=o, lr=lr, seed=s) for o, lr, s in cells]


def epfl_sgd(world):
    lost = {STATED: lambda lr, s: lr >= 1e-3, OPPOSITE: lambda lr, s: lr < 1e-3, NOISE: lambda lr, s: s % 2}[world]
    cells = itertools.product((1e-2, 1e-3, 1e-4, 1e-5), SEEDS)
    return [
        row("epfl_table1", math.nan if lost(lr, s) else 1.0, optimizer="sgd", lr=lr, seed=s, steps_done=500)
        for lr, s in cells
    ]


def epfl_order(world):
    printed = {cell: value for cell, value in printed_at(290).items() if value is not None}
    near = {STATED: printed, OPPOSITE: {cell: -value for cell, value in printed.items()}, NOISE: printed_at(0)}[world]
    return [row("epfl_table1", near[o, lr], optimizer=o, lr=lr) for o, lr in printed]


def coopnets(world, order):
    losses = {exp: 0.1 if loss is None else loss for exp, loss in PRINTED_LOSSES.items()}
    if world == OPPOSITE:
        losses = {exp: -loss for exp, loss in losses.items()}
    if world == NOISE:
        losses = {exp: 0.05 + (exp % 5 if order else 0) for exp in losses}
    return [
        row(f"coopnets_table1/exp_{exp}", 1.0, seed=s, reconstruction_error=loss + 1e-5 * NOISES[s] * (exp in (6, 7)))
        for exp, loss in losses.items()
        for s in SEEDS
    ]


def dirac(world):
    small = {STATED: ("r1", "consensus"), OPPOSITE: ("gan", "wgan")}.get(world, ())
    names = ("gan", "wgan", "r1", "consensus") if small else ()
    return [row(f"dirac/{name}", 1e-4 if name in small else 50.0) for name in names]


def dirac_noise(world):
    return [row("dirac/instance_noise", 1e-4 if world == STATED else 2.0)]


def plane_better(world):
    shapes = itertools.product(("line", "circle"), SEEDS)
    return [
        row("mescheder_2d", pair(world, s)[side], data=data, loss=loss, lr=5e-4, seed=s)
        for data, s in shapes
        for loss, side in (("r1", 0), ("r2", 0), ("standard", 1))
    ]


def images_better(world):
    methods = (("r1", 0), ("r2", 0), ("none", 1))
    return [row(f"mescheder_images/{name}", pair(world, s)[side], seed=s) for name, side in methods for s in SEEDS]


def forsyth_skips(world):
    def psnr(skips, seed):
        after, before = pair(world, seed)
        return {"none": -before, "shallow": -after, "both": -after + (before - after)}[skips]

    cells = itertools.product(("none", "shallow", "both"), SEEDS)
    return [
        row("forsyth_autoencoder", psnr(skips, s), optimizer="adam", lr=1e-3, seed=s, **{"model.skips": skips})
        for skips, s in cells
    ]


def cfg_better(world):
    sides = itertools.product(("mnist", "cifar10"), (("cfg", 0), ("wgan_gp", 1)), SEEDS)
    return [row(f"cfg_vs_wgangp/{data}_{name}", pair(world, s)[n], seed=s) for data, (name, n), s in sides]


def plane_alike(world):
    apart = {STATED: 0.1, OPPOSITE: 40.0, NOISE: 8.0}[world]
    return [
        row("mescheder_2d", 20 + (loss == "r2") * (apart + NOISES[s]), data="line", loss=loss, lr=5e-4, seed=s)
        for loss in ("r1", "r2")
        for s in SEEDS
    ]


WORLDS = {
    "epfl_best_rate": epfl_best_rate,
    "epfl_sgd": epfl_sgd,
    "epfl_order": epfl_order,
    "coopnets_order": lambda world: coopnets(world, True),
    "coopnets_extremes": lambda world: coopnets(world, False),
    "dirac_methods": dirac,
    "dirac_noise": dirac_noise,
    "plane_alike": plane_alike,
    "plane_better": plane_better,
    "images_better": images_better,
    "forsyth_skips": forsyth_skips,
    "cfg_better": cfg_better,
}
