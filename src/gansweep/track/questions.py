"""Ten questions to the entries of all tracks, each with its test; `findings` states the answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gansweep.formatting import counted
from gansweep.statistics.rank_agreement import agreement, friedman
from gansweep.track.additions import additions, balance, two_sided
from gansweep.track.agreement import mean_steps, track_agreement
from gansweep.track.board import Board, Row, p_text
from gansweep.track.divergences import divergences
from gansweep.track.methods import AVERAGING, DYNAMICS, SCHEDULE, TIME_SCALES, Method
from gansweep.track.sensitivity import sensitivities
from gansweep.track.tunability import curves

FEW = 2  # trainings of a small tuning budget
UNDECIDED = "is not decided"
EXTRAPOLATING = ("extragradient", "past_extragradient", "optimistic")


@dataclass(frozen=True)
class Part:
    """One statement of a finding.

    Args:
        p: p-value of its test.
        decided: text if the test decides.
        undecided: text if it does not.
    """

    p: float
    decided: str
    undecided: str


@dataclass(frozen=True)
class Question:
    """A question, and what the entries answer.

    Args:
        text: the question.
        test: name of the test and number of its observations.
        p: p-value of the test; 1 without data.
        parts: statements; one is decided only if p is.
        numbers: what was observed, stated in any case.
    """

    text: str
    test: str
    p: float
    parts: Sequence[Part]
    numbers: str = ""


def _missing(text: str, what: str) -> Question:
    return Question(text, "", 1.0, [Part(1.0, "", f"This {UNDECIDED}: {what}")])


def _fastest(boards: Sequence[Board]) -> Question:
    """Test whether the entry with the best score is faster than every other one.

    The p-value of a track is the largest of the two-sided ones against the others; two-sided, because the first entry
    was selected by the same times. That of the question is the smallest of the tracks times their number.
    """
    text = "Is one entry the fastest?"
    parts = []
    for board in (board for board in boards if len(board.rows) > 1 and math.isfinite(board.rows[0].score)):
        first, *others = board.rows
        p = max(two_sided(first.times, other.times) if _leads(first, other) else 1.0 for other in others)
        name = f"{board.track.name}: {first.entry.name} ({first.score:.0f} steps)"
        tied = sum(row.is_tied for row in board.rows) - 1
        same = f"{counted(tied, 'entry', 'entries')} tied with the record"
        parts.append(
            (
                p,
                f"{name} is faster than all {len(others)} others ({p_text(p)})",
                f"{name} leads; whether it is faster than every other entry {UNDECIDED} ({p_text(p)}), {same}",
            )
        )
    if not parts:
        return _missing(text, "no track has two entries, the first with a score")
    corrected = [Part(min(1.0, p * len(parts)), decided, undecided) for p, decided, undecided in parts]
    test = (
        "Signed-rank tests over the seeds, against the closest entry of each track; smallest p times number of tracks"
    )
    return Question(text, test, min(part.p for part in corrected), corrected)


def _leads(first: Row, other: Row) -> bool:
    return sum(first.times[seed] < time for seed, time in other.times.items()) > sum(
        first.times[seed] > time for seed, time in other.times.items()
    )


def _optimizers(boards: Sequence[Board]) -> Question:
    """Test whether Adam, RMSprop and SGD differ, by Friedman's test over tracks and seeds, then in pairs.

    If no two of three are the same, or all are, no correction of the pairs is needed after the test of all (Shaffer
    1986, doi:10.1080/01621459.1986.10478341).
    """
    names = ("adam", "rmsprop", "sgd")
    text = "How do Adam, RMSprop and SGD compare, each with a constant rate?"
    blocks: list[list[float]] = []
    for board in boards:
        rows = [board.by_method.get(Method.of([f"optimizer={name}"])) for name in names]
        complete = [row for row in rows if row is not None]
        if len(complete) == len(names):
            blocks += [[row.times[seed] for row in complete] for seed in board.track.judging_seeds]
    if not blocks:
        return _missing(text, "no track has an entry of each")
    values = np.array(blocks)
    ranks, p = friedman(values)
    parts = []
    for a, b in ((0, 1), (0, 2), (1, 2)):
        first, second = (dict(enumerate(values[:, n])) for n in (a, b))
        low, high = (a, b) if ranks[a] <= ranks[b] else (b, a)
        pair = f"{names[low]} and {names[high]}"
        decided = f"{names[low]} reaches the target earlier than {names[high]}"
        parts.append(Part(two_sided(first, second), decided, f"which of {pair} is earlier {UNDECIDED}"))
    shown = ", ".join(f"{name} {rank:.2f}" for name, rank in zip(names, ranks, strict=True))
    return Question(
        text, f"Friedman test, {counted(len(values), 'pair')} of track and seed", p, parts, f"mean rank: {shown}"
    )


def _addition(aspect: str, text: str, what: str, choices: Sequence[str] = ()) -> Callable[[Sequence[Board]], Question]:
    """Return the function that tests whether a choice helps beside tuning.

    The test is the signed-rank test on one number for each track and seed, see `additions.balance`.
    With `choices`, only these of the aspect count.
    """

    def ask(boards: Sequence[Board]) -> Question:
        every = [(board, one) for board in boards for one in additions(board, aspect)]
        compared = [(board, one) for board, one in every if not choices or one.choice.split()[0] in choices]
        means = balance(compared)
        if not means:
            return _missing(text, "no two entries differ in this only")
        p = two_sided(dict(enumerate(means.values())), dict.fromkeys(range(len(means)), 0.0))
        earlier, later = (sum(getattr(one, f"num_{name}") for _, one in compared) for name in ("earlier", "later"))
        total = sum(len(one.row.times) for _, one in compared)
        helps = "earlier" if sum(means.values()) < 0 else "later"
        decided = f"{what}, trainings reach the target {helps}"
        observed = (
            f"{counted(len(compared), 'pair')} of entries: of {total} trainings {earlier / total:.0%} are earlier, "
            f"{later / total:.0%} later, the others equal"
        )
        test = f"Signed-rank test of the mean sign in each of {len(means)} pairs of track and seed"
        return Question(text, test, p, [Part(p, decided, f"Whether it helps {UNDECIDED}")], observed)

    return ask


def _ranking(boards: Sequence[Board]) -> Question:
    """Test whether methods rank alike on all tracks, by permutations of the methods within each track."""
    text = "Is the ranking of the methods the same on all tracks?"
    found = track_agreement(boards)
    if not found.agreement.pairs:
        return _missing(text, "no two tracks have two methods in common")
    taus = [
        f"{found.tracks[a]} and {found.tracks[b]} {tau:.2f} over {n} methods"
        for (a, b), (tau, n) in found.agreement.pairs.items()
    ]
    within = ", ".join(
        f"{name} {tau:.2f}" for name, tau in zip(found.tracks, found.within, strict=True) if not math.isnan(tau)
    )
    numbers = f"Kendall's tau: {', '.join(taus)}; between halves of the seeds of one track: {within}"
    part = Part(
        found.agreement.p,
        "On average over the pairs of tracks, the rankings agree more than by chance",
        f"Whether the rankings agree {UNDECIDED}",
    )
    return Question(text, "Permutation test of the mean tau", found.agreement.p, [part], numbers)


def _widest(boards: Sequence[Board]) -> Question:
    """Test whether the good regions of optimizers differ in width, by Friedman's test with the tracks as blocks."""
    text = "Which optimizer has the widest region of good learning rates?"
    widths = [
        {
            method.label: one.width
            for one in sensitivities(board)
            for method, row in board.by_method.items()
            if one.row is row and method.is_plain
        }
        for board in boards
    ]
    names, blocks = _common(widths)
    if not blocks:
        return _missing(text, "no two tracks have three optimizers with tuning runs in common")
    ranks, p = friedman(-np.array(blocks))
    mean = np.mean(blocks, axis=0)
    best = int(np.argmin(ranks))
    decided = f"The widths differ; {names[best]} has the widest by mean rank"
    order = np.argsort(ranks, kind="stable")
    shown = (
        ", ".join(f"{names[n]} {mean[n]:.1f}" for n in order[:3]) + f", ..., {names[order[-1]]} {mean[order[-1]]:.1f}"
    )
    part = Part(p, decided, f"Whether the optimizers differ in it {UNDECIDED}")
    return Question(text, f"Friedman test, {len(blocks)} tracks", p, [part], f"mean width in decades: {shown}")


