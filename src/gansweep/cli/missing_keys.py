"""Settings that exist for the choices of some jobs only."""

from __future__ import annotations

from collections.abc import Sequence

from gansweep.config.errors import Problem, UnknownKey


def by_choice(jobs: Sequence[Sequence[str]], problems: Sequence[Sequence[Problem]]) -> dict[str, Problem]:
    """Return problems by key for keys that exist in some jobs only; each names the choices that have the key.

    Args:
        jobs: overrides of each job.
        problems: problems of each job.
    """
    lacking: dict[str, list[int]] = {}
    for n, of_job in enumerate(problems):
        for problem in of_job:
            if isinstance(problem, UnknownKey):
                lacking.setdefault(problem.where, []).append(n)
    return {where: _problem(where, jobs, indices) for where, indices in lacking.items() if len(indices) < len(jobs)}


def _problem(where: str, jobs: Sequence[Sequence[str]], lacking: Sequence[int]) -> Problem:
    """Return the problem of a key, with the choice that separates the jobs that have it from those that do not."""
    typed = _typed(where, jobs[lacking[0]])
    key, equals, value = typed.partition("=")
    start = f"={value}: " if equals else ""
    having = [n for n in range(len(jobs)) if n not in set(lacking)]
    choices = [_choices(job) for job in jobs]
    varied = [name for name in choices[lacking[0]] if len({job.get(name) for job in choices}) > 1]
    for choice in varied:
        without, with_ = (list(dict.fromkeys(choices[n].get(choice, "") for n in those)) for those in (lacking, having))
        if not set(without) & set(with_):
            has, lacks = (" and ".join(f"{choice}={value}" for value in those) for those in (with_, without))
            return Problem(
                key,
                f"{start}{has} {_have(with_)} this key, {lacks} {_have(without)} not. Two lines with the same name=... "
                f"are one sweep: one with {choice}={','.join(with_)} {typed}, "
                f"the other with {choice}={','.join(without)} and without {typed if not equals else key}",
            )
    job = " ".join(f"{name}={choices[lacking[0]][name]}" for name in varied)
    some = f"{len(having)} of {len(jobs)} jobs have this key, but not the job {job}"
    return Problem(key, f"{start}{some}. Lines with the same name=... are one sweep")


def _choices(job: Sequence[str]) -> dict[str, str]:
    """Return the values of a job by key, except mappings."""
    pairs = (override.partition("=") for override in job)
    return {key: value for key, _, value in pairs if not value.startswith("{")}


def _typed(where: str, job: Sequence[str]) -> str:
    """Return the override that sets a key: its value, one inside it, or a mapping around it."""
    bare = where.lstrip("+~")
    for override in job:
        key, _, value = override.partition("=")
        key = key.lstrip("+~")
        if key == bare or key.startswith(f"{bare}.") or (bare.startswith(f"{key}.") and value.startswith("{")):
            return override
    return where


def _have(choices: Sequence[str]) -> str:
    return "has" if len(choices) == 1 else "have"
