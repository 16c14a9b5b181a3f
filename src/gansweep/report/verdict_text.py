"""Text of the verdict: which configuration is best, and which differences are significant."""

from __future__ import annotations

from collections.abc import Sequence

from gansweep.formatting import counted, number
from gansweep.report import markdown
from gansweep.report.pivot import ranks
from gansweep.report.verdict import LEVEL, MAX_FOR_ALL_PAIRS, Verdict, more_seeds
from gansweep.section import Block, Code, Paragraph, Section, Strong
from gansweep.sweep.cell import State

ROWS, NAMES = 30, 5


def section(verdict: Verdict, with_ranks: bool = True, top: int | None = None) -> Section:
    """Return the verdict section: the best configuration, the significant differences, and the seeds still needed."""
    blocks: list[Block] = [Paragraph([part for text in _sentences(verdict) for part in (*text, " ")][:-1])]
    if with_ranks and verdict.order:
        shown = top or ROWS
        blocks.append(ranks(verdict, shown))
        if (rest := len(verdict.order) - shown) > 0:
            more = counted(rest, "more configuration is", "more configurations are")
            blocks.append(Paragraph([f"{more} listed by ", Code("--format csv"), "."]))
    return Section("Verdict", blocks)


def sentences(verdict: Verdict) -> list[str]:
    """Return the sentences of the verdict in Markdown, one statement each."""
    return [markdown.inline(text) for text in _sentences(verdict)]


def _sentences(verdict: Verdict) -> list[Sequence[str | Strong | Code]]:
    leaderboard, order = verdict.leaderboard, verdict.order
    name = f"{leaderboard.how} {leaderboard.metric_label}"
    no_better = [place for place in order if place in verdict.no_better]
    if verdict.first is None:
        if no_better:
            return [[f"No configuration is better than the untrained generator by {name}."]]
        return [["No run has a value yet." if not order else "Every run is N/A."]]
    if len(order) == 1:
        which = f" ({verdict.first.name})" if len(leaderboard.configurations) > 1 else ""
        only = f"Only one configuration has finished{which}; nothing to compare."
        return [[text] for text in (only, *_dropped(verdict))]
    probability = verdict.p_first.get(order[0])
    often = "" if probability is None else f", and in {probability:.0%} of bootstrap resamples of the seeds"
    lines: list[Sequence[str | Strong | Code]] = [
        [Strong(verdict.first.name), f" is first of {len(order)} by {name}{often}."]
    ]
    if no_better:
        names = _names(verdict, no_better, len(order) - 1)
        lines.append([f"Not ranked because no better than the untrained generator: {names}."])
    if _one_seed(verdict):
        few = "One seed per configuration is not enough for a test; add seeds, for example "
        return [*lines, [few, Code("seed=0,1,2"), "."], *([text] for text in _counts(verdict))]
    if not verdict.tests:
        none = "No test is possible: no two configurations have two common seeds and different values on them."
        return [*lines, [none], *([text] for text in _counts(verdict))]
    return [*lines, *([text] for text in (*_comparisons(verdict), _tests(verdict), *_counts(verdict)))]


def _comparisons(verdict: Verdict) -> list[str]:
    """Return which configurations the first beats, and against which it is undecided."""
    first, *others = verdict.order
    against = {place: verdict.comparisons[first, place] for place in others if place not in verdict.no_better}
    all_na = [place for place in against if not verdict.leaderboard.configurations[place].estimate.n]
    tested = {place: test for place, test in against.items() if place not in all_na}
    beaten = [place for place, test in tested.items() if test.beaten(LEVEL) and test.sign < 0]
    equivalent = [place for place, test in tested.items() if test.equivalent(LEVEL)]
    undecided = [place for place in tested if place not in (*beaten, *equivalent)]
    lines = []
    if beaten:
        lines.append(f"It beats {_names(verdict, beaten, len(against))}.")
    if equivalent:
        lines.append(f"Equivalent to it within {verdict.margin}: {_names(verdict, equivalent, len(against))}.")
    if undecided:
        needs = [(more, place) for place in undecided if (more := against[place].more_seeds()) is not None]
        only = (
            f"; needs about {more_seeds(needs[0][0], against[undecided[0]])}" if needs and len(undecided) == 1 else ""
        )
        lines.append(f"Undecided against {_names(verdict, undecided, len(against))}{only}.")
        if needs and not only:
            more, place = min(needs)
            lines.append(
                "The comparison that needs the fewest additional seeds is with "
                f"{verdict.leaderboard.configurations[place].name}: about {more_seeds(more, against[place])}."
            )
    if all_na:
        lines.append(f"Every run is N/A: {_names(verdict, all_na, len(against))}.")
    return lines


