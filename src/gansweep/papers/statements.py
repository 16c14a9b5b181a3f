"""The statements of all papers, with the runs in docs/records that test them."""

from __future__ import annotations

from pathlib import Path

from gansweep.papers import coopnets
from gansweep.papers import statement_tests as tests
from gansweep.papers.runs import read
from gansweep.papers.statement import Outcome, Statement, read_csv
from gansweep.results.frame import spreadsheet

MESCHEDER = "Mescheder, Geiger and Nowozin 2018, arXiv:1801.04406"
CFG = "Zhu, Gu and Liu 2018 (HKUST), poster"

STATEMENTS = (
    Statement(
        "epfl_best_rate",
        "epfl",
        "Adam, SGD and RMSprop are all best at 1e-4",
        "1 seed, 291 epochs",
        "table I",
        "epfl_table1",
        ("epfl/results.csv",),
        tests.best_at_the_same_rate,
        "metric of the other rate - metric of 1e-4, as a share of an untrained generator",
        "python -m gansweep -m experiment=epfl_table1 protocol=original_code",
        136_479,
        at_full_length=True,
    ),
    Statement(
        "epfl_sgd",
        "epfl",
        "SGD diverges at 1e-3 and above, and not below",
        "1 seed",
        "table I, N/A",
        "epfl_table1",
        ("epfl/results.csv",),
        tests.sgd_diverges,
        "share of the runs that diverged",
        "python -m gansweep -m experiment=epfl_table1 protocol=original_code optimizer=sgd",
        136_479,
    ),
    Statement(
        "epfl_order",
        "epfl",
        "The 18 cells with values have the printed order",
        "1 seed, curves at every length",
        "stored curves",
        "epfl_table1",
        ("epfl/results.csv",),
        tests.order_of_the_table,
        "Spearman's rank correlation",
        "python -m gansweep -m experiment=epfl_table1 protocol=original_code",
    ),
    Statement(
        "coopnets_order",
        "coopnets",
        "The twelve schedules have the printed order of losses",
        "1 seed, 5,000 steps",
        "Hill and Nijkamp 2017, table 1",
        "coopnets_table1",
        ("coopnets/losses.csv",),
        tests.order_of_the_schedules,
        "Spearman's rank correlation",
        "python -m gansweep -m experiment=coopnets_table1 scale=small",
        5_000,
    ),
    Statement(
        "coopnets_extremes",
        "coopnets",
        "Schedule 7 is the best of the twelve and 6 the worst",
        "1 seed, 5,000 steps",
        "Hill and Nijkamp 2017, table 1",
        "coopnets_table1",
        ("coopnets/losses.csv",),
        tests.best_and_worst_schedule,
        "difference of the losses",
        "python -m gansweep -m experiment=coopnets_table1 scale=small",
        5_000,
    ),
    Statement(
        "dirac_methods",
        "mescheder",
        "On the Dirac-GAN R1, R2, Roth's penalty and consensus optimisation converge; "
        "WGAN, WGAN-GP, DRAGAN and no regularisation do not",
        "theory",
        f"{MESCHEDER}, table 1",
        "dirac",
        ("mescheder/dirac.csv",),
        tests.dirac_methods,
        "log10 of the last distance from 0, in units of the first",
        "python -m gansweep -m experiment=dirac_convergence",
    ),
    Statement(
        "dirac_noise",
        "mescheder",
        "On the Dirac-GAN instance noise converges",
        "theory",
        f"{MESCHEDER}, table 1",
        "dirac",
        ("mescheder/dirac.csv",),
        tests.dirac_noise,
        "log10 of the last distance from 0, in units of the first",
        "python -m gansweep.dirac convergence",
    ),
    Statement(
        "plane_alike",
        "mescheder",
        "In the plane R1 and R2 are alike",
        "several settings, 50,000 steps",
        f"{MESCHEDER}, section 6.1",
        "mescheder_2d",
        ("mescheder/plane.csv",),
        tests.plane_alike,
        "difference of W1, as a share of an untrained generator's, mean of four shapes",
        "python -m gansweep -m experiment=mescheder_2d scale=small",
        50_000,
    ),
    Statement(
        "plane_better",
        "mescheder",
        "In the plane R1 and R2 are better than no regularisation and WGAN-GP",
        "several settings, 50,000 steps",
        f"{MESCHEDER}, section 6.1",
        "mescheder_2d",
        ("mescheder/plane.csv",),
        tests.plane_better,
        "gain in W1, as a share of an untrained generator's, mean of four shapes",
        "python -m gansweep -m experiment=mescheder_2d scale=small",
        50_000,
    ),
    Statement(
        "images_better",
        "mescheder",
        "R1 and R2 work well on images, here: better than no regularisation",
        "a figure, no numbers",
        f"{MESCHEDER}, abstract and appendix",
        "mescheder_images",
        ("mescheder/images.csv",),
        tests.images_better,
        "metric without penalty - metric, as a share of an untrained generator's",
        "python -m gansweep -m experiment=mescheder_images scale=small",
    ),
    Statement(
        "forsyth_skips",
        "forsyth",
        "Each skip connection improves a denoising autoencoder",
        "1 run",
        "lecture slides, table of PSNR",
        "forsyth_autoencoder",
        ("forsyth/autoencoder.csv",),
        tests.skips_help,
        "gain in PSNR (dB)",
        "python -m gansweep -m experiment=forsyth_autoencoder scale=small",
    ),
    Statement(
        "cfg_better",
        "cfg",
        "CFG is better than WGAN-GP on MNIST and CIFAR-10",
        "1 run, no numbers",
        CFG,
        "cfg_vs_wgangp",
        ("cfg/mnist.csv", "cfg/cifar10.csv"),
        tests.cfg_better,
        "metric of WGAN-GP - metric of CFG, as a share of an untrained generator's",
        "python -m gansweep -m experiment=cfg_vs_wgangp",
        10_000,
        at_full_length=True,
    ),
)


def outcomes(directory: Path) -> list[Outcome]:
    """Return the outcomes of all statements that the runs of a sweep test.

    Args:
        directory: directory of the sweep.

    Raises:
        FileNotFoundError: the directory does not exist.
    """
    runs = read(directory)
    rows = [
        {**row, tests.LOSS: "" if (loss := coopnets.loss(run)) is None else str(loss)}
        for run, row in zip(runs, read_csv(spreadsheet(runs)), strict=True)
    ]
    found = [statement.outcome(rows) for statement in STATEMENTS if statement.runs(rows)]
    return [outcome for outcome in found if outcome.parts]
