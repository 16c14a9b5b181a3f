"""Every class that a file in conf/ names passes all checks."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from omegaconf import OmegaConf
from tests.check.subjects import subject
from tests.construct import instantiate

from gansweep.check import convergence, dynamics, loss, members, optimizer, penalty, rates, schedule
from gansweep.check.bench import Subject
from gansweep.cli import folders
from gansweep.cli.check import subjects_of

GROUPS = {
    "optimizer": (optimizer, rates, members, convergence),
    "loss": (loss, penalty, rates, convergence),
    "schedule": (schedule,),
    "dynamics": (dynamics, rates, convergence),  # tests/dynamics checks the independence of members
}
GRADIENT_DESCENT = "gradient descent follows the eigenvalues", "Jacobian matches finite differences"
OPTIMIZERS = "optimizer steps follow the eigenvalues"
EXPECTED_TO_FAIL = {("wgan_gp_per_pixel", "takes the gradient norm over a whole sample")}  # reproduces an error
CHECKED_ELSEWHERE = {"optimizer": GRADIENT_DESCENT, "loss": (OPTIMIZERS,), "dynamics": (OPTIMIZERS,)}


def names(group):
    return sorted(path.stem for path in (folders.conf_dir() / group).glob("*.yaml"))


def make(group, name):
    return instantiate(OmegaConf.load(folders.conf_dir() / group / f"{name}.yaml"))


NESTED = ("schedule", "optimizer")


@cache
def composed(group):
    """Return the subjects of a group whose files contain others, which only a composition inserts."""
    subjects = subjects_of([f"{group}={','.join(names(group))}", "steps=60"])
    return {words.split()[0].partition("=")[2]: tested for words, tested in subjects.items()}


def subject_of(group, name):
    if group in NESTED:
        return composed(group)[name]
    if group == "loss":
        objective = make(group, name)
        plain = subject()
        return Subject(replace(plain.member, objective=objective), plain.dynamics, objective.critic_steps)
    return subject(**{group: make(group, name)})


@pytest.mark.parametrize(("group", "name"), [(group, name) for group in GROUPS for name in names(group)])
def test_every_class_passes(group, name):
    checks = [check for family in GROUPS[group] for check in family.checks(subject_of(group, name))]
    skipped = (*CHECKED_ELSEWHERE.get(group, ()), f"{convergence.LONG} optimizer steps from (1, 1)")
    findings = [check() for check in checks if check.requirement not in skipped]
    failures = [row for row in findings if row.failed and (name, row.requirement) not in EXPECTED_TO_FAIL]
    assert [f"{row.requirement}: {row.numbers}" for row in failures] == []
    assert any(row.passed for row in findings)