def _tests(verdict: Verdict) -> str:
    """Return the names of the tests and their correction."""
    number = len(verdict.order) * (len(verdict.order) - 1) // 2
    pairs = f"all {number} pairs" if number > 1 else "one pair"
    if len(verdict.order) > MAX_FOR_ALL_PAIRS:
        pairs += f" (only the pairs with the first were tested: more than {MAX_FOR_ALL_PAIRS} configurations)"
    return (
        f"Tests: {' and '.join(verdict.tests)} on pairs of equal seeds, two-sided, Holm-corrected for {pairs}, "
        f"family-wise error rate {LEVEL:.0%}."
        f"{_equivalence_test(verdict)}{_crossed_seeds(verdict)}"
    )


def _equivalence_test(verdict: Verdict) -> str:
    margin = verdict.absolute_margin
    if margin is None or verdict.margin is None:
        return ""
    size = f"{number(margin)}, {verdict.margin} of the best mean" if verdict.margin.is_share else number(margin)
    return f" Equivalence within {size}: two one-sided paired t tests, corrected together with the others."


def _one_seed(verdict: Verdict) -> bool:
    """Return whether no configuration has runs with several seeds, so that nothing can be significant."""
    return all(len(one.scores) < 2 for one in verdict.leaderboard.configurations)


def _crossed_seeds(verdict: Verdict) -> str:
    if not any(test.num_levels for test in verdict.comparisons.values()):
        return ""
    return (
        f" Intervals and tests account for runs that share a {' or '.join(verdict.leaderboard.repeated)} "
        "(standard errors clustered by each kind of seed)."
    )


def _counts(verdict: Verdict) -> list[str]:
    """Return the numbers of runs that are N/A, failed or not finished."""
    leaderboard, lines = verdict.leaderboard, _dropped(verdict)
    if num_na := sum(configuration.estimate.num_na for configuration in leaderboard.configurations):
        rank, lose = ("is N/A: it ranks", "loses") if num_na == 1 else ("are N/A: they rank", "lose")
        comparisons = "" if _one_seed(verdict) else f" and {lose} every comparison"
        lines.append(f"{num_na} of {counted(len(leaderboard.results), 'run')} {rank} last{comparisons}.")
    if failed := sum(configuration.num_failed for configuration in leaderboard.configurations):
        lines.append(f"{failed} run{'s' if failed > 1 else ''} raised an error (excluded from the comparison).")
    if missing := sum(configuration.num_missing for configuration in leaderboard.configurations):
        lines.append(f"{missing} run{'s have' if missing > 1 else ' has'} not finished.")
    return lines


def _dropped(verdict: Verdict) -> list[str]:
    """Return the number of runs that were dropped by a race, as a list of none or one."""
    counts = [count for one in verdict.leaderboard.configurations if (count := one.count(State.DROPPED))]
    if not counts:
        return []
    runs = f"{sum(counts)} run{'s' if sum(counts) > 1 else ''}"
    settings = f"{len(counts)} configuration{'s' if len(counts) > 1 else ''}"
    return [f"{runs} of {settings} ended early, dropped by race=steps (excluded from the comparison)."]


def _names(verdict: Verdict, places: Sequence[int], of: int) -> str:
    if len(places) == of and of > 1:
        return f"all {of} others"
    names = [verdict.leaderboard.configurations[place].name for place in places]
    if len(names) <= NAMES:
        return "; ".join(names)
    return f"{len(names)} of {of} others"
