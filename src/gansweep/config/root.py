"""The settings at the root of a configuration: numbers and words that belong to no group."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gansweep.config.errors import Problem
from gansweep.formatting import is_folder_name

# Far above what can be trained, and below what overflows. Too many threads or processes make a machine hang.
MOST = {"steps": 10**12, "epochs": 10**12, "batch_size": 10**9, "threads": 1024, "workers": 512}
MOST_OF_OTHERS = 10**6


@dataclass(frozen=True)
class Root:
    """Everything but the groups, with the types that it has.

    Args:
        seed: of every random stream.
        lr: base rate of the generator.
        lr_d: base rate of the discriminator.
        batch_size: samples in a batch.
        steps: generator updates.
        epochs: the same length in passes over the data; null to go by `steps`.
        critic_steps: discriminator updates before each generator update; null: as the loss says.
        device: auto, cpu, cuda, cuda:1 or mps.
        precision: of matrix products.
        threads: of the processor, for one operation.
        workers: processes of a sweep on one machine; auto takes one per core on a CPU.
        pack: cells that one process trains together; auto measures what is fastest.
        name: of the sweep; null makes one from the command line.
        seeds: auto adds seeds where the table is not decided yet; null trains what was typed.
        most_seeds: of a setting, for seeds=auto.
        plan: show every cell and train none.
        fresh: rename an earlier sweep of this name and start over.
        retry_failed: train cells again that failed earlier.
        diverged: whether another sweeper is to see a divergence as a result or as a failure.
        allow: modules whose classes a `_target_` may name.
        most_cells: of one command line; with a default, since records of earlier versions lack it.
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
    plan: bool
    fresh: bool
    retry_failed: bool
    diverged: Literal["result", "raise"]
    allow: list[str]
    most_cells: int = 10_000


def out_of_range(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Say which of the values, already of their types, can't be worked with."""
    for key in ("lr", "lr_d"):
        if key in values and not 0 < values[key] < math.inf:
            yield Problem(key, f"={values[key]}: expected a finite rate above 0, e.g. 1e-4")
    if values.get("seed", 0) < 0:
        yield Problem("seed", f"={values['seed']}: expected a whole number, 0 or above")
    for key in (
        "batch_size",
        "steps",
        "epochs",
        "critic_steps",
        "threads",
        "workers",
        "pack",
        "most_seeds",
        "most_cells",
    ):
        count = values.get(key)
        most = MOST.get(key, MOST_OF_OTHERS)
        if isinstance(count, int) and not 1 <= count <= most:
            least = "at least 1" if count < 1 else f"at most {most}"
            yield Problem(key, f"={count}: expected a whole number, {least}")
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", values.get("device", "auto")):
        yield Problem("device", f"={values['device']}: expected auto, cpu, mps, cuda or cuda:1")
    name = values.get("name")
    if isinstance(name, float) and not math.isfinite(name):
        yield Problem(
            "name", f"={name}: is read as a number that is none; expected the name of a folder inside outputs/"
        )
    elif name is not None and not is_folder_name(str(name)):
        yield Problem("name", f"={name!s:.100}: expected the name of a folder inside outputs/")


def steps_of(epochs: int, num_samples: int, batch_size: int) -> int:
    """Count the generator updates of some epochs; the last batch of an epoch is completed from the next one.

    >>> steps_of(2, 1797, 64)
    58
    """
    return epochs * math.ceil(num_samples / batch_size)
