"""CoopNets: twelve schedules of the generator's learning rate (Gamma2), and the same schedules in GANs.

Hill and Nijkamp 2017; `SOURCE` below.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple

from gansweep.config.instantiate import Constructor
from gansweep.papers.compare import rank_correlation, ranks, shown
from gansweep.papers.figures import last_picture, show_picture
from gansweep.papers.runs import Run, grouped, tables
from gansweep.plot_style import BLUE, VERMILION, panels, styled
from gansweep.section import Block, List, Paragraph, Picture, Section, Table

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

Values = Mapping[int, float | None]  # by experiment number


class Printed(NamedTuple):
    """A row of the study's table.

    Args:
        schedule: description; each of five values is held for 100 epochs.
        sum: sum of the rates over the epochs.
        loss: reconstruction error; None if unknown.
    """

    schedule: str
    sum: float
    loss: float | None


SOURCE = (
    "Hill and Nijkamp, Learning-Rate Decay for Generator, 1 September 2017: report/gamma2_decay_512.tex of "
    "github.com/enijkamp/adelm at 05c2e13, runs of training/coop_net_code_gpu at 12e950d"
)
# The loss is the mean absolute error of one mini-batch, in units of [-1, 1], after 500 epochs of 10 steps (experiment
# 1: 400), one seed.
PRINTED: Mapping[int, Printed] = {
    1: Printed("3.5e-4:100, 3.5e-5:200, 3.5e-6:100", 0.04235, None),
    2: Printed("B x 10", 0.665, 0.050311),
    3: Printed("B x 2", 0.133, 0.066391),
    4: Printed("B = 5e-4, 1e-4, 5e-5, 1e-5, 5e-6", 0.0665, 0.073952),
    5: Printed("B x 0.5", 0.03325, 0.085113),
    6: Printed("B x 0.1", 0.00665, 0.11982),
    7: Printed("3e-4, 1e-4, 5e-5, 5e-5, 1e-5, all x 10", 0.51, 0.044032),
    8: Printed("B x 20", 1.33, 0.053683),
    9: Printed("0.0005 logspace(-2, -3) 100", 0.097796, 0.059591),
    10: Printed("0.001 logspace(-2, -3) 100", 0.195592, 0.052407),
    11: Printed("0.001 logspace(-2, -4) 100", 0.107779, 0.064684),
    12: Printed("0.0005 linspace(1, 0.01)", 0.12625, 0.054532),
}
PRINTED_LOSSES: Values = {exp: row.loss for exp, row in PRINTED.items()}
PRINTED_SUMS: Values = {exp: row.sum for exp, row in PRINTED.items()}
WIDTH, LANGEVIN_STEPS = 100, 40  # of the study
IN_A_ROW = 4


@dataclass(frozen=True)
class Study:
    """The runs of one scale by experiment number, sorted by seed."""

    title: str
    runs: Mapping[int, Sequence[Run]]

    @cached_property
    def losses(self) -> Values:
        """Final reconstruction error, mean over seeds."""
        return {exp: complete_mean(map(loss, runs)) for exp, runs in self.runs.items()}

    @cached_property
    def metric(self) -> Values:
        """Final metric of the samples, mean over seeds."""
        return {exp: complete_mean(run.final for run in runs) for exp, runs in self.runs.items()}

    @cached_property
    def sums(self) -> Values:
        """Sum of the generator's learning rates over the steps."""
        return {exp: math.fsum(rates(runs[0])) for exp, runs in self.runs.items()}


def experiment_number(run: Run, group: str) -> int | None:
    """Return 7 for the choice exp_7 in a config group; None for other choices."""
    prefix, _, number = run.choice(group).partition("_")
    return int(number) if prefix == "exp" and number.isdigit() else None


def loss(run: Run) -> float | None:
    """Return the reconstruction error after the last step; None if the run did not finish."""
    points = run.record.get("curves") or []
    if run.record["state"] != "completed" or not points or points[-1]["step"] != run.steps:
        return None
    return points[-1].get("reconstruction_error")


def rates(run: Run) -> np.ndarray:
    """Return the generator's learning rate (steps,) of a run, from its configuration."""
    schedule = Constructor()(dict(run.config["schedule"]), "schedule")
    return run.lr * schedule.values(run.steps)


def complete_mean(values: Iterable[float | None]) -> float | None:
    """Return the mean over seeds; None if a seed has no value."""
    listed = list(values)
    known = [value for value in listed if value is not None]
    return math.fsum(known) / len(known) if known and len(known) == len(listed) else None


