"""Train small sweeps of every kind and compare their numbers, bit for bit, with an earlier run of this script.

    python scripts/compare_numbers.py --write build/numbers.json    # before a change
    python scripts/compare_numbers.py --against build/numbers.json  # after it

Compared for every cell: its hash, its state, all evaluations, and a digest of all tensors of its last checkpoint. A
refactoring must not change any of these; a deliberate change of the arithmetic raises `NUMERICS` and so changes the
hashes. Bits depend on the CPU and on the version of torch, so both runs must use the same machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

MLP = "model.generator_widths=[16] model.discriminator_widths=[16] model.latent_dim=4 metric.num_samples=64"
RING = "data=ring model=mlp_ring metric=wasserstein1 metric.num_samples=64 steps=12 trainer.eval_every=6"
DIGITS = f"{MLP} steps=6 trainer.eval_every=3 batch_size=16"
CONV = "model.base_width=4 model.latent_dim=4 metric.num_samples=64 steps=3 trainer.eval_every=3 batch_size=8"
SMOKE = "scale=smoke"

SWEEPS = {
    "losses of two terms": f"-m {RING} loss=standard,minimax,wgan,lsgan,hinge,mean_difference",
    "relativistic losses": f"-m {RING} loss=rpgan,ragan,ralsgan,rahinge,r3gan",
    "penalties": f"-m {RING} loss=r1,r2,r1_r2,roth,dragan,r1_gan_stability",
    "gradient norm penalties": f"-m {RING} loss=wgan_gp,wgan_gp0,wgan_lp,wgan_gp_per_pixel",
    "corrupted inputs and labels": f"-m {RING} loss=instance_noise,label_flips,label_smoothing",
    "adaptive optimizers": f"-m {DIGITS} optimizer=adam,adamw,adabelief,adan,nadam,radam,prodigy,lion",
    "other optimizers": f"-m {DIGITS} optimizer=sgd,momentum,rmsprop,adagrad,adadelta,muon,sgd_matconvnet",
    "wrapped optimizers": f"-m {DIGITS} optimizer=lookahead,optimistic_adam,optimistic_sgd",
    "schedule-free optimizers": f"-m {DIGITS} optimizer=schedule_free_adamw,schedule_free_sgd",
    "schedules": f"-m {DIGITS} schedule=constant,cosine,exponential,inverse_sqrt,linspace,logspace,polynomial,step",
    "more schedules": f"-m {DIGITS} schedule=equal_area,one_cycle,piecewise,restarts,wsd,per_epoch",
    "warmup": f"{DIGITS} schedule=warmup schedule.length=2",
    "scheduled settings": f"{DIGITS} schedule@schedule_beta=linspace schedule@schedule_penalty=linspace",
    "scheduled critic steps": f"-m {RING} schedule@schedule_critic=linspace critic_steps=3 seed=0,1",
    "simultaneous dynamics": f"-m {RING} dynamics=simultaneous,consensus,symplectic optimizer=sgd",
    "extragradient": f"-m {RING} dynamics=extragradient optimizer=adam,sgd",
    "competitive": f"{RING} dynamics=competitive optimizer=sgd",
    "unrolled": f"{RING} dynamics=unrolled optimizer=sgd",
    "seeds and rates in one pack": f"-m {DIGITS} optimizer=adam,sgd lr=1e-4,1e-2 seed=0,1 pack=8",
    "mixed lengths in one pack": f"-m {DIGITS} steps=3,6,9 loss=r1,wgan_gp pack=4 workers=1",
    "divergence": f"-m {RING} optimizer=sgd lr=1e2,1e30 loss=wgan",
    "plateau feedback": f"{DIGITS} feedback=plateau",
    "gap-aware feedback": f"{DIGITS} feedback=gap_aware",
    "averaged generator": f"-m {DIGITS} trainer.ema=null,0.9",
    "diagnosis": f"{RING} trainer.diagnose_every=6",
    "dcgan": f"-m {CONV} model=dcgan loss=r1,wgan_gp",
    "dcganx": f"{CONV} model=dcganx",
    "dcgan_plain": f"{CONV} model=dcgan_plain",
    "resnet": f"{CONV} model=resnet",
    "resnet4": f"{CONV} model=resnet4",
    "compiled": f"{RING} trainer.compile=true",
    "Dirac-GAN": "-m experiment=dirac_convergence scale=smoke",
    "Mescheder's plane": f"-m experiment=mescheder_2d {SMOKE}",
    "Mescheder's toy": f"-m experiment=mescheder_toy {SMOKE}",
    "CoopNets": f"-m experiment=coopnets_table1 {SMOKE}",
    "CoopNets' schedules in a GAN": f"-m experiment=coopnets_transfer {SMOKE}",
    "composite functional gradients": "-m experiment=cfg_vs_wgangp/smoke_digits_cfg,cfg_vs_wgangp/smoke_digits_wgan_gp",
    "denoising autoencoder": f"-m experiment=forsyth_autoencoder {SMOKE}",
    "quadratic": f"-m experiment=forsyth_quadratic {SMOKE}",
    "resumed": f"-m {RING} steps=3000 trainer.eval_every=1500 trainer.checkpoint_every=50 seed=0,1",
}
INTERRUPTED = ("resumed",)


def main() -> int:
    """Train the sweeps, and write or compare their numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", type=Path, metavar="FILE")
    what.add_argument("--against", type=Path, metavar="FILE")
    parser.add_argument("--only", default="", help="sweeps whose names contain this")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    names = [name for name in SWEEPS if options.only in name]
    with ThreadPoolExecutor(options.jobs) as pool:
        futures = {name: pool.submit(numbers_of, name) for name in names}
    results = {name: future.result() for name, future in futures.items() if future.exception() is None}
    errors = [str(error) for future in futures.values() if (error := future.exception())]
    print("\n".join(errors), end="", file=sys.stderr)
    if options.write:
        options.write.parent.mkdir(parents=True, exist_ok=True)
        options.write.write_text(json.dumps(results, indent=1) + "\n")
        print(f"{sum(map(len, results.values()))} cells of {len(results)} sweeps written to {options.write}")
        return int(bool(errors))
    before = json.loads(options.against.read_text())
    changes = [line for name in results for line in differences(name, before.get(name, {}), results[name])]
    print(
        "\n".join(changes) or f"{sum(map(len, results.values()))} cells of {len(results)} sweeps are equal bit for bit"
    )
    return int(bool(changes or errors))


