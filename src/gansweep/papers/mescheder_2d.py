"""Mescheder et al. 2018, section 6.1: methods on four 2D distributions, by W1."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from gansweep.papers.seeds import spread
from gansweep.papers.trained import Trained, parted, read
from gansweep.section import Section

NAME = "mescheder_2d"
LAST_SHARE = 0.2  # fraction of the steps over which the paper averages: 10k of 50k
# W1 of samples of the target, and of a generator collapsed to the origin; exact, n = 2048.
FLOORS: Mapping[str, tuple[float, float]] = {
    "gaussian": (0.109, 1.2533),
    "line": (0.016, 0.5),
    "circle": (0.033, 1.0),
    "four_lines": (0.038, 1.0402),
}
FINDING = "R1 and R2 are alike, and slightly better than no regularisation and WGAN-GP"


def sections(directory: Path) -> list[Section]:
    """Return a section for every run length in a sweep."""
    groups = parted(read(directory, NAME), lambda one: one.total_steps)
    return [Section(f"Mescheder's methods in the plane, {n} steps", _text(cells)) for n, cells in groups.items()]


def late(one: Trained) -> float | None:
    """Return the mean W1 over the last fifth of the steps; None for a diverged run."""
    values = [value for step, value in one.values.items() if step >= (1 - LAST_SHARE) * one.total_steps]
    return statistics.fmean(values) if values and one.final is not None else None


def best_settings(cells: Sequence[Trained]) -> dict[tuple[str, str], list[float]]:
    """Return the values per seed at the best rate and critic steps, for every method and target."""
    groups: dict[tuple[str, str], dict[tuple[object, ...], list[float]]] = {}
    for one in cells:
        setting = one.lr, one.record["config"]["critic_steps"], str(one.record["config"]["loss"])
        settings = groups.setdefault((one.said("loss"), one.said("data")), {})
        value = late(one)
        settings.setdefault(setting, []).append(float("inf") if value is None else value)
    return {key: min(settings.values(), key=statistics.fmean) for key, settings in groups.items()}


def _text(cells: Sequence[Trained]) -> str:
    best = best_settings(cells)
    methods, targets = (list(dict.fromkeys(key[n] for key in best)) for n in (0, 1))
    lines = [f"| W1 of the best setting | {' | '.join(targets)} |", "|---" * (1 + len(targets)) + "|"]
    for words, n in (("samples of the target", 0), ("collapsed to the origin", 1)):
        known = (f"{FLOORS[target][n]:g}" if target in FLOORS else "" for target in targets)
        lines.append(f"| {words} | {' | '.join(known)} |")
    for method in methods:
        shown = ([v for v in best.get((method, target), []) if v < float("inf")] for target in targets)
        lines.append(f"| {method} | {' | '.join(map(spread, shown))} |")
    note = f"Averaged over the last fifth of the steps. The paper finds: {FINDING}. {_agreement(best)}"
    return "\n".join(lines) + f"\n\n{note}"


def _agreement(best: Mapping[tuple[str, str], list[float]]) -> str:
    """Return on how many targets R1 and R2 are both better than each other method."""
    parts = []
    for other in ("standard", "wgan_gp"):
        targets = [t for m, t in best if m == other and all((one, t) in best for one in ("r1", "r2"))]
        if targets:
            means = {key: statistics.fmean(values) for key, values in best.items()}
            better = sum(max(means["r1", t], means["r2", t]) < means[other, t] for t in targets)
            parts.append(f"both are better than {other} on {better} of {len(targets)}")
    return f"Here {', and '.join(parts)}." if parts else ""
