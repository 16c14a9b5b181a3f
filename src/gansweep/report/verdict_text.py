"""Verdicts in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from gansweep.report import markdown
from gansweep.report.ranks import ranks
from gansweep.report.verdict import LEVEL, MOST_FOR_ALL_PAIRS, Verdict
from gansweep.section import Section

ROWS, NAMES = 30, 5


def told(verdict: Verdict) -> Section:
    """Say who is first, whom it beats, and what it would take to tell it from the others."""
    parts = [" ".join(sentences(verdict))]
    if verdict.order:
        parts.append(markdown.write(ranks(verdict, ROWS)))
        if len(verdict.order) > ROWS:
            parts.append(f"{len(verdict.order) - ROWS} more are in `--format csv`.")
    return Section("Verdict", "\n\n".join(parts))


def sentences(verdict: Verdict) -> list[str]:
    """Return what is to be said, one thing each."""
    contest, order = verdict.contest, verdict.order
    no_better = [place for place in order if place in verdict.no_better]
    if verdict.first is None:
        if no_better:
            return [f"No setting is better than the untrained generator by {contest.how} {contest.metric_name}."]
        return ["No run has a value yet." if not order else "Every run is N/A."]
    if len(order) == 1:
        return [f"Only {verdict.first.name} has come to an end, so there is nothing to compare."]
    said = [f"**{verdict.first.name}** is first of {len(order)} by {contest.how} {contest.metric_name}"]
    chance = verdict.p_first.get(order[0])
    said[0] += "." if chance is None else f", and in {chance:.0%} of the sweeps drawn again from its seeds."
    if no_better:
        names = _names(verdict, no_better, len(order) - 1)
        said.append(f"No better than the untrained generator, and so not ranked: {names}.")
    if not verdict.tests:
        return [*said, "One seed each says nothing about which is better; add seeds, as in `seed=0,1,2`."]
    against = {place: verdict.comparisons[order[0], place] for place in order[1:] if place not in no_better}
    beaten = [place for place, found in against.items() if found.beaten(LEVEL) and found.sign < 0]
    all_na = [place for place in against if not contest.candidates[place].estimate.n]
    beaten = [place for place in beaten if place not in all_na]
    undecided = [place for place in against if place not in (*beaten, *all_na)]
    if beaten:
        said.append(f"It beats {_names(verdict, beaten, len(against))}.")
    if undecided:
        said.append(f"Undecided against {_names(verdict, undecided, len(against))}.")
        needs = [(more, place) for place in undecided if (more := against[place].more_seeds()) is not None]
        if needs:
            more, place = min(needs)
            said.append(
                f"The one nearest to a decision is {contest.candidates[place].name}: "
                f"about {more} more seed{'s' if more > 1 else ''}."
            )
    if all_na:
        said.append(f"Every run is N/A of {_names(verdict, all_na, len(against))}.")
    number = len(verdict.order) * (len(verdict.order) - 1) // 2
    pairs = f"all {number} pairs" if number > 1 else "the one pair"
    some = f", of which those with the first were looked at, for there are more than {MOST_FOR_ALL_PAIRS} settings"
    said.append(
        f"Tests: {' and '.join(verdict.tests)} over equal seeds, two-sided, with Holm's correction for {pairs}"
        f'{some if len(verdict.order) > MOST_FOR_ALL_PAIRS else ""}: the chance of any wrong "beats" is {LEVEL:.0%}.'
    )
    lost = sum(one.estimate.num_na for one in contest.candidates)
    if lost:
        said.append(f"{lost} of {len(contest.results)} runs are N/A: they rank last and lose every comparison.")
    failed = sum(one.num_failed for one in contest.candidates)
    if failed:
        said.append(f"{failed} runs raised an error; they count neither way.")
    missing = sum(one.num_missing for one in contest.candidates)
    if missing:
        said.append(f"{missing} runs have not come to an end.")
    return said


def _names(verdict: Verdict, places: Sequence[int], of: int) -> str:
    if len(places) == of and of > 1:
        return f"all {of} others"
    names = [verdict.contest.candidates[place].name for place in places]
    if len(names) <= NAMES:
        return "; ".join(names)
    return f"{len(names)} of {of} others"
