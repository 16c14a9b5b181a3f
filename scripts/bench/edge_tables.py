"""Tables of `edge_study.py`: predicted boundaries beside measured ones, calls of divergence, and wrong warnings."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata, spearmanr

TITLE = "Edge of stability: predicted and measured largest learning rates"
GREW = 100.0  # factor of the gradients that counts as a blow-up
MARGINS = [1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 50.0, 100.0]
ALLOWED = 0.01  # share of the cells that did not fail, but are marked, in the half that chooses the margin
HOW = (
    "Both players have the same rate; one seed, critic_steps=1, 28 rates from 1e-4 to 5.7 at ratios of 1.5, 200 steps. "
    "Measured is the smallest rate at which a run fails: `diverged` as the trainer records it; `blown up` if it has "
    f"diverged, or the gradients of a player in the last quarter are {GREW:g} times those of the first steps at the "
    "smallest rate (medians); `worse` if it has diverged, or its samples are farther from the data than untrained ones "
    "(sliced W1), at this rate and at all larger ones. Values of each pair: docs/records/edge/pairs.json."
)
Record = Mapping[str, Any]


def failures(record: Record) -> dict[str, np.ndarray]:
    """Return by definition which members of a pair failed."""
    members, untrained = record["members"], record["untrained"]
    diverged = np.array(["cause" in member for member in members])
    first = [value or math.nan for value in members[0]["first"]]
    grew = [
        any(last is None or last > GREW * start for last, start in zip(member["last"], first, strict=True))
        for member in members
    ]
    worse = [member["distance"] is None or member["distance"] > untrained for member in members]
    lasting = np.logical_and.accumulate((diverged | worse)[::-1])[::-1]
    return {"diverged": diverged, "blown up": diverged | np.array(grew), "worse": lasting}


def tables(found: Sequence[Record]) -> list[str]:
    """Return the lines of the record."""
    from edge_study import RATES

    compared = [record for record in found if "boundary" in record]
    refused = [record for record in found if "refused" in record]
    lines = [f"{len(compared)} pairs of a loss and an optimizer on a data set; {len(refused)} without a boundary.", ""]
    lines += [*_agreement(compared, RATES), "", *_groups(compared, RATES), "", *_calls(compared), ""]
    lines += [*_marks(compared, RATES), "", *_repeated(found, RATES), ""]
    seconds = [statistics.mean(record[name] for record in compared) for name in ("edge_s", "early_s", "train_s")]
    lines.append(
        "Mean CPU time of a pair: {:.1f} s for the boundaries of both players and of each alone, {:.1f} s for the "
        "linearizations of 10 members after 5 % of the steps, {:.1f} s for the training of 28 members.".format(*seconds)
    )
    return lines


def smallest(failed: np.ndarray, rates: Sequence[float]) -> float:
    """Return the boundary between the largest rate below the first failure and the first failure; NaN without one.

    >>> round(smallest(np.array([False, False, True, False]), [1.0, 2.0, 4.0, 8.0]), 2)
    2.83
    """
    if not failed.any() or failed[0]:
        return math.nan
    first = int(np.argmax(failed))
    return math.sqrt(rates[first - 1] * rates[first])


def _compared(records: Sequence[Record], rates: Sequence[float], name: str) -> list[str]:
    pairs = [(record["boundary"]["both"], smallest(failures(record)[name], rates)) for record in records]
    both = [(p, m) for p, m in pairs if p and math.isfinite(m)]
    if len(both) < 2:
        return [str(len(both)), "", "", "", ""]
    ratios = np.array([m / p for p, m in both])
    shares = [float(np.mean(np.abs(np.log(ratios)) <= math.log(factor))) for factor in (1.5, 3.0)]
    order = spearmanr(*zip(*both, strict=True)).statistic
    return [str(len(both)), *(f"{share:.0%}" for share in shares), f"{np.median(ratios):.2g}", f"{order:.2f}"]


HEAD = ["pairs with both", "within 1.5", "within 3", "measured / predicted", "rank correlation"]


def _agreement(records: Sequence[Record], rates: Sequence[float]) -> list[str]:
    rows = [[name, *_compared(records, rates, name)] for name in ("diverged", "blown up", "worse")]
    return _markdown(["failure", *HEAD], rows)


def _groups(records: Sequence[Record], rates: Sequence[float]) -> list[str]:
    rows = []
    for place, kind in ((0, "networks"), (2, "optimizer"), (1, "loss")):
        for value in sorted({record["pair"][place] for record in records}):
            group = [record for record in records if record["pair"][place] == value]
            rows.append([kind, value, *_compared(group, rates, "blown up")])
    return _markdown(["blown up", "", *HEAD], rows)


def _calls(records: Sequence[Record]) -> list[str]:
    """Return the table of the AUC with which values after 5 % of the steps rank members by their later failure."""
    scores: dict[str, Callable[[Record, Mapping], float | None]] = {
        "growth at the own rate, after 5 %": lambda record, early: early["excess"][2],
        "growth at the own rate, at the start": lambda record, early: record["excess"][early["member"]],
        "gradients after 5 %, relative to the first ones": lambda record, early: _grown(record, early["member"]),
        "learning rate": lambda record, early: float(early["member"]),
    }
    rows = []
    for text, score in scores.items():
        row = [text]
        for name in ("diverged", "blown up", "worse"):
            values, labels = [], []
            for record, early in _running(records):
                value = score(record, early)
                values.append(math.inf if value is None else value)
                labels.append(bool(failures(record)[name][early["member"]]))
            row.append(f"{auc(values, labels):.3f} ({sum(labels)} of {len(labels)})")
        rows.append(row)
    return _markdown(["AUC of (failures of members that run after 5 %)", "diverged", "blown up", "worse"], rows)


def _running(records: Sequence[Record]) -> Iterator[tuple[Record, Mapping]]:
    for record in records:
        for early in record.get("early", ()):
            if "excess" in early:
                yield record, early


def _grown(record: Record, member: int) -> float | None:
    soon, first = record["members"][member]["soon"], record["members"][0]["first"]
    if None in soon or not all(first):
        return None
    return max(value / start for value, start in zip(soon, first, strict=True))


def auc(values: Sequence[float], labels: Sequence[bool]) -> float:
    """Return the probability that a failed member has the larger value; NaN if all or none failed.

    >>> auc([1.0, 3.0, 2.0], [False, True, False])
    1.0
    """
    positive, of = sum(labels), len(labels)
    if positive in (0, of):
        return math.nan
    ranks = rankdata(np.nan_to_num(values, nan=math.inf))
    total = sum(rank for rank, label in zip(ranks, labels, strict=True) if label)
    return float((total - positive * (positive + 1) / 2) / (positive * (of - positive)))


def _marks(records: Sequence[Record], rates: Sequence[float]) -> list[str]:
    """Return wrong and missed warnings of each margin, in the half that chooses the margin and in the other one."""
    halves = [records[::2], records[1::2]]
    rows = []
    for name in ("diverged", "blown up", "worse"):
        for margin in MARGINS:
            shares = [_wrong(half, rates, name, margin) for half in halves]
            if shares[0][0] <= ALLOWED or margin == MARGINS[-1]:
                rows.append([name, f"{margin:g}", *(f"{share:.1%}" for half in shares for share in half)])
                break
    head = ["failure", "smallest margin with 1 %", "wrong", "caught", "wrong in the other half", "caught there"]
    return _markdown(head, rows)


def _wrong(records: Sequence[Record], rates: Sequence[float], name: str, margin: float) -> tuple[float, float]:
    """Return the share of the members without a failure that are marked, and that of the failed ones."""
    marked, failed = [], []
    for record in records:
        boundary = record["boundary"]["both"]
        marked += [boundary is not None and rate > margin * boundary for rate in rates]
        failed += failures(record)[name].tolist()
    marks, ends = np.array(marked), np.array(failed)
    return float(marks[~ends].mean()), float(marks[ends].mean()) if ends.any() else math.nan


def _repeated(found: Sequence[Record], rates: Sequence[float]) -> list[str]:
    """Return how well the boundary that was measured with one seed agrees with that of another seed."""
    by_pair = {tuple(record["pair"]): record for record in found}
    rows = []
    for name in ("diverged", "blown up", "worse"):
        ratios = []
        for (*pair, seed), record in by_pair.items():
            if seed == 1 and (*pair, 0) in by_pair:
                one, other = (smallest(failures(each)[name], rates) for each in (by_pair[(*pair, 0)], record))
                ratios += [abs(math.log(one / other))] if math.isfinite(one / other) else []
        within = [f"{np.mean(np.array(ratios) <= math.log(f)):.0%}" if ratios else "" for f in (1.5, 3.0)]
        rows.append([name, str(len(ratios)), *within])
    return _markdown(["measured with two seeds", "pairs", "within 1.5", "within 3"], rows)


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
