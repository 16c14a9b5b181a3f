"""Largest stable learning rates of a command line: python -m gansweep.edge optimizer=adam lr=1e-4,1e-3."""

from __future__ import annotations

import json
import math
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from gansweep.cli.compose import Composition
from gansweep.cli.error_report import complain
from gansweep.cli.hydra_app import composed, overrides_parser
from gansweep.config.errors import BadConfig, SettingError
from gansweep.console import command_name, say
from gansweep.formatting import markdown

if TYPE_CHECKING:
    from gansweep.edge.boundary import Boundary, Linearization
    from gansweep.interfaces import Schedule
    from gansweep.training.run import Run

RATES = ("lr", "lr_d")
OWN = ("lr", "lr_d", "seed", "name")  # settings that do not change the linearization
MOST_STEPS = 100_000  # at which a schedule is evaluated
AFTER = 50  # training steps before the second linearization


class Cell(NamedTuple):
    """One combination of the command line: its overrides and its run."""

    words: str
    run: Run


def main(arguments: Sequence[str]) -> int:
    """Print the largest stable rates of each combination and the state of each cell, and return the exit code."""
    options = _parser().parse_args(list(arguments))
    try:
        if options.after < 0:
            raise SettingError("--after", options.after, "expected a number of steps, at least 0")
        groups = groups_of(options.overrides, options.config_dir)
    except BadConfig as error:
        return complain(error.problems, "computed")
    for words, cells in groups.items():
        say("\n".join([words or "the defaults", "", *_lines(cells, options.after), ""]))
    return 0


def _parser() -> ArgumentParser:
    parser = overrides_parser(
        command_name("edge"),
        description="Compute the largest learning rates at which a training step is stable, from the eigenvalues of "
        "its linearization: of each player alone and of both together, at the initial parameters and after a short "
        "training. All settings of `python -m gansweep` are accepted. No cell is trained, and no file is written.",
        epilog="Example: %(prog)s data=ring model=mlp_ring metric=wasserstein1 optimizer=sgd,adam "
        "lr=1e-4,1e-3,1e-2. The method and its limits: docs/edge.md",
    )
    parser.add_argument(
        "--after",
        type=int,
        default=AFTER,
        metavar="STEPS",
        help=f"training steps, at the smallest learning rate of the line, before the second linearization; 0 for none "
        f"(default: {AFTER})",
    )
    return parser


def groups_of(overrides: Sequence[str], config_dir: str | None = None) -> dict[str, list[Cell]]:
    """Return the cells of a command line, grouped by all settings but the learning rates and the seed.

    Raises:
        BadConfig: with all problems.
    """
    from gansweep.algorithms.adversarial import Adversarial
    from gansweep.config.build import check

    groups: dict[str, tuple[str, list[Cell]]] = {}
    problems: list[SettingError] = []
    for composition in composed(overrides, config_dir):
        problems += composition.problems
        if not composition.config:
            continue
        checked = check(composition.config, composition.given)
        problems += checked.problems
        if checked.run is None:
            continue
        if not isinstance(checked.run.algorithm, Adversarial):
            problems.append(SettingError("algorithm", None, "trains no game of two players; expected adversarial"))
            continue
        key = json.dumps({k: v for k, v in composition.config.items() if k not in OWN}, sort_keys=True, default=str)
        _, cells = groups.setdefault(key, (_words(composition, shared=True), []))
        cells.append(Cell(_words(composition, shared=False), checked.run))
    if problems:
        raise BadConfig(problems)
    return dict(groups.values())


def _words(composition: Composition, *, shared: bool) -> str:
    """Return the overrides that a group shares, or those that its cells differ in."""
    return " ".join(word for word in composition.overrides if (word.partition("=")[0] not in OWN) == shared)


