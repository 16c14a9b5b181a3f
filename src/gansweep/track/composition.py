"""Composition of the settings of a track and of an entry, as for a training but without one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gansweep.cli.grid import cell_of
from gansweep.cli.hydra_app import composed
from gansweep.config.errors import BadConfig
from gansweep.sweep.cell import Cell
from gansweep.track.track import Track


def composed_cell(
    track: Track, words: Sequence[str], seed: int, extra: Sequence[str] = (), config_dir: str | None = None
) -> Cell:
    """Return the run of an entry with a seed, checked but not trained.

    Args:
        track: the track.
        words: settings of the entry, one value each.
        seed: of the run.
        extra: settings outside the identity, such as `allow=[my_gans]`.
        config_dir: directory with further YAML files.

    Raises:
        BadConfig: with all problems.
    """
    (composition,) = composed([*track.overrides, *words, f"seed={seed}", *extra], config_dir)
    if composition.problems:
        raise BadConfig(composition.problems)
    return cell_of(composition.config, composition.overrides, composition.choices, Path())
