"""Largest stable learning rates of a command line: python -m gansweep.edge optimizer=adam lr=1e-4,1e-3."""

from __future__ import annotations

import json
import math
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gansweep.cli.compose import Composition
from gansweep.cli.error_report import complain
from gansweep.cli.hydra_app import composed, overrides_parser
from gansweep.cli.job import run_of
from gansweep.cli.search_points import SAMPLER, TPE
from gansweep.config.errors import BadConfig, SettingError
from gansweep.console import command_name, interruptible, make_folder, say
from gansweep.formatting import counted, markdown
from gansweep.sweep.cell import Cell as SweepCell

if TYPE_CHECKING:
    from gansweep.edge.boundary import Boundary
    from gansweep.edge.picture import Region
    from gansweep.edge.verdicts import Rates, Stability, Verdict
    from gansweep.training.run import Run

OWN = ("lr", "lr_d", "seed", "name")  # settings that do not change the linearization
AFTER = 25  # training steps before the second linearization, as in docs/records/edge.md
SUFFIXES = (".png", ".svg", ".pdf")
ADAPTIVE = (
    "chooses points by the results of trainings; expected sobol or random, or plan=edge with `python -m gansweep -m`, "
    "which shows the first points"
)


class Cell(NamedTuple):
    """One combination of the command line: its overrides and its run."""

    words: str
    run: Run


@interruptible
def main(arguments: Sequence[str]) -> int:
    """Print the largest stable rates of each combination and the state of each cell, and return the exit code."""
    options = _parser().parse_intermixed_args(list(arguments))
    try:
        if options.after < 0:
            raise SettingError("--after", options.after, "expected a number of steps, at least 0")
        if options.out is not None and options.out.suffix.lower() not in SUFFIXES:
            raise SettingError("--out", options.out, f"expected a file name that ends in {', '.join(SUFFIXES)}")
        groups = groups_of(options.overrides, options.config_dir)
        if options.out is not None:
            _make_folder(options.out.parent)
    except BadConfig as error:
        return complain(error.problems, "computed")
    regions: list[Region] = []
    for words, cells in groups.items():
        say("\n".join([words or "the defaults", "", *_lines(words, cells, options.after, regions), ""]))
    if options.out is not None and regions:
        from gansweep.edge.picture import picture

        picture(regions, options.out)
        say(f"Figure: {options.out}")
    return 0


def _make_folder(folder: Path) -> None:
    try:
        make_folder("--out", folder)
    except ValueError as error:
        raise SettingError("", None, str(error)) from error


