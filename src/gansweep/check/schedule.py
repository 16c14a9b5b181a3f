"""Checks that a schedule is a finite, pure, picklable function of the step."""

from __future__ import annotations

import math
from collections.abc import Iterator
from multiprocessing.reduction import ForkingPickler

import numpy as np

from gansweep.check.bench import Subject
from gansweep.check.finding import Answer, Check, requirement
from gansweep.interfaces import Schedule

MAX_STEPS = 64


def checks(subject: Subject) -> Iterator[Check]:
    """Yield the checks of every schedule of the member, over its whole run."""
    member = subject.member
    schedules = {"schedule": member.generator.schedule}
    if repr(member.discriminator.schedule) != repr(member.generator.schedule):
        schedules["schedule_d"] = member.discriminator.schedule
    for part in ("penalty_schedule", "noise_schedule", "ema_schedule"):
        if getattr(member, part) is not None:
            schedules[part] = getattr(member, part)
    for part, schedule in schedules.items():
        for required in (_finite, _values, _pure, _pickles):
            yield required.check(part, schedule, member.steps)


def _steps(n: int) -> list[int]:
    """Return up to about 64 steps in shuffled order, including the first and the last."""
    steps = sorted({0, n - 1, *np.linspace(0, n - 1, min(n, MAX_STEPS)).astype(int).tolist()})
    return [steps[n] for n in np.random.default_rng(0).permutation(len(steps))]


@requirement(
    "finite and non-negative", "look for a square root, a logarithm or a division at the first and the last step"
)
def _finite(schedule: Schedule, n: int) -> Answer:
    values = np.array([schedule(step, n) for step in sorted(_steps(n))])
    return bool(np.isfinite(values).all() and (values >= 0).all()), f"from {values.min():.4g} to {values.max():.4g}"


@requirement(
    "values(n) equals the calls", "return float64 of length n, equal to schedule(0, n), ..., schedule(n - 1, n)"
)
def _values(schedule: Schedule, n: int) -> Answer:
    values = np.asarray(schedule.values(n))
    if values.shape != (n,) or values.dtype != np.float64:
        return False, f"shape {values.shape}, {values.dtype}; expected ({n},), float64"
    pairs = [(float(values[step]), schedule(step, n)) for step in sorted(_steps(n))]
    error = max(0.0 if value == called else abs(value - called) for value, called in pairs)
    return error <= 1e-12 * np.abs(values).max(), f"{n} values, largest difference {error:.2g}"


@requirement(
    "pure: independent of the call order",
    "keep no counter: a resumed run starts in the middle, and two players share one object",
)
def _pure(schedule: Schedule, n: int) -> Answer:
    ordered = {step: schedule(step, n) for step in sorted(_steps(n))}
    shuffled = {step: schedule(step, n) for step in _steps(n)}
    changed = sum(abs(ordered[step] - shuffled[step]) != 0 for step in ordered)
    return changed == 0, f"{changed} of {len(ordered)} steps return another value when called again"


@requirement("can be pickled", "use a frozen dataclass at module level, without lambdas")
def _pickles(schedule: Schedule, n: int) -> Answer:
    # As when sent to another process.
    copy = ForkingPickler.loads(bytes(ForkingPickler.dumps(schedule)))  # pyright: ignore[reportAttributeAccessIssue]
    steps = (0, n // 2, n - 1)
    same = all(math.isclose(copy(step, n), schedule(step, n), rel_tol=0, abs_tol=0) for step in steps)
    return same, "the copy returns the same values" if same else "the copy returns other values"
