"""Optimizer that fails in a configured way while a file `broken` exists."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

YAML = "_target_: failing_rule.Failing\nhow: not_at_all\nmomentum: 0.0\n"
TRUST = ("--config-dir", "conf", "allow=[failing_rule]", "optimizer=failing", "name=s")


class Unpicklable(Exception):
    """Exception that cannot be unpickled."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__("made of two")


@dataclass(frozen=True)
class Failing:
    """theta <- theta - lr g, failing in step 5.

    Args:
        how: a method of this class, or `not_at_all`.
        momentum: nothing but a number to be edited.
        folder: where `broken` lies.
    """

    how: str = "not_at_all"
    momentum: float = 0.0
    folder: str = "."
    elementwise: ClassVar[bool] = True

    def state(self, slots, theta):
        return {}

    def update(self, theta, grad, state, context):
        if int(context.step[0]) == 5 and Path(self.folder, "broken").exists():
            getattr(self, self.how)()
        theta.addcmul_(grad, context.lr.to(theta.dtype), value=-1)

    def not_at_all(self) -> None:
        pass

    def by_raising(self) -> None:
        raise RuntimeError("something is wrong")

    def by_leaving(self) -> None:
        sys.exit(7)

    def by_memory(self) -> None:
        raise MemoryError

    def by_an_odd_error(self) -> None:
        raise Unpicklable(1, 2)

    def by_being_killed(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def by_exiting(self) -> None:
        os._exit(3)

    def by_interrupting(self) -> None:
        raise KeyboardInterrupt

    def by_a_base_exception(self) -> None:
        raise BaseException("not to be caught")

    def by_editing(self) -> None:
        yaml = Path("conf/optimizer/failing.yaml")
        yaml.write_text(yaml.read_text().replace("momentum: 0.0", "momentum: 0.5"))