def numbers_of(name: str) -> dict[str, Any]:
    """Train one sweep in a new directory and return the compared values by cell."""
    with tempfile.TemporaryDirectory() as folder:
        # What `pack=auto` measures depends on the load, and a checkpoint holds the random streams of its whole pack.
        line = [sys.executable, "-m", "gansweep", "pack=3", *SWEEPS[name].split(), "name=s", "device=cpu"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        if name in INTERRUPTED:
            _interrupt(line, Path(folder), environment)
        ended = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            raise RuntimeError(f"{name}: exit code {ended.returncode}\n{ended.stdout[-2000:]}{ended.stderr[-2000:]}")
        return {record.parent.name: _numbers(record) for record in sorted(Path(folder).glob("outputs/*/*/record.json"))}


def _interrupt(line: list[str], folder: Path, environment: dict[str, str]) -> None:
    """Start a sweep and interrupt it after its first checkpoint."""
    process = subprocess.Popen(line, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while process.poll() is None and not list(folder.glob("outputs/*/*/checkpoint.pt")) and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.wait()
    if list(folder.glob("outputs/*/*/record.json")):
        raise RuntimeError("the sweep ended before it was interrupted; make it longer")


def _numbers(path: Path) -> dict[str, Any]:
    record = json.loads(path.read_text())
    metric = record["metric"] or {}
    saved = path.with_name("checkpoint.pt")  # a run that diverges early has none
    checkpoint = torch.load(saved, weights_only=True, map_location="cpu") if saved.exists() else None
    tensors = sorted(hashlib.sha256(_bytes(tensor)).hexdigest() for tensor in _tensors(checkpoint))
    return {
        "hash": record["cell"]["hash"],
        "state": record["state"],
        "steps": record["steps"],
        "evaluations": metric.get("evaluations"),
        "summary": {key: metric.get(key) for key in ("final", "best", "best_step", "best_apart", "untrained", "floor")},
        "tensors": hashlib.sha256("".join(tensors).encode()).hexdigest(),
    }


def _tensors(node: Any) -> Iterator[torch.Tensor]:
    """Yield all tensors of a checkpoint; names and nesting may change, their content may not."""
    if isinstance(node, torch.Tensor):
        yield node
    elif isinstance(node, dict):
        for inner in node.values():
            yield from _tensors(inner)
    elif isinstance(node, (list, tuple)):
        for inner in node:
            yield from _tensors(inner)


def _bytes(tensor: torch.Tensor) -> bytes:
    return (
        str((tensor.dtype, tuple(tensor.shape))).encode()
        + tensor.contiguous().view(-1).view(torch.uint8).numpy().tobytes()
    )


def differences(name: str, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return one line for each cell that changed."""
    lines = [f"{name}: {cell} is only in one of the two" for cell in sorted(before.keys() ^ after.keys())]
    for cell in sorted(before.keys() & after.keys()):
        changed = [key for key in after[cell] if before[cell].get(key) != after[cell][key]]
        if changed:
            lines.append(f"{name}: {cell}: {', '.join(changed)} changed")
    return lines


if __name__ == "__main__":
    sys.exit(main())
