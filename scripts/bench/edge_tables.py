"""Tables of `edge_study.py`: predicted boundaries beside measured ones, calls of divergence, and wrong warnings."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata

TITLE = "Edge of stability: predicted and measured largest learning rates"
GREW = 100.0  # factor of the gradients that counts as a blow-up
DISTANCES = [5.0, 10.0, 20.0, 30.0, 50.0, 70.0, 100.0, 150.0, 200.0]  # moved, beyond which a warning is given
ROUNDED = 1 + 1e-6  # factor by which a ratio of two of the rates, such as 1.5, may differ by rounding
ALLOWED = 0.01  # share of the runs that did not fail, but have a warning, in the half that chooses the distance
FAILURES = ("diverged", "blown up", "worse")
HOW = (
    "Both players have the same rate; one seed, critic_steps=1, 28 rates from 1e-4 to 5.7 at ratios of 1.5, 500 steps. "
    "Measured is the geometric mean of the smallest rate at which a run fails and of the rate below it: `diverged` as "
    f"the trainer records it; `blown up` if it has diverged, or the gradients of a player in the last 100 steps are "
    f"{GREW:g} times those of the first 5 steps at the smallest rate (medians); `worse` if it has diverged, or its "
    "samples are farther from the data than untrained ones (sliced W1), at this rate and at all larger ones. Values of "
    "each pair: edge_pairs.csv."
)
RATES = [1e-4 * 1.5**n for n in range(28)]  # 1e-4 ... 5.7, of both players
STEPS, EARLY = 500, 25  # all; after which a failure is called
TOLERANCE = math.log(1000) / STEPS  # growth per step that counts as stable
Record = Mapping[str, Any]
Prediction = Callable[[Record, Sequence[float]], float]
Score = Callable[[Record, int], float]


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
    compared = [record for record in found if "boundary" in record]
    refused = [record for record in found if "refused" in record]
    lines = [f"{len(compared)} pairs of a loss and an optimizer on a data set; {len(refused)} without a boundary.", ""]
    lines += [*_agreement(compared), "", *_groups(compared), "", *_calls(compared), ""]
    lines += [*_warnings(compared), "", *_repeated(found), ""]
    seconds = [statistics.mean(record[name] for record in compared) for name in ("edge_s", "early_s", "train_s")]
    lines.append(
        "Mean CPU time of a pair: {:.1f} s for the boundaries of both players and of each alone, {:.1f} s for the "
        "linearizations of 10 members after 5 % of the steps, {:.1f} s for the training of 28 members.".format(*seconds)
    )
    return lines


def rows(found: Sequence[Record]) -> Iterator[list[str]]:
    """Yield the header, and for each pair the boundaries, empty where there is none or no rate failed."""
    names = ("discriminator", "generator", "both")
    yield ["networks", "loss", "optimizer", "seed", *(f"lr_{name}" for name in names), *FAILURES]
    for record in found:
        boundary = record.get("boundary", {})
        measured = [smallest(failed, RATES) for failed in failures(record).values()]
        values = [*(boundary.get(name, math.nan) for name in names), *measured]
        texts = ["" if math.isnan(value) else f"{value:.4g}" for value in values]
        yield [text.replace(", ", " ") for text in map(str, record["pair"])] + texts


def smallest(failed: np.ndarray, rates: Sequence[float]) -> float:
    """Return the boundary between the largest rate below the first failure and the first failure; NaN without one.

    >>> round(smallest(np.array([False, False, True, False]), [1.0, 2.0, 4.0, 8.0]), 2)
    2.83
    """
    if not failed.any() or failed[0]:
        return math.nan
    first = int(np.argmax(failed))
    return math.sqrt(rates[first - 1] * rates[first])


HEAD = ["pairs with both", "within 1.5", "within 3", "measured / predicted", "rank correlation"]


def _compared(records: Sequence[Record], rates: Sequence[float], name: str, predicted: Prediction) -> list[str]:
    pairs = [(predicted(record, rates), smallest(failures(record)[name], rates)) for record in records]
    both = [(p, m) for p, m in pairs if 0 < p < math.inf and math.isfinite(m)]
    if len(both) < 2:
        return [str(len(both)), "", "", "", ""]
    ratios = np.array([m / p for p, m in both])
    shares = [float(np.mean(np.abs(np.log(ratios)) <= math.log(factor * ROUNDED))) for factor in (1.5, 3.0)]
    with np.errstate(invalid="ignore"):  # of values that are all equal
        order = np.corrcoef(rankdata([p for p, _ in both]), rankdata([m for _, m in both]))[0, 1]
    return [str(len(both)), *(f"{share:.0%}" for share in shares), f"{np.median(ratios):.2g}", f"{order:.2f}"]


def _initial(record: Record, rates: Sequence[float]) -> float:
    """Return the boundary of both players at the initial parameters."""
    return record["boundary"]["both"] or math.nan


def _own(record: Record, rates: Sequence[float]) -> float:
    """Return the smallest rate that is unstable after 5 % of the steps at it, between two of those that were tried."""
    for at, early in enumerate(record["early"]):
        excess = early["excess"][len(early["excess"]) // 2] if "excess" in early else None
        if excess is None or excess > TOLERANCE:
            below = record["early"][at - 1]["member"] if at else early["member"]
            return math.sqrt(rates[below] * rates[early["member"]])
    return math.inf


def _far(distance: float) -> Prediction:
    """Return the rule of the smallest rate at which a player has moved by more than a distance after 5 %."""

    def predicted(record: Record, rates: Sequence[float]) -> float:
        return smallest(np.array([_moved(record, k) > distance for k in range(len(rates))]), rates)

    return predicted


def _agreement(records: Sequence[Record]) -> list[str]:
    rules = {
        "boundary at the initial parameters": _initial,
        "unstable after 5 % of the steps at the own rate": _own,
        "moved by the initial norm after 5 %": _far(1.0),
        "moved by 10 times the initial norm after 5 %": _far(10.0),
    }
    rows = [[text, name, *_compared(records, RATES, name, rule)] for text, rule in rules.items() for name in FAILURES]
    return _markdown(["predicted from", "failure", *HEAD], rows)


def _groups(records: Sequence[Record]) -> list[str]:
    rows = []
    for place, kind in ((0, "networks"), (2, "optimizer"), (1, "loss")):
        for value in sorted({record["pair"][place] for record in records}):
            group = [record for record in records if record["pair"][place] == value]
            rows.append([kind, value, *_compared(group, RATES, "diverged", _initial)])
    return _markdown(["boundary at the initial parameters, diverged", "", *HEAD], rows)


def _calls(records: Sequence[Record]) -> list[str]:
    """Return the table of the AUC with which values after 5 % of the steps rank runs by their later failure."""
    scores: dict[str, Score] = {
        "distance moved after 5 %": _moved,
        "gradients after 5 %, relative to the first ones": _grown,
        "distance of the samples after 5 %, relative to untrained ones": _farther,
        "rate / boundary at the initial parameters": lambda record, k: RATES[k] / record["boundary"]["both"],
        "learning rate": lambda record, k: RATES[k],
    }
    rows = []
    for text, score in scores.items():
        row = [text]
        for only_running in (False, True):
            for name in FAILURES:
                values, labels = [], []
                for record in records:
                    failed = failures(record)[name]
                    for k, member in enumerate(record["members"]):
                        if not only_running or member.get("step", math.inf) > EARLY:
                            values.append(score(record, k))
                            labels.append(bool(failed[k]))
                row.append(f"{auc(values, labels):.3f} ({sum(labels)} of {len(labels)})")
        rows.append(row)
    return _markdown(["AUC (failures)", *FAILURES, *(f"{name}, still running after 5 %" for name in FAILURES)], rows)


def _moved(record: Record, k: int) -> float:
    values = record["soon"]["moved"][k]
    return math.inf if any(not _is_finite(value) for value in values) else max(values)


def _grown(record: Record, k: int) -> float:
    soon, first = record["members"][k]["soon"], record["members"][0]["first"]
    if any(not _is_finite(value) for value in soon):
        return math.inf
    return max((value / start for value, start in zip(soon, first, strict=True) if start), default=math.inf)


def _farther(record: Record, k: int) -> float:
    value = record["soon"]["distance"][k]
    return value / record["untrained"] if _is_finite(value) else math.inf


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


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


def _warnings(records: Sequence[Record]) -> list[str]:
    """Return wrong and missed warnings, in the half that chooses the distance and in the other one."""
    halves = [records[::2], records[1::2]]
    rows = []
    for name in FAILURES:
        for distance in DISTANCES:
            shares = [_wrong(half, name, distance) for half in halves]
            if shares[0][0] <= ALLOWED or distance == DISTANCES[-1]:
                rows.append([name, f"{distance:g}", *(f"{share:.1%}" for half in shares for share in half)])
                break
    head = ["failure", "smallest distance with 1 %", "wrong", "caught", "wrong in the other half", "caught there"]
    return _markdown(head, rows)


def _wrong(records: Sequence[Record], name: str, distance: float) -> tuple[float, float]:
    """Return the shares of the runs without a failure, and of the failed ones, that have a warning."""
    warned, failed = [], []
    for record in records:
        warned += [_moved(record, k) > distance for k in range(len(record["members"]))]
        failed += failures(record)[name].tolist()
    marks, ends = np.array(warned), np.array(failed)
    return float(marks[~ends].mean()), float(marks[ends].mean()) if ends.any() else math.nan


def _repeated(found: Sequence[Record]) -> list[str]:
    """Return how well the boundary that was measured with one seed agrees with that of another seed."""
    by_pair = {tuple(record["pair"]): record for record in found}
    rows = []
    for name in FAILURES:
        ratios = []
        for (*pair, seed), record in by_pair.items():
            if seed == 1 and (*pair, 0) in by_pair:
                one, other = (smallest(failures(each)[name], RATES) for each in (by_pair[(*pair, 0)], record))
                ratios += [abs(math.log(one / other))] if math.isfinite(one / other) else []
        within = [f"{np.mean(np.array(ratios) <= math.log(f * ROUNDED)):.0%}" if ratios else "" for f in (1.5, 3.0)]
        rows.append([name, str(len(ratios)), *within])
    return _markdown(["measured with two seeds", "pairs", "within 1.5", "within 3"], rows)


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
