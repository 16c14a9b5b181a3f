"""Information about cells whose process died during training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gansweep.sweep import process

MOST_DEATHS = 2


class ProcessDied(Exception):
    """Recorded as the error of a cell whose processes died repeatedly."""


@dataclass(frozen=True)
class Suspicion:
    """Information about dead previous owners of a cell, whose training may have caused the deaths.

    Args:
        limit: maximum size of a pack with this cell: half the size of the pack whose process died.
        deaths: exit codes or signals of processes that died while they trained only this cell, as reported by their
            parent process.
    """

    limit: int
    deaths: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the fields in JSON types."""
        return {"limit": self.limit, "deaths": list(self.deaths)}

    @classmethod
    def noted(cls, content: Mapping[str, Any]) -> Suspicion | None:
        """Return the suspicion stored in a claim, None if there is none."""
        limit, deaths = content.get("limit"), content.get("deaths")
        if not isinstance(limit, int):
            return None
        return cls(max(limit, 1), tuple(map(str, deaths)) if isinstance(deaths, list) else ())

    @classmethod
    def after_death(cls, content: Mapping[str, Any]) -> Suspicion | None:
        """Return the suspicion that follows from the claim of a dead process; a reboot of the machine adds none."""
        before = cls.noted(content)
        if not content or content.get("released") or process.rebooted(content):
            return before
        together = content.get("together")
        limit = max(together // 2, 1) if isinstance(together, int) else 1
        return cls(limit, before.deaths if before else ())