def table_sections(runs: Sequence[Run]) -> list[Section]:
    """Return the sections of table 1 for every scale."""
    numbered = [run for run in runs if experiment_number(run, "experiment") in PRINTED]
    settings = (
        "schedule",
        "schedule_d",
        "steps",
        "epochs",
    )  # experiment 1 has a length and descriptor rates of its own
    run_tables = tables(
        numbered,
        lambda run: (run.choice("scale", "full"),),
        lambda run: experiment_number(run, "experiment"),
        varied=[f"config.{setting}" for setting in settings],
    )
    written = []
    for table in run_tables:
        ordered = sorted(table.runs, key=lambda run: (experiment_number(run, "experiment") or 0, run.seed))
        by_number = grouped(ordered, lambda run: experiment_number(run, "experiment") or 0)
        study = Study(f"scale={table.key[0]}{table.note}", by_number)
        first = {exp: runs[0] for exp, runs in study.runs.items()}
        pictures = [
            Paragraph("The study's figures from this sweep, the first seed of each."),
            Picture("Rate of the generator (Gamma2) and reconstruction error", partial(curves, first)),
            Picture("Samples of the descriptor (left) and of the generator", partial(images, first)),
        ]
        title = f"Twelve schedules of CoopNets' generator: {study.title}"
        written += [
            Section(title, [*_description(study), _table(study), *_agreement(study)]),
            Section(f"Pictures: {study.title}", pictures),
        ]
    return written


def _description(study: Study) -> list[Block]:
    """Return a description of the comparison and of the differences from the study."""
    runs = [run for group in study.runs.values() for run in group]
    steps, seeds = sorted({run.steps for run in runs}), sorted({run.seed for run in runs})
    metric, config = runs[0].metric.get("name", "no metric"), runs[0].config
    width, langevin_steps = config["model"].get("width"), config["algorithm"].get("langevin_steps")
    given = config["data"].get("path")
    differences = [
        "the image is not that of the study" if given else "the image: scikit-learn's flower, not a texture",
        "the last batch of an epoch is completed from the next epoch; in the study it had 12 patches",
        *([f"inner channels: width={width} instead of {WIDTH}"] if width != WIDTH else []),
        *(
            [f"Langevin steps: {langevin_steps} instead of {LANGEVIN_STEPS}"]
            if langevin_steps != LANGEVIN_STEPS
            else []
        ),
    ]
    if steps not in ([4000, 5000], [5000], [4000]):
        differences.append("the length: schedules are stretched, so that every rate is held for fewer steps")
    compared = (
        f"Reconstruction error of the last mini-batch after {' or '.join(map(str, steps))} steps, and {metric} of the "
        f"generator's samples, which the loss does not measure; seed {', '.join(map(str, seeds))}. Printed: {SOURCE}."
    )
    return [Paragraph(compared), Paragraph("What differs from the study:"), List(differences)]


def _ranked(values: Values, missing: str = "N/A") -> dict[int, list[str]]:
    """Return value and rank as text, by experiment number."""
    order = ranks(values)
    return {exp: [shown(values.get(exp), missing), str(order.get(exp, ""))] for exp in PRINTED}


def _table(study: Study) -> Table:
    name = next(iter(study.runs.values()))[0].metric.get("name", "quality")
    head = ["exp", "Gamma2", "sum of rates", "printed loss", "rank", "loss", "rank", name, "rank"]
    columns = [_ranked(PRINTED_LOSSES, "unknown"), _ranked(study.losses), _ranked(study.metric)]
    rows = [
        [str(exp), row.schedule, shown(study.sums[exp]), *(text for column in columns for text in column[exp])]
        for exp, row in PRINTED.items()
        if exp in study.runs
    ]
    return Table(head, rows)


def _agreement(study: Study) -> list[Block]:
    """Return the order by loss and the table of rank correlations."""
    order, printed = (" < ".join(map(str, ranks(losses))) for losses in (study.losses, PRINTED_LOSSES))
    pairs = [
        ("our loss", "the printed loss", study.losses, PRINTED_LOSSES),
        ("our loss", "the sum of our rates", study.losses, study.sums),
        ("the printed loss", "the sum of their rates", PRINTED_LOSSES, PRINTED_SUMS),
        ("the samples' quality", "our loss", study.metric, study.losses),
        ("the samples' quality", "the printed loss", study.metric, PRINTED_LOSSES),
        ("the samples' quality", "the sum of our rates", study.metric, study.sums),
    ]
    return [Paragraph(f"Order by loss: {order or 'no results'}; printed: {printed}."), _correlations(pairs)]


