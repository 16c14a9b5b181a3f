"""Largest stable learning rates of `gansweep.edge` beside trainings of networks, for many losses and optimizers.

    python scripts/bench/edge_study.py --data-root DIRECTORY     # measures; continues where it was interrupted
    python scripts/bench/edge_study.py --write                   # into docs/records/edge.md and edge_pairs.csv

For each pair of a loss and an optimizer, one pack trains the same run at RATES. Before the first step the boundary is
computed, and after 5 % of the steps the growth of perturbations at the rate of each of some members. Both networks are
small, so that a pair takes seconds. The tables are made by `edge_tables.py`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from edge_tables import EARLY, HOW, RATES, STEPS, TITLE, rows, tables
from torch import Tensor

from gansweep.algorithms.adversarial import AdversarialPack
from gansweep.cli.edge import groups_of
from gansweep.console import say
from gansweep.data.on_device import samples_on
from gansweep.edge.boundary import Linearization, at_rates, linearized, pack_of, tolerance
from gansweep.edge.linear_rule import NotLinear
from gansweep.metrics.sliced_wasserstein1 import sliced_wasserstein1
from gansweep.training.run import Run
from report import report

FIRST, SOON, LAST = slice(0, 5), slice(EARLY // 2, EARLY), slice(-100, None)  # steps whose gradients are compared
EVERY = 3  # of the members are linearized after EARLY steps
AROUND = [0.25, 0.5, 1.0, 2.0, 4.0]  # of a member's own rate, at which growth is computed
NUM_SAMPLES, NUM_DIRECTIONS = 256, 64  # of the distance
MLP = ["model=mlp", "model.generator_widths=[32,32]", "model.discriminator_widths=[32,32]", "model.dropout=0"]
NETWORKS = {
    "ring_mlp": ["data=ring", "model=mlp_2d", "metric=wasserstein1", "batch_size=32"],
    "digits_mlp": ["data=digits", *MLP, "model.latent_dim=16", "batch_size=16"],
    "digits_dcgan": ["data=digits", "model=dcgan", "model.base_width=2", "model.latent_dim=16", "batch_size=8"],
    "mnist_mlp": ["data=mnist", *MLP, "model.latent_dim=16", "batch_size=16", "metric=mnist"],
}
FEW = ["standard", "hinge", "lsgan", "r1", "wgan_gp", "rpgan", "r3gan"]
LOSSES = [*FEW, "minimax", "mean_difference", "ragan", "rahinge", "r1_r2", "roth", "dragan", "wgan_gp0", "wgan_lp"]
OPTIMIZERS = {
    "sgd": ["optimizer=sgd"],
    "momentum": ["optimizer=momentum"],
    "adam": ["optimizer=adam"],
    "adam, beta1 = 0": ["optimizer=adam", "optimizer.betas=[0,0.9]"],
    "rmsprop": ["optimizer=rmsprop"],
    "adabelief": ["optimizer=adabelief"],
    "optimistic_sgd": ["optimizer=optimistic_sgd"],
    "optimistic_adam": ["optimizer=optimistic_adam"],
}


class Pair(NamedTuple):
    """Loss and optimizer of both players, on one data set with its networks."""

    networks: str
    loss: str
    optimizer: str
    seed: int


def pairs() -> list[Pair]:
    """Return all pairs in an order in which every beginning is a sample of them; then repetitions with another seed."""
    few = [name for name in OPTIMIZERS if name not in ("adabelief", "optimistic_adam")]
    ring = [Pair("ring_mlp", *names, 0) for names in itertools.product(LOSSES, OPTIMIZERS)]
    images = [Pair(networks, *names, 0) for networks in list(NETWORKS)[1:] for names in itertools.product(FEW, few)]
    ordered = random.Random(0).sample(ring + images, len(ring) + len(images))
    return ordered + [pair._replace(seed=1) for pair in ordered[::5]]


def main() -> None:
    """Measure the pairs that are missing, or write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", default="data", help="directory of MNIST")
    parser.add_argument("--out", type=Path, default=Path("outputs/edge_study.jsonl"), help="measured pairs")
    parser.add_argument("--seconds", type=float, default=math.inf, help="end after this time")
    parser.add_argument("--write", action="store_true", help="into docs/records, from the measured pairs")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = [json.loads(line) for line in options.out.read_text().splitlines()] if options.out.exists() else []
    if options.write:
        write(found)
        return
    known, start = {tuple(record["pair"]) for record in found}, time.monotonic()
    samples: dict[str, Tensor] = {}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with options.out.open("a") as file:
        for pair in pairs():
            if time.monotonic() - start > options.seconds:
                break
            if pair not in known:
                record = measured(pair, options.data_root, samples)
                file.write(f"{json.dumps(record)}\n")
                file.flush()
                say(f"{' '.join(map(str, pair))}: {record['edge_s'] + record['train_s']:.1f} s")


def write(found: Sequence[dict[str, Any]]) -> None:
    """Write the record, and the boundaries of each pair."""
    path = Path(__file__).parents[2] / "docs" / "records" / "edge_pairs.csv"
    path.write_text("".join(f"{','.join(row)}\n" for row in rows(found)))
    report("edge", TITLE, tables(found), HOW, write=True)


