"""Subjects of a check: one choice in question, everything else as plain as it gets."""

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


def failed(one, family, only=None):
    """Return the promises that it breaks, with the numbers behind each; `only` tries one of them."""
    found = [check() for check in family.checks(one) if only in (None, check.promise)]
    return {each.promise: each.numbers for each in found if each.failed}
