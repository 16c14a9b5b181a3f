"""Mescheder et al. 2018: which methods converge on the Dirac-GAN, in the plane, on a toy problem and on images."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from gansweep.dirac.convergence import ROWS, SHRUNK
from gansweep.papers.compare import by_method, method_table, spread
from gansweep.papers.figures import losses_by_method, metric_over_time
from gansweep.papers.runs import Run, RunTable, grouped, tables
from gansweep.section import Block, Code, Paragraph, Picture, Section, Table

# The experiments of conf/experiment/dirac, in the order of table 1, which `gansweep.dirac.convergence` has in print.
DIRAC_METHODS = ("gan", "wgan", "wgan_gp", "dragan", "instance_noise", "consensus", "roth", "r1", "r2")
LAST_SHARE = 0.2  # fraction of the steps over which section 6.1 averages: 10k of 50k
# W1 of samples of the target, and of a generator collapsed to the origin; exact, n = 2048.
FLOORS: Mapping[str, tuple[float, float]] = {
    "gaussian": (0.109, 1.2533),
    "line": (0.016, 0.5),
    "circle": (0.033, 1.0),
    "four_lines": (0.038, 1.0402),
}
# The paper compares methods on images in a figure of Inception scores over time (appendix), without numbers. The only
# number of the UVA slides (Pan and Cheng 2019), mean and deviation, belongs to a checkpoint for LSUN bedrooms.
SLIDES_INCEPTION_SCORE = 2.4715, 0.0223


def _method_tables(runs: Sequence[Run]) -> Iterator[RunTable]:
    """Yield one table per data set, metric and length; the rows are methods."""
    return tables(
        runs,
        lambda run: (run.choice("data"), run.metric_name, run.steps),
        lambda run: run.choice("experiment"),
        varied=("config.loss", "config.critic_steps"),
    )


def dirac_sections(runs: Sequence[Run]) -> list[Section]:
    """Return the comparison with table 1 for every length."""
    run_tables = tables(
        runs,
        lambda run: (run.choice("data"), run.metric_name, run.steps),
        lambda run: (run.choice("experiment"), run.lr),
        varied=[f"config.{setting}" for setting in ("loss", "dynamics", "batch_size", "lr")],
    )
    title = "Which methods converge on the Dirac-GAN, {} steps{}"
    return [Section(title.format(table.key[-1], table.note), dirac_blocks(table.runs)) for table in run_tables]


def converged(run: Run) -> bool:
    """Return whether |theta| fell below `SHRUNK` times its start, the criterion of `gansweep.dirac.convergence`."""
    return run.final is not None and run.final < SHRUNK * run.metric["untrained"]


def dirac_blocks(runs: Sequence[Run]) -> list[Block]:
    """Return the printed convergence beside that of the trained games."""
    groups = by_method(runs)
    rows = []
    for method, (field, _) in zip(DIRAC_METHODS, ROWS, strict=True):
        if method not in groups or field.converges is None:
            continue
        group = sorted(groups[method], key=lambda run: run.lr)
        both = field.converges.general, all(map(converged, group))
        ends = [f"{run.lr:g}: {'N/A' if run.final is None else format(run.final, '.2g')}" for run in group]
        printed, trained, agrees = ("yes" if true else "no" for true in (*both, both[0] == both[1]))
        rows.append([field.label, printed, trained, ", ".join(ends), agrees])
    head = ["method", "converges, printed", "trained", "distance from 0, by rate", "agrees"]
    description = (
        "Printed: table 1, column of general distributions, which include this toy problem. "
        f"Trained: |theta| falls below {SHRUNK:g} times its start at every rate. Instance noise is resampled at every "
        "step, so theta fluctuates around 0; it converges in expectation. "
        "Eigenvalues, other algorithms and the column of absolutely continuous distributions: "
    )
    command = Code("python -m gansweep.dirac convergence")
    return [Table(head, rows), Paragraph([description, command, "."])]


def plane_sections(runs: Sequence[Run]) -> list[Section]:
    """Return the comparison with section 6.1, four methods on four distributions, for every length."""
    run_tables = tables(
        runs,
        lambda run: (run.steps,),
        lambda run: (run.choice("data"), *_setting(run)),
        varied=("data", "metric", *(f"config.{setting}" for setting in ("data", "loss", "critic_steps", "lr"))),
    )
    return [
        Section(f"Mescheder's methods in the plane, {table.key[0]} steps{table.note}", _plane(table.runs))
        for table in run_tables
    ]


def _setting(run: Run) -> tuple[str, float, object, str]:
    """Return the method with its settings, of which the paper takes the best."""
    return run.choice("loss"), run.lr, run.config["critic_steps"], str(run.config["loss"])


def late(run: Run) -> float | None:
    """Return the mean W1 over the last fifth of the steps; None for a diverged run."""
    values = [value for step, value in run.values().items() if step >= (1 - LAST_SHARE) * run.steps]
    return statistics.fmean(values) if values and run.final is not None else None


def best_settings(runs: Sequence[Run]) -> dict[tuple[str, str], list[float]]:
    """Return the values per seed at the best setting, for every method and distribution; inf for a diverged run."""
    best = {}
    for key, group in grouped(runs, lambda run: (run.choice("loss"), run.choice("data"))).items():
        values = [
            [float("inf") if (value := late(run)) is None else value for run in own]
            for own in grouped(group, _setting).values()
        ]
        best[key] = min(values, key=statistics.fmean)
    return best


def _plane(runs: Sequence[Run]) -> list[Block]:
    best = best_settings(runs)
    methods, targets = (list(dict.fromkeys(key[n] for key in best)) for n in (0, 1))
    rows = [
        [name, *(f"{FLOORS[target][n]:g}" if target in FLOORS else "" for target in targets)]
        for n, name in enumerate(("samples of the target", "collapsed to the origin"))
    ]
    for method in methods:
        finite = ([v for v in best.get((method, target), []) if v < float("inf")] for target in targets)
        rows.append([method, *map(spread, finite)])
    finding = (
        "Averaged over the last fifth of the steps. The paper finds: R1 and R2 are alike, and slightly better than no "
        f"regularisation and WGAN-GP. {plane_agreement(best)}"
    )
    return [Table(["W1 of the best setting", *targets], rows), Paragraph(finding)]


def plane_agreement(best: Mapping[tuple[str, str], list[float]]) -> str:
    """Return on how many distributions R1 and R2 are both better than each other method."""
    means = {key: statistics.fmean(values) for key, values in best.items()}
    parts = []
    for other in ("standard", "wgan_gp"):
        targets = [t for method, t in best if method == other and ("r1", t) in best and ("r2", t) in best]
        if targets:
            better = sum(max(means["r1", t], means["r2", t]) < means[other, t] for t in targets)
            parts.append(f"both are better than {other} on {better} of {len(targets)}")
    return f"Here {', and '.join(parts)}." if parts else ""


def toy_sections(runs: Sequence[Run]) -> list[Section]:
    """Return the eight Gaussians of the UVA slides for every metric and length."""
    printed = [
        "Printed: the UVA slides (Pan and Cheng 2019) show samples and loss curves of weight 0, here ",
        Code("none"),
        ", but no number. The regulariser of their code, a generator penalty on the gradient of "
        "the game by the discriminator weights, is not one of Mescheder's and is not implemented here.",
    ]
    written = []
    for table in _method_tables(runs):
        _, metric, steps = table.key
        blocks = [
            method_table(table.runs),
            Paragraph(printed),
            Picture("losses of the first seed", partial(losses_by_method, table.runs)),
            Picture(f"{metric} over time and over steps", partial(metric_over_time, table.runs)),
        ]
        written.append(Section(f"Eight Gaussians, {steps} steps{table.note}", blocks))
    return written


def image_sections(runs: Sequence[Run]) -> list[Section]:
    """Return the methods on images for every data set, metric and length."""
    score, deviation = SLIDES_INCEPTION_SCORE
    printed = (
        "Seconds are those of the whole pack if several cells were trained together. Printed: "
        "Mescheder, Geiger and Nowozin 2018, arXiv:1801.04406, show Inception scores on CIFAR-10 over time, as "
        f"curves without numbers; the {score} ± {deviation} of the UVA slides belongs to a downloaded checkpoint for "
        "LSUN bedrooms, not to this experiment."
    )
    written = []
    for table in _method_tables(runs):
        data, metric, steps = table.key
        picture = Picture(f"{metric} over time and over steps", partial(metric_over_time, table.runs))
        title = f"Mescheder's methods on {data}, {steps} steps{table.note}"
        written.append(Section(title, [method_table(table.runs), Paragraph(printed), picture]))
    return written