def measured(pair: Pair, data_root: str, known: dict[str, Tensor]) -> dict[str, Any]:
    """Return predicted and measured values of a pair."""
    run = run_of(pair, data_root)
    if pair.networks not in known:
        known[pair.networks] = samples_on(torch.device("cpu"), run.data)
    samples = known[pair.networks]
    record: dict[str, Any] = {"pair": list(pair)}
    start = time.process_time()
    if pair.seed == 0:
        record |= at_start(run, samples)
    edge_s, start = time.process_time() - start, time.process_time()
    pack = pack_of(run, [at_rates(run.member, lr, lr) for lr in RATES], samples)
    record["untrained"] = _distance(pack, 0)
    initial, norms, early_s = [player.theta.clone() for player in (pack.g, pack.d)], [], 0.0
    for n, step in enumerate(pack.steps(), start=1):
        norms.append(torch.stack([step.generator_gradient, step.discriminator_gradient])[:, pack.place])
        if n == EARLY:
            before = time.process_time()
            record["soon"] = {
                "distance": [_distance(pack, k) for k in range(len(RATES))],
                "moved": moved(pack, initial),
            }
            if pair.seed == 0:
                record["early"] = list(early(run, pack, samples))
            early_s = time.process_time() - before
    record["members"] = members(pack, torch.stack(norms))
    train_s = time.process_time() - start - early_s
    return record | {"edge_s": edge_s, "early_s": early_s, "train_s": train_s}


def run_of(pair: Pair, data_root: str) -> Run:
    """Return the run of a pair; its rates are replaced."""
    words = [*NETWORKS[pair.networks], f"loss={pair.loss}", *OPTIMIZERS[pair.optimizer], f"seed={pair.seed}"]
    root = [f"data.root={data_root}"] if pair.networks.startswith("mnist") else []
    ((cell,),) = groups_of([*words, *root, "critic_steps=1", "lr=1e-3", f"steps={STEPS}"]).values()
    return cell.run


def at_start(run: Run, samples: Tensor) -> dict[str, Any]:
    """Return boundaries at the initial parameters, and the growth at each rate."""
    pack = pack_of(run, [at_rates(run.member, 1e-3, 1e-3)], samples)
    try:
        linear = _usable(linearized(pack)[0])
        boundaries = {
            players: linear.boundary(players, tolerance=tolerance(STEPS)).lr
            for players in ("discriminator", "generator", "both")
        }
        return {"boundary": boundaries, "excess": _excesses(linear, RATES)}
    except NotLinear as error:
        return {"refused": str(error)}


def early(run: Run, trained: AdversarialPack, samples: Tensor) -> Iterator[dict[str, Any]]:
    """Yield the growth around the own rate of every third member at its current parameters."""
    chosen = range(0, len(RATES), EVERY)
    pack = pack_of(run, [at_rates(run.member, RATES[k], RATES[k]) for k in chosen], samples)
    for at, k in enumerate(chosen):
        pack.restore(at, trained.export(k))
    for k, linear in zip(chosen, linearized(pack), strict=True):
        try:
            yield {"member": k, "excess": _excesses(_usable(linear), [RATES[k] * factor for factor in AROUND])}
        except NotLinear as error:
            yield {"member": k, "refused": str(error)}


def moved(pack: AdversarialPack, initial: Sequence[Tensor]) -> list[list[float]]:
    """Return for each member how far the parameters of both players have moved, relative to their initial norm."""
    players = [
        ((player.theta - before).norm(dim=-1) / before.norm(dim=-1))[pack.place].tolist()
        for player, before in zip((pack.g, pack.d), initial, strict=True)
    ]
    return list(map(list, zip(*players, strict=True)))


def members(pack: AdversarialPack, norms: Tensor) -> list[dict[str, Any]]:
    """Return the final state of each member; `norms` are those of the gradients (steps, 2, K)."""
    diverged = pack.monitor.read()
    first, soon, last = (norms[part].median(0).values.T.tolist() for part in (FIRST, SOON, LAST))
    rows = []
    for k, row in enumerate(pack.place):
        of = diverged[row]
        rows.append(
            {"distance": _distance(pack, k), "first": first[k], "soon": soon[k], "last": last[k]}
            | ({"step": of.step, "cause": f"{of.player}: {of.cause}"} if of else {})
        )
    return rows


def _distance(pack: AdversarialPack, k: int) -> float:
    """Return the sliced Wasserstein-1 distance of generated samples to as many real ones."""
    fake = pack.generate(k, NUM_SAMPLES, "distance").flatten(1)
    if not fake.isfinite().all():
        return math.nan
    return sliced_wasserstein1(fake, pack.samples[torch.arange(NUM_SAMPLES)].flatten(1), NUM_DIRECTIONS)


def _usable(linear: Linearization | NotLinear) -> Linearization:
    if isinstance(linear, NotLinear):
        raise linear
    return linear


def _excesses(linear: Linearization, rates: list[float]) -> list[float]:
    return [growth.excess for growth in linear.growth([(lr, lr) for lr in rates])]


if __name__ == "__main__":
    sys.exit(main())
