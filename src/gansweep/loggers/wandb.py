"""Weights & Biases."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from gansweep.interfaces import LoggedRun
from gansweep.loggers import pixels, require

if TYPE_CHECKING:
    from torch import Tensor

STEP = "step"


@dataclass(frozen=True)
class WandB:
    """Curves, pictures, settings and results in Weights & Biases.

    The seeds of a configuration have the same group: "Group by: Group" in the runs table shows their mean and standard
    deviation in every chart. The files are in the folder `wandb` of the sweep, from where
    `wandb sync outputs/SWEEP/wandb/offline-*` uploads them.

    Args:
        project: project; null: the name of the sweep.
        entity: user or team; null: the default of the account.
        mode: offline writes files only; online needs `wandb login` and a network.
    """

    project: str | None = None
    entity: str | None = None
    mode: Literal["offline", "online"] = "offline"

    def __post_init__(self) -> None:
        require("wandb", "wandb")

    def open(self, run: LoggedRun) -> WandBRun:
        """Return a new run of W&B; its id follows from the name of the cell, so that it continues the same run."""
        wandb = import_module("wandb")

        return WandBRun(
            wandb.init(
                project=self.project or run.sweep,
                entity=self.entity,
                mode=self.mode,
                dir=run.directory.parent,
                name=run.name,
                id=hashlib.sha256(f"{run.sweep}/{run.name}".encode()).hexdigest()[:16],
                resume="allow",
                group=run.group,
                job_type="train",
                config={"settings": dict(run.settings), **run.config},
                reinit="create_new",  # the members of a pack are open at the same time
                settings=wandb.Settings(console="off", silent=True, disable_git=True, save_code=False),
            )
        )


class WandBRun:
    """One run of W&B.

    Args:
        run: the result of `wandb.init`.
    """

    def __init__(self, run: Any) -> None:
        self.run = run
        # W&B's own step can't go back, as it does in a run that continues from a checkpoint.
        run.define_metric(STEP, hidden=True)
        run.define_metric("*", step_metric=STEP)

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Add one point to each curve."""
        self.run.log({**values, STEP: step})

    def picture(self, tag: str, picture: Tensor, step: int) -> None:
        """Add a picture (3, h, w) in [0, 1]."""
        wandb = import_module("wandb")
        self.run.log({tag: wandb.Image(pixels(picture)), STEP: step})

    def close(self, record: Mapping[str, Any] | None) -> None:
        """Write state and results, and finish the run."""
        if record is not None:
            metric = record["metric"] or {}
            self.run.summary.update(
                {"state": record["state"], "final": metric.get("final"), "best": metric.get("best")}
            )
        self.run.finish(exit_code=0 if record is not None else 1)
