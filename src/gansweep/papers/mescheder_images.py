"""Mescheder et al. 2018 on images: methods by their metric over steps and over time."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from gansweep.papers.methods import groups_of, over_time, table
from gansweep.papers.trained import read_all
from gansweep.section import Section

NAME = "mescheder_images"
# The paper has this comparison as a figure of Inception scores over time (appendix), without numbers. The one number of
# the UVA slides (Pan and Cheng 2019), mean and deviation, is of a checkpoint for LSUN bedrooms that was downloaded.
SLIDES_INCEPTION_SCORE = 2.4715, 0.0223


def sections(directory: Path) -> list[Section]:
    """Write a section for every data set, metric and length in a sweep."""
    written = []
    for (data, ruler, steps), cells in groups_of(read_all(directory, NAME)).items():
        mean, std = SLIDES_INCEPTION_SCORE
        text = (
            f"{table(cells)}\n\nSeconds are of the whole pack where several cells were trained as one. Printed: "
            "Mescheder, Geiger and Nowozin 2018, arXiv:1801.04406, show Inception scores on CIFAR-10 over time, as "
            f"curves without numbers; the {mean} ± {std} of the UVA slides is of a downloaded checkpoint for LSUN "
            "bedrooms, and is no number of this experiment."
        )
        pictures = {f"{ruler} over time and over steps": partial(over_time, cells)}
        written.append(Section(f"Mescheder's methods on {data}, {steps} steps", text, pictures))
    return written
