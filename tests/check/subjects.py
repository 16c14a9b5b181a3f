"""Subjects of a check: one class under test, the simplest choice for everything else."""

from __future__ import annotations

from gansweep.batched.member import Member, PlayerSettings
from gansweep.check.bench import Subject
from gansweep.dynamics.alternating import Alternating
from gansweep.losses.objective import Objective
from gansweep.losses.standard import Standard
from gansweep.optimizers.sgd import SGD
from gansweep.schedules.constant import Constant


def subject(rule=None, game=None, penalty=None, schedule=None, dynamics=None, steps=40):
    player = PlayerSettings(rule or SGD(), 1e-3, schedule or Constant())
    objective = Objective(game or Standard(), {"mine": penalty} if penalty else {})
    return Subject(Member(0, objective, player, player, steps), dynamics or Alternating())


def failed(tested, family, only=None):
    """Return the numbers of the failed checks by requirement; with `only`, of one check."""
    findings = [check() for check in family.checks(tested) if only in (None, check.requirement)]
    return {finding.requirement: finding.numbers for finding in findings if finding.failed}