def _correlations(pairs: Iterable[tuple[str, str, Values, Values]]) -> Table:
    """Return a table of rank correlations for pairs (name, name, values, values)."""
    rows = []
    for name, other, first, second in pairs:
        rho, count = rank_correlation(first, second)
        rows.append([name, other, "-" if math.isnan(rho) else f"{rho:.3f}", str(count)])
    return Table(["Spearman's rank correlation of", "with", "is", "over"], rows)


def transfer_sections(runs: Sequence[Run]) -> list[Section]:
    """Return a section for every scale of the same schedules in GANs."""
    run_tables = tables(
        runs,
        lambda run: (run.choice("scale", "full"),),
        lambda run: (run.choice("loss"), run.choice("schedule")),
        varied=("config.loss", "config.schedule", "config.critic_steps"),
    )
    return [
        Section(f"CoopNets' schedules in GANs: scale={table.key[0]}{table.note}", _transfer(table.runs))
        for table in run_tables
    ]


def _transfer(runs: Sequence[Run]) -> list[Block]:
    """Return a table of the values for every loss and the printed CoopNets losses, with rank correlations."""
    by_loss = {
        name: {
            exp: complete_mean(run.final for run in own)
            for exp, own in grouped(group, lambda run: experiment_number(run, "schedule")).items()
            if exp is not None
        }
        for name, group in grouped(runs, lambda run: run.choice("loss")).items()
    }
    sums = {exp: math.fsum(rates(run)) for run in runs if (exp := experiment_number(run, "schedule")) is not None}
    metric, steps = runs[0].metric.get("name", "metric"), sorted({run.steps for run in runs})
    columns = [_ranked(PRINTED_LOSSES, "unknown"), *map(_ranked, by_loss.values())]
    rows = [
        [str(exp), row.schedule, *(text for column in columns for text in column[exp])] for exp, row in PRINTED.items()
    ]
    head = ["exp", "Gamma2", "printed loss (CoopNets)", "rank"]
    head += [text for name in by_loss for text in (f"{name}: {metric}", "rank")]
    others = {"the printed loss of CoopNets": PRINTED_LOSSES, "the sum of the rates": sums}
    pairs = [(f"{metric}, {name}", other, v, o) for name, v in by_loss.items() for other, o in others.items()]
    compared = (
        f"The generator of CoopNets and the discriminator of DCGAN, Adam, after {' or '.join(map(str, steps))} steps; "
        "lower is better in both."
    )
    return [Paragraph(compared), Table(head, rows), _correlations(pairs)]


def curves(runs: Mapping[int, Run]) -> Figure:
    """Draw one panel per experiment: generator learning rate on the left axis, error on the right axis."""
    from matplotlib.ticker import LogLocator, NullFormatter

    with styled():
        figure, axes = panels(len(runs), IN_A_ROW, "", (2.9, 2.0))
        for n, (axis, (exp, run)) in enumerate(zip(axes, runs.items(), strict=True)):
            axis.plot(rates(run), color=BLUE, drawstyle="steps-post")
            axis.set_yscale("log")
            axis.yaxis.set_major_locator(LogLocator(numticks=5))
            axis.yaxis.set_minor_formatter(NullFormatter())
            axis.tick_params(axis="y", labelcolor=BLUE)
            points = run.record.get("curves") or []
            errors = [point.get("reconstruction_error") for point in points]
            right = axis.twinx()
            right.plot([p["step"] for p in points], [math.nan if e is None else e for e in errors], VERMILION)
            right.set_ylim(bottom=0)
            right.tick_params(axis="y", labelcolor=VERMILION)
            if n % IN_A_ROW == 0:
                axis.set_ylabel("rate (Gamma2)", color=BLUE)
            if n % IN_A_ROW == IN_A_ROW - 1 or n == len(runs) - 1:
                right.set_ylabel("reconstruction error", color=VERMILION)
            if n >= len(runs) - IN_A_ROW:
                axis.set_xlabel("step")
            axis.set_title(f"({exp}) {PRINTED[exp].schedule}", fontsize=8)
        return figure


def images(runs: Mapping[int, Run]) -> Figure:
    """Draw the last samples of descriptor and generator for every experiment."""
    with styled():
        figure, axes = panels(2 * len(runs), IN_A_ROW, "", (2.6, 2.7))
        remaining = iter(axes)
        for exp, run in runs.items():
            for folder, player in (("descriptor", "descriptor"), ("samples", "generator")):
                title = f"({exp}) {player}"
                show_picture(next(remaining), last_picture(run, folder), title, interpolation="nearest")
        return figure