def _parser() -> ArgumentParser:
    parser = overrides_parser(
        command_name("edge"),
        description="Compute the largest learning rates at which a training step is stable, from the eigenvalues of "
        "its linearization: of each player alone and of both together, at the initial parameters and after a short "
        "training. All settings of `python -m gansweep` are accepted. No cell is trained to its end, and no results "
        "are written.",
        epilog="Example: %(prog)s data=ring model=mlp_ring metric=wasserstein1 optimizer=sgd,adam "
        "lr=1e-4,1e-3,1e-2. The method and its limits: docs/edge.md",
    )
    parser.add_argument(
        "--after",
        type=int,
        default=AFTER,
        metavar="STEPS",
        help=f"training steps of each cell, at its largest rates, before the second linearization; 0 for none "
        f"(default: {AFTER})",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="figure of the stable region in the plane of lr and lr_d, with the cells as points: "
        f"a file name that ends in {', '.join(SUFFIXES)}",
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
    compositions = composed(overrides, config_dir)
    if any(composition.config.get(SAMPLER) == TPE and composition.config.get("num") for composition in compositions):
        problems.append(SettingError(SAMPLER, TPE, ADAPTIVE))
    for composition in compositions:
        problems += composition.problems
        if not composition.config:
            continue
        checked = check(composition.config, composition.given)
        problems += checked.problems
        if checked.run is None:
            continue
        if not isinstance(checked.run.algorithm, Adversarial):
            expected = "does not train a game of two players; expected adversarial"
            problems.append(SettingError("algorithm", composition.choices.get("algorithm"), expected))
            continue
        _, cells = groups.setdefault(kind(composition.config), (_words(composition, shared=True), []))
        cells.append(Cell(_words(composition, shared=False), checked.run))
    if problems:
        raise BadConfig(problems)
    return dict(groups.values())


def kind(config: Mapping[str, Any]) -> str:
    """Return a text key of the settings that runs with the same linearizations share."""
    return json.dumps({k: v for k, v in config.items() if k not in OWN}, sort_keys=True, default=str)


def warnings_of(cells: Sequence[SweepCell]) -> tuple[dict[str, str], list[str]]:
    """Return why cells of a sweep are expected to diverge, by hash, and notes on what was computed."""
    from gansweep.algorithms.adversarial import Adversarial
    from gansweep.edge.linear_rule import NotLinear
    from gansweep.edge.verdicts import BEYOND, largest_rates, stability

    groups: dict[str, list[SweepCell]] = {}
    for cell in cells:
        groups.setdefault(kind(cell.config), []).append(cell)
    warnings, without, started = {}, [], time.process_time()
    for group in groups.values():
        runs = [run_of(cell) for cell in group]
        if not isinstance(runs[0].algorithm, Adversarial):
            without.append(f"{group[0].name}: its algorithm does not train a game of two players")
            continue
        rates = [largest_rates(run) for run in runs]
        stable = stability(runs[rates.index(min(rates))], rates, AFTER)
        if isinstance(stable.start, NotLinear):
            without.append(f"{group[0].name}: {stable.start}")
        found = {cell.hash: stable.verdict(pair).warning for cell, pair in zip(group, rates, strict=True)}
        warnings |= {name: warning for name, warning in found.items() if warning not in ("", BEYOND)}
    cost = f"Stability of {counted(len(cells), 'cell')}: {time.process_time() - started:.1f} s of CPU time."
    return warnings, [cost, *(f"No boundary for {text}." for text in without)]


def _words(composition: Composition, *, shared: bool) -> str:
    """Return the overrides that a group shares, or those that its cells differ in."""
    return " ".join(word for word in composition.overrides if (word.partition("=")[0] not in OWN) == shared)


def _lines(words: str, cells: Sequence[Cell], after: int, regions: list[Region]) -> Iterator[str]:
    """Yield the lines of one group, and append its panel of the figure."""
    from gansweep.edge.linear_rule import NotLinear
    from gansweep.edge.picture import Region
    from gansweep.edge.verdicts import largest_rates, stability

    rates = [largest_rates(cell.run) for cell in cells]
    smallest, started = min(rates), time.process_time()
    stable = stability(cells[rates.index(smallest)].run, rates, after)
    after = stable.after
    if isinstance(stable.start, NotLinear):
        yield f"No boundary: {stable.start}."
    else:
        yield _boundaries(stable, smallest[1] / smallest[0])
        if after and isinstance(later := stable.later[smallest].linear, NotLinear):
            yield f"\nNo boundary after {counted(after, 'step')} at lr = {smallest[0]:g}: {later}."
    yield ""
    verdicts = [stable.verdict(pair) for pair in rates]
    yield _cells(cells, rates, verdicts, after)
    yield ""
    if any(verdict.growths for verdict in verdicts):
        yield (
            "z is the eigenvalue of the linearized step that exceeds gradient flow most; a small perturbation along "
            "its eigenvector is multiplied by |z| in each step. Growth is |z| - 1."
        )
    if after:
        yield "Moved is the distance of the parameters from the initial ones, relative to the norm of these."
    gradients, products = stable.cost
    yield (
        f"Computed on the CPU, for every device, in {time.process_time() - started:.1f} s of CPU time: {gradients} "
        f"gradients of both players, {products} products with the Jacobian of their game and "
        f"{counted(after * len(stable.later), 'training step')}."
    )
    regions.append(Region(words, stable, list(zip(rates, verdicts, strict=True))))


def _boundaries(stable: Stability, ratio: float) -> str:
    """Return the table of the largest stable rates, initially and after training at the smallest rates."""
    from gansweep.edge.boundary import Linearization

    linears = {0: stable.start} | ({stable.after: stable.later[min(stable.later)].linear} if stable.later else {})
    rows = []
    for steps, linear in linears.items():
        if not isinstance(linear, Linearization):
            continue
        boundaries = {
            "discriminator alone": linear.boundary("discriminator", tolerance=stable.tolerance),
            "generator alone": linear.boundary("generator", tolerance=stable.tolerance),
            f"both, lr_d = {ratio:g} lr": linear.boundary("both", ratio, tolerance=stable.tolerance),
        }
        rows += [[str(steps), players, *_described(boundary)] for players, boundary in boundaries.items()]
    return markdown(["after steps", "players", "largest stable lr", "eigenvalue z beyond it", "growth per step"], rows)


def _described(boundary: Boundary) -> tuple[str, str, str]:
    growth = boundary.growth
    if growth is None:
        return "any", "", ""
    if math.isnan(growth.rate):
        return f"{boundary.lr:.2g}", "not finite", ""
    z = growth.eigenvalue
    text = f"{z.real:.3g}" + (f" ± {abs(z.imag):.3g}i" if z.imag else "")
    return f"{boundary.lr:.2g}" if boundary.lr else "none", text, f"{math.expm1(growth.rate):.2g}"


def _cells(cells: Sequence[Cell], rates: Sequence[Rates], verdicts: Sequence[Verdict], after: int) -> str:
    """Return the table of the cells."""
    at = [steps for steps in ((0, after) if after else (0,)) if any(steps in verdict.growths for verdict in verdicts)]
    moved = (
        [f"{player} moved in {counted(after, 'step')}" for player in ("generator", "discriminator")] if after else []
    )
    rows = []
    for cell, (g, d), verdict in zip(cells, rates, verdicts, strict=True):
        growths = (math.expm1(verdict.growths[steps].rate) if steps in verdict.growths else None for steps in at)
        texts = ["" if value is None else f"{value:.2g}" if math.isfinite(value) else "not finite" for value in growths]
        texts += [_distance(value) for value in verdict.moved or ()]
        rows.append([cell.words or "the defaults", f"{g:.3g}", f"{d:.3g}", *texts, verdict.warning])
    columns = [f"growth after {counted(steps, 'step')}" for steps in at]
    return markdown(["cell", "largest lr", "largest lr_d", *columns, *moved, "warning"], rows)


def _distance(value: float) -> str:
    """Return a distance moved as text, empty if the initial parameters are all 0."""
    return "not finite" if math.isinf(value) else "" if math.isnan(value) else f"{value:.2g}"
