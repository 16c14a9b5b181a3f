"""Report section: causes and steps of divergences, and errors."""

from __future__ import annotations

import statistics
from collections import Counter
from functools import partial

from gansweep.formatting import markdown
from gansweep.report.pictures.survival import cause, run_steps, survival_picture
from gansweep.report.plot_axes import Roles
from gansweep.report.verdict import Verdict
from gansweep.section import Section
from gansweep.sweep.cell import State


def section(verdict: Verdict) -> Section | None:
    """Return the section with counts of divergences by cause; None if no run diverged or failed."""
    results = verdict.contest.results
    dead = [result for result in results if result.state is State.DIVERGED]
    failed = [result for result in results if result.state is State.FAILED]
    parts = []
    if dead:
        counts = Counter(cause(result) for result in dead)
        rows = []
        for name, count in counts.most_common():
            steps = sorted(run_steps(result) for result in dead if cause(result) == name)
            rows.append([name, str(count), str(steps[0]), f"{statistics.median(steps):g}", str(steps[-1])])
        parts += [
            f"{len(dead)} of {len(results)} runs diverged{_where(verdict)}.",
            markdown(["player and cause", "runs", "first step", "median", "last"], rows),
        ]
    if failed:
        kinds = Counter(result.trouble for result in failed)
        files = {r.trouble: f"; traceback in {r.traceback}" if r.traceback else "" for r in reversed(failed)}
        parts.append(
            f"{len(failed)} runs raised an error (not counted as divergence):\n\n"
            + "\n".join(f"- {' '.join(text.split())} ({count}){files[text]}" for text, count in kinds.most_common(10))
        )
    if not parts:
        return None
    pictures = {"Runs that have not diverged, and the causes": partial(survival_picture, verdict)} if dead else {}
    return Section("Divergences", "\n\n".join(parts), pictures)


def _where(verdict: Verdict) -> str:
    roles = Roles.of(verdict.contest)
    if roles.rate is None:
        return ""
    dying = sorted({roles.rate_of(one) for one in verdict.contest.candidates if one.num_diverged})
    return f", from {roles.rate}={dying[0]:g} on" if len(dying) > 1 else f", all at {roles.rate}={dying[0]:g}"
