"""Mescheder et al. 2018 on images: metric of every method over steps and over time."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from gansweep.papers.methods import groups_of, over_time, table
from gansweep.papers.trained import read_all
from gansweep.section import Section

NAME = "mescheder_images"
# The paper shows this comparison as a figure of Inception scores over time (appendix), without numbers. The only number
# of the UVA slides (Pan and Cheng 2019), mean and deviation, belongs to a downloaded checkpoint for LSUN bedrooms.
SLIDES_INCEPTION_SCORE = 2.4715, 0.0223


def sections(directory: Path) -> list[Section]:
    """Return a section for every data set, metric and length in a sweep."""
    written = []
    for (data, metric, steps), cells in groups_of(read_all(directory, NAME)).items():
        mean, std = SLIDES_INCEPTION_SCORE
        text = (
            f"{table(cells)}\n\nSeconds are those of the whole pack if several cells were trained together. Printed: "
            "Mescheder, Geiger and Nowozin 2018, arXiv:1801.04406, show Inception scores on CIFAR-10 over time, as "
            f"curves without numbers; the {mean} ± {std} of the UVA slides belongs to a downloaded checkpoint for LSUN "
            "bedrooms, not to this experiment."
        )
        pictures = {f"{metric} over time and over steps": partial(over_time, cells)}
        written.append(Section(f"Mescheder's methods on {data}, {steps} steps", text, pictures))
    return written