def _tuning(boards: Sequence[Board]) -> Question:
    """Test whether the order after few tuning trainings agrees with the judged one, by permutations of the entries."""
    text = "Does more tuning change the order of the entries?"
    rankings, swapped, total = [], 0, 0
    for board in boards:
        few = {one.row.entry.name: float(one.best[min(FEW, len(one.best)) - 1]) for one in curves(board)}
        judged = {row.entry.name: mean_steps(board, row) for row in board.rows if row.entry.name in few}
        rankings += [few, judged]
        names = list(judged)
        for n, first in enumerate(names):
            for second in names[n + 1 :]:
                total += 1
                swapped += (few[first] - few[second]) * (judged[first] - judged[second]) < 0
    found = agreement(rankings, [(n, n + 1) for n in range(0, len(rankings), 2)])
    if not found.pairs:
        return _missing(text, "no track has two entries with tuning runs")
    numbers = (
        f"{swapped / total:.0%} of {total} pairs of entries change their order between the expected best of {FEW} "
        f"tuning trainings and the judged mean; Kendall's tau {found.tau:.2f}"
    )
    part = Part(
        found.p,
        f"{FEW} tuning trainings already predict the order",
        f"Whether {FEW} tuning trainings predict the order {UNDECIDED}",
    )
    return Question(text, "Permutation test of the mean tau", found.p, [part], numbers)


