"""Text of the verdict: which configuration is best, and which differences are significant."""

from __future__ import annotations

from collections.abc import Sequence

from gansweep.report import markdown
from gansweep.report.pivot import ranks
from gansweep.report.verdict import LEVEL, MOST_FOR_ALL_PAIRS, Verdict
from gansweep.section import Section

ROWS, NAMES = 30, 5


def told(verdict: Verdict) -> Section:
    """Return the verdict section: the best configuration, the significant differences, and the seeds still needed."""
    parts = [" ".join(sentences(verdict))]
    if verdict.order:
        parts.append(markdown.write(ranks(verdict, ROWS)))
        if len(verdict.order) > ROWS:
            parts.append(f"{len(verdict.order) - ROWS} more configurations are listed by `--format csv`.")
    return Section("Verdict", "\n\n".join(parts))


def sentences(verdict: Verdict) -> list[str]:
    """Return the sentences of the verdict, one statement each."""
    contest, order = verdict.contest, verdict.order
    no_better = [place for place in order if place in verdict.no_better]
    if verdict.first is None:
        if no_better:
            return [f"No configuration is better than the untrained generator by {contest.how} {contest.metric_name}."]
        return ["No run has a value yet." if not order else "Every run is N/A."]
    if len(order) == 1:
        which = f" ({verdict.first.name})" if len(contest.candidates) > 1 else ""
        return [f"Only one configuration has finished{which}; nothing to compare."]
    lines = [f"**{verdict.first.name}** is first of {len(order)} by {contest.how} {contest.metric_name}"]
    probability = verdict.p_first.get(order[0])
    lines[0] += "." if probability is None else f", and in {probability:.0%} of bootstrap resamples of the seeds."
    if no_better:
        names = _names(verdict, no_better, len(order) - 1)
        lines.append(f"Not ranked because no better than the untrained generator: {names}.")
    if not verdict.tests:
        return [*lines, "One seed per configuration is not enough for a test; add seeds, for example `seed=0,1,2`."]
    against = {place: verdict.comparisons[order[0], place] for place in order[1:] if place not in no_better}
    beaten = [place for place, test in against.items() if test.beaten(LEVEL) and test.sign < 0]
    all_na = [place for place in against if not contest.candidates[place].estimate.n]
    beaten = [place for place in beaten if place not in all_na]
    undecided = [place for place in against if place not in (*beaten, *all_na)]
    if beaten:
        lines.append(f"It beats {_names(verdict, beaten, len(against))}.")
    if undecided:
        lines.append(f"Undecided against {_names(verdict, undecided, len(against))}.")
        needs = [(more, place) for place in undecided if (more := against[place].more_seeds()) is not None]
        if needs:
            more, place = min(needs)
            lines.append(
                f"The comparison that needs the fewest additional seeds is with {contest.candidates[place].name}: "
                f"about {more} more seed{'s' if more > 1 else ''}."
            )
    if all_na:
        lines.append(f"Every run is N/A: {_names(verdict, all_na, len(against))}.")
    number = len(verdict.order) * (len(verdict.order) - 1) // 2
    pairs = f"all {number} pairs" if number > 1 else "one pair"
    some = f" (only the pairs with the first were tested: more than {MOST_FOR_ALL_PAIRS} configurations)"
    lines.append(
        f"Tests: {' and '.join(verdict.tests)} on pairs of equal seeds, two-sided, Holm-corrected for {pairs}"
        f"{some if len(verdict.order) > MOST_FOR_ALL_PAIRS else ''}, family-wise error rate {LEVEL:.0%}."
    )
    num_na = sum(candidate.estimate.num_na for candidate in contest.candidates)
    if num_na:
        lines.append(f"{num_na} of {len(contest.results)} runs are N/A: they rank last and lose every comparison.")
    failed = sum(candidate.num_failed for candidate in contest.candidates)
    if failed:
        lines.append(f"{failed} run{'s' if failed > 1 else ''} raised an error (excluded from the comparison).")
    missing = sum(candidate.num_missing for candidate in contest.candidates)
    if missing:
        lines.append(f"{missing} run{'s have' if missing > 1 else ' has'} not finished.")
    return lines


def _names(verdict: Verdict, places: Sequence[int], of: int) -> str:
    if len(places) == of and of > 1:
        return f"all {of} others"
    names = [verdict.contest.candidates[place].name for place in places]
    if len(names) <= NAMES:
        return "; ".join(names)
    return f"{len(names)} of {of} others"
