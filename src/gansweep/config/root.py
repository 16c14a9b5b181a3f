"""Settings at the root of the configuration: types, defaults of earlier records, and ranges."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args, get_type_hints

from gansweep.config.errors import SettingError
from gansweep.config.keys import CLIPPING, SEEDS
from gansweep.formatting import is_folder_name

# Upper limits: far above practical values, below overflow. Too many threads or processes make a machine hang.
MAX = {"steps": 10**12, "epochs": 10**12, "batch_size": 10**9, "threads": 1024, "workers": 512, "eval_seeds": 1000}
MAX_OF_OTHERS = 10**6


@dataclass(frozen=True)
class Root:
    """Root settings and their types.

    Args:
        seed: seed of all random streams.
        lr: base learning rate of the generator.
        lr_d: base learning rate of the discriminator.
        batch_size: number of samples in a batch.
        steps: number of generator updates.
        epochs: length in passes over the data; null: use `steps`.
        critic_steps: discriminator updates before each generator update; null: the default of the loss.
        device: auto, cpu, cuda, cuda:1 or mps; a sweep uses all visible GPUs with auto and cuda.
        precision: precision of matrix products.
        threads: CPU threads of one operation.
        workers: number of processes of a sweep on one machine; auto: one per core on a CPU, one per GPU.
        pack: number of cells that one process trains as a batch; auto: measure which number is fastest.
        name: name of the sweep; null: derived from the command line.
        seeds: auto: add seeds for configurations that may still be the best; null: train the given seeds only.
        most_seeds: maximum number of seeds of a configuration, for seeds=auto.
        race: steps: drop runs whose configuration can't be the best any more; null: train every run to its end.
        plan: list all cells without training; json: as JSON on standard output; edge and edge_json: with a warning
            for cells whose rates are expected to be too large.
        fresh: rename an existing sweep of this name and start over.
        retry_failed: train failed cells again.
        diverged: report a divergence to another Hydra sweeper as a result or as a failure.
        allow: further modules whose classes a `_target_` may name.
        most_cells: maximum number of cells of one command line. It and the following settings have defaults because
            earlier records lack them.
        seed_init: seed of the initial parameters; null: `seed`.
        seed_data: seed of the order of the data; null: `seed`.
        seed_noise: seed of all other random numbers of the training, as latents and dropout; null: `seed`.
        eval_seeds: draws of latents on which each final and each best value is measured; their mean is reported.
        num: number of points of the settings that are given as an interval.
        progress: display of the progress; auto: bar on a terminal, plain lines elsewhere.
        branch: auto: train the first steps of cells once if all their schedules have the same values in these steps;
            off: train every cell from its first step.
        sampler: how the points are chosen: sobol and random in advance, tpe by the results of earlier points.
        cells: maximum number of trained cells of one command line, finished ones included; null: all. The first ones
            cover the grid.
        hours: wall time of one command; at its end the running cells are saved. null: no limit.
        clip_grad_norm: bound on the norm of the generator's gradient; null: no clipping.
        clip_grad_norm_d: the same for the discriminator; null: no clipping.
        clip_grad_value: bound on the absolute value of every entry of the generator's gradient; null: no clipping.
        clip_grad_value_d: the same for the discriminator; null: no clipping.
    """

    seed: int
    lr: float
    lr_d: float
    batch_size: int
    steps: int
    epochs: int | None
    critic_steps: int | None
    device: str
    precision: Literal["fp32", "tf32", "bf16"]
    threads: int
    workers: int | Literal["auto"]
    pack: int | Literal["auto"]
    name: str | int | float | None
    seeds: Literal["auto"] | None
    most_seeds: int
    plan: bool | Literal["json", "edge", "edge_json"]
    fresh: bool
    retry_failed: bool
    diverged: Literal["result", "raise"]
    allow: list[str]
    most_cells: int = 10_000
    progress: Literal["auto", "bar", "plain", "off"] = "auto"
    branch: Literal["auto", "off"] = "auto"
    seed_init: int | None = None
    seed_data: int | None = None
    seed_noise: int | None = None
    eval_seeds: int = 1
    num: int | None = None
    sampler: Literal["sobol", "random", "tpe"] = "sobol"
    race: Literal["steps"] | None = None
    cells: int | None = None
    hours: float | None = None
    clip_grad_norm: float | None = None
    clip_grad_norm_d: float | None = None
    clip_grad_value: float | None = None
    clip_grad_value_d: float | None = None


@cache
def _counts() -> list[str]:
    """Return the settings of `Root` that are whole numbers of at least 1: all but the seeds and `name`."""
    whole = [name for name, kind in get_type_hints(Root).items() if int in (kind, *get_args(kind))]
    return [name for name in whole if name not in (*SEEDS, "name")]


def out_of_range(values: Mapping[str, Any]) -> Iterator[SettingError]:
    """Yield a problem for each value that is out of range; the types are already correct."""
    for key in ("lr", "lr_d"):
        if key in values and not 0 < values[key] < math.inf:
            yield SettingError(key, values[key], "expected a finite rate above 0, e.g. 1e-4")
    for key in (f"{name}{d}" for name in CLIPPING for d in ("", "_d")):
        if values.get(key) is not None and not 0 < values[key] < math.inf:
            yield SettingError(key, values[key], "expected a number > 0, or null for no clipping")
    for key in SEEDS:
        if (values.get(key) or 0) < 0:
            yield SettingError(key, values[key], "expected a whole number, 0 or above")
    for key in _counts():
        count = values.get(key)
        most = MAX.get(key, MAX_OF_OTHERS)
        if isinstance(count, int) and not 1 <= count <= most:
            least = "at least 1" if count < 1 else f"at most {most}"
            yield SettingError(key, count, f"expected a whole number, {least}")
    if values.get("hours") is not None and not 0 < values["hours"] < math.inf:
        yield SettingError("hours", values["hours"], "expected a number of hours > 0, such as 8 or 0.5; null: no limit")
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", values.get("device", "auto")):
        yield SettingError("device", values["device"], "expected auto, cpu, mps, cuda or cuda:1")
    name = values.get("name")
    if isinstance(name, float) and not math.isfinite(name):
        yield SettingError(
            "name", name, "is parsed as a number and is not finite; expected the name of a folder inside outputs/"
        )
    elif name is not None and not is_folder_name(str(name)):
        yield SettingError("name", f"{name!s:.100}", "expected the name of a folder inside outputs/")


def steps_of(epochs: int, num_samples: int, batch_size: int) -> int:
    """Return the number of generator updates; the last batch of an epoch is completed from the next epoch.

    >>> steps_of(2, 1797, 64)
    58
    """
    return epochs * math.ceil(num_samples / batch_size)