def _diverging(boards: Sequence[Board]) -> Question:
    """Test whether optimizers differ in the share of diverged tuning runs, by Friedman's test with tracks as blocks."""
    text = "With which optimizers do trainings diverge?"
    every = divergences(boards)
    shares = [{one.optimizer: one.share for one in divergences([board])} for board in boards]
    names, blocks = _common(shares)
    if not blocks:
        return _missing(text, "no two tracks have three optimizers with tuning runs in common")
    _, p = friedman(np.array(blocks))
    diverged, total = sum(one.num_diverged for one in every), sum(one.num_runs for one in every)
    most = ", ".join(f"{one.optimizer} {one.share:.0%}" for one in every[:3])
    none = [one.optimizer for one in every if not one.num_diverged]
    least = f"; none with {', '.join(none)}" if none else f"; fewest with {every[-1].optimizer} {every[-1].share:.0%}"
    numbers = f"{diverged} of {total} tried settings diverge, most with {most}{least}"
    part = Part(
        p, "The optimizers differ in their share of diverged tuning runs", f"Whether the optimizers differ {UNDECIDED}"
    )
    return Question(text, f"Friedman test, {len(blocks)} tracks and {len(names)} optimizers", p, [part], numbers)


def _common(values: Sequence[dict[str, float]]) -> tuple[list[str], list[list[float]]]:
    """Return the names that all tracks with values have, and the values of each; nothing if a test is not possible."""
    filled = [one for one in values if one]
    names = [name for name in filled[0] if all(name in one for one in filled)] if filled else []
    if len(filled) < 2 or len(names) < 3:
        return [], []
    return names, [[one[name] for name in names] for one in filled]


QUESTIONS: Sequence[Callable[[Sequence[Board]], Question]] = (
    _fastest,
    _optimizers,
    _addition(TIME_SCALES, "Do two time scales help, a rate of its own for each player?", "With two time scales"),
    _addition(SCHEDULE, "Does a schedule help beside a tuned rate?", "With a schedule"),
    _addition(AVERAGING, "Does averaging the generator's parameters help?", "With averaging"),
    _addition(DYNAMICS, "Do extragradient and optimistic updates help?", "With such an update", EXTRAPOLATING),
    _ranking,
    _widest,
    _tuning,
    _diverging,
)
