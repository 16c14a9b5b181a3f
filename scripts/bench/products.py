"""Matrix products in float32 of one member: MKL, which torch.mm uses on a CPU, compared with oneDNN.

    python scripts/bench/products.py --write
    MKL_ENABLE_INSTRUCTIONS=AVX2 python scripts/bench/products.py    # MKL's kernels of processors without AVX-512

For a layer with weights W (out, in): y = x W^T + b, dx = g W, dW = g^T x, for the layers of the cases epfl and digits.
One thread; CPU time of the process, the fastest of the alternating rounds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import pairwise

import torch
from textbook import CASES

from gansweep.models.mlp import MLP
from report import report

OPERATIONS = 2e7  # products are repeated up to this number of multiplications, for the resolution of the clock


def layers(name: str) -> list[tuple[int, int, int]]:
    """Return rows, inputs and outputs of all layers of a case; the discriminator gets real and generated samples."""
    case = CASES[name]
    assert isinstance(case.model, MLP)
    size = torch.Size(case.shape).numel()
    g = [case.model.latent_dim, *case.model.generator_widths, size]
    d = [size, *case.model.discriminator_widths]
    return [(case.batch, *pair) for pair in pairwise(g)] + [(2 * case.batch, *pair) for pair in pairwise(d)]


def products(rows: int, inputs: int, outputs: int) -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
    """Return the three products of a layer, each by MKL and by oneDNN."""
    x, g = torch.randn(rows, inputs), torch.randn(rows, outputs)
    weight, bias = torch.randn(outputs, inputs), torch.randn(outputs)

    def linear(a: torch.Tensor, b: torch.Tensor, c: torch.Tensor | None = None) -> torch.Tensor:
        """Return a b^T + c by oneDNN."""
        return torch.ops.mkldnn._linear_pointwise(a, b, c, "none", [], "")

    return {
        "y": (lambda: torch.nn.functional.linear(x, weight, bias), lambda: linear(x, weight, bias)),
        "dx": (lambda: torch.mm(g, weight), lambda: linear(g, weight.t())),
        "dW": (lambda: torch.mm(g.t(), x), lambda: linear(g.t(), x.t())),
    }


def seconds(functions: list[Callable[[], object]], repeats: int, rounds: int) -> list[float]:
    """Return the CPU time of one call of each function, the fastest of alternating rounds."""
    best = [float("inf")] * len(functions)
    for _ in range(1 + rounds):
        for n, function in enumerate(functions):
            start = time.process_time()
            for _ in range(repeats):
                function()
            best[n] = min(best[n], (time.process_time() - start) / repeats)
    return best


def main() -> None:
    """Measure, print the table, and write the record with --write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--write", action="store_true", help="also write docs/records/products.md")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    lines = [
        "| networks | layer: rows x in x out | product | MKL, GFLOP/s | oneDNN, GFLOP/s | ratio |",
        "|---" * 6 + "|",
    ]
    for name in ("epfl", "digits"):
        total = [0.0, 0.0]
        for rows, inputs, outputs in layers(name):
            work = rows * inputs * outputs
            for product, functions in products(rows, inputs, outputs).items():
                times = seconds(list(functions), max(1, int(OPERATIONS / work)), arguments.rounds)
                total = [before + now for before, now in zip(total, times, strict=True)]
                mkl, onednn = (2e-9 * work / one for one in times)
                layer = f"{rows} x {inputs} x {outputs}"
                lines.append(f"| {name} | {layer} | {product} | {mkl:.0f} | {onednn:.0f} | {onednn / mkl:.2f} |")
        lines.append(f"| {name} | all | all | | | **{total[0] / total[1]:.2f}** |")
        print(lines[-1], flush=True)
    how = f"One thread, CPU time, the fastest of {arguments.rounds} alternating rounds; ratio: oneDNN over MKL."
    report("products", "Matrix products of one member by MKL and by oneDNN", lines, how, write=arguments.write)


if __name__ == "__main__":
    main()
