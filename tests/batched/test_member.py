"""Settings of a member."""

from __future__ import annotations

import pytest

from gansweep.batched.member import PlayerSettings
from gansweep.optimizers.lookahead import Lookahead
from gansweep.schedules.constant import Constant


class EarlierRule:
    elementwise = True

    def state(self, slots, theta):
        return {}

    def update(self, slots, theta, gradient, state, lr, step):
        pass


@pytest.mark.parametrize("rule", [EarlierRule(), Lookahead(EarlierRule())], ids=["itself", "wrapped"])
def test_an_update_without_a_context_is_refused(rule):
    message = (
        r"EarlierRule.update\(slots, theta, gradient, state, lr, step\): expected update\(theta, grad, state, context\)"
    )
    with pytest.raises(ValueError, match=message):
        PlayerSettings(rule, 1e-3, Constant())
