"""Cells whose processes died while they trained them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gansweep.sweep import process

MOST_DEATHS = 2


class ProcessDied(Exception):
    """The processes that trained a cell died again and again."""


@dataclass(frozen=True)
class Suspicion:
    """What is known of earlier owners of a directory that died: the work there may have killed them.

    Args:
        limit: of how many cells a pack with this one may consist: half as many as the one whose process died.
        deaths: how the processes ended that died while they trained this cell and no other, as their living parent saw.
    """

    limit: int
    deaths: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it in JSON's types."""
        return {"limit": self.limit, "deaths": list(self.deaths)}

    @classmethod
    def noted(cls, content: Mapping[str, Any]) -> Suspicion | None:
        """Read what a claim passes on, None if its predecessors are above suspicion."""
        limit, deaths = content.get("limit"), content.get("deaths")
        if not isinstance(limit, int):
            return None
        return cls(max(limit, 1), tuple(map(str, deaths)) if isinstance(deaths, list) else ())

    @classmethod
    def after_death(cls, content: Mapping[str, Any]) -> Suspicion | None:
        """Derive it from the claim of a process that died. A machine that was started anew casts no suspicion."""
        before = cls.noted(content)
        if not content or content.get("released") or process.rebooted(content):
            return before
        together = content.get("together")
        limit = max(together // 2, 1) if isinstance(together, int) else 1
        return cls(limit, before.deaths if before else ())