def _lines(cells: Sequence[Cell], after: int) -> Iterator[str]:
    """Yield the lines of one group."""
    from gansweep.edge.boundary import tolerance
    from gansweep.edge.linear_rule import NotLinear

    run = min(cells, key=lambda cell: cell.run.member.generator.lr).run
    ratio = run.member.discriminator.lr / run.member.generator.lr
    allowed = tolerance(run.steps)
    found: dict[int, Linearization] = {}
    rows, missing = [], ""
    try:
        for steps, linear in linearizations(run, after):
            boundaries = {
                "discriminator alone": linear.boundary("discriminator", tolerance=allowed),
                "generator alone": linear.boundary("generator", tolerance=allowed),
                f"both, lr_d = {ratio:g} lr": linear.boundary("both", ratio, tolerance=allowed),
            }
            rows += [[str(steps), players, *_described(boundary)] for players, boundary in boundaries.items()]
            found[steps] = linear
    except NotLinear as error:
        after_steps = f" after {after} steps at lr = {run.member.generator.lr:g}" if found else ""
        missing = f"No boundary{after_steps}: {error}."
    if not found:
        yield missing
        return
    yield markdown(["after steps", "players", "largest stable lr", "eigenvalue z beyond it", "growth per step"], rows)
    yield ""
    if missing:
        yield f"{missing}\n"
    rows = [_row(cell, found, allowed) for cell in cells]
    yield markdown(
        ["cell", "largest lr", "largest lr_d", *(f"growth after {steps} steps" for steps in found), "warning"], rows
    )
    yield ""
    yield (
        "z is the eigenvalue of the linearized step that exceeds gradient flow most; a small perturbation along its "
        "eigenvector is multiplied by |z| in each step. Growth is |z| - 1."
    )


def linearizations(run: Run, after: int) -> Iterator[tuple[int, Linearization]]:
    """Yield the linearization at the initial parameters and after `after` training steps, with these numbers.

    Raises:
        NotLinear: an optimizer or the dynamics have no linear part.
    """
    import torch

    from gansweep.data.on_device import samples_on
    from gansweep.edge.boundary import at_rates, linearized, pack_of

    samples = samples_on(torch.device("cpu"), run.data)
    rates = run.member.generator.lr, run.member.discriminator.lr
    pack = pack_of(run, [at_rates(run.member, *rates, steps=after + 1)], samples)
    yield 0, linearized(pack)
    if after:
        for n, _ in enumerate(pack.steps(), start=1):
            if n == after:
                break
        yield after, linearized(pack)


def _described(boundary: Boundary) -> tuple[str, str, str]:
    growth = boundary.growth
    if growth is None:
        return "any", "", ""
    if math.isnan(growth.rate):
        return f"{boundary.lr:.2g}", "not finite", ""
    z = growth.eigenvalue
    text = f"{z.real:.3g}" + (f" ± {abs(z.imag):.3g}i" if z.imag else "")
    return f"{boundary.lr:.2g}" if boundary.lr else "none", text, f"{math.expm1(growth.rate):.2g}"


def _row(cell: Cell, found: Mapping[int, Linearization], allowed: float) -> list[str]:
    """Return the row of a cell at its largest scheduled rates."""
    g, d = (
        player.lr * largest_multiplier(player.schedule, cell.run.steps)
        for player in (cell.run.member.generator, cell.run.member.discriminator)
    )
    growths = [linear.growth([(g, d)])[0] for linear in found.values()]
    beyond = any(not growth.excess <= allowed for growth in growths)
    texts = [f"{math.expm1(growth.rate):.2g}" for growth in growths]
    return [cell.words or "the defaults", f"{g:.3g}", f"{d:.3g}", *texts, "beyond the boundary" if beyond else ""]


def largest_multiplier(schedule: Schedule, steps: int) -> float:
    """Return the largest multiplier of a schedule; in a run of more than `MOST_STEPS` steps, at equally spaced ones."""
    every = -(-steps // MOST_STEPS)
    if every == 1:
        return float(max(schedule.values(steps)))
    return max(schedule(step, steps) for step in (*range(0, steps, every), steps - 1))
