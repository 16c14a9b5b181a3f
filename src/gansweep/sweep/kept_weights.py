"""Weights that the cells of a sweep keep besides the last ones (`trainer.keep`): size, and where they are missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gansweep.formatting import file_size
from gansweep.sweep.cell import Cell, cells, state
from gansweep.training import kept


def sizes(sweep: Sequence[Cell]) -> list[str]:
    """Return one line with the total size of the weights that cells keep, none if they keep the last ones only."""
    keeping = [cell for cell in sweep if _keep(cell) != "last"]
    if not keeping:
        return []
    from gansweep.config.build import check
    from gansweep.training.run import Intervals

    runs = [run for cell in keeping if (run := cell.run or check(cell.config).run) is not None]
    counts = [
        1 if run.trainer.keep == "best" else len(Intervals(run.trainer, run.steps).evaluations(run.steps))
        for run in runs
    ]
    total = sum(count * kept.num_bytes(run) for count, run in zip(counts, runs, strict=True))
    return [f"trainer.keep: about {file_size(total)} for {sum(counts)} files with weights of {cells(len(runs))}"]


def missing(sweep: Sequence[Cell]) -> list[str]:
    """Return one line for each value of `trainer.keep` about finished cells that were trained with another one."""
    counts = Counter(
        keep for cell in sweep if (keep := _keep(cell)) != "last" and state(cell).is_result and not _is_kept(cell, keep)
    )
    return [
        f"trainer.keep={keep}: {cells(count)} finished without; only new trainings keep weights, fresh=true starts over"
        for keep, count in counts.items()
    ]


def _keep(cell: Cell) -> str:
    return str((cell.config.get("trainer") or {}).get("keep", "last"))


def _is_kept(cell: Cell, keep: str) -> bool:
    return bool(kept.files(cell.directory)) if keep == "all" else kept.best(cell.directory) is not None
