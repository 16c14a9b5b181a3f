"""Properties of the settings: which belong to the identity, the pack, the sweep and the tables.

This is the only list of settings by name. The identity of a run, the grouping of cells into packs, the settings that a
grid can't vary and the columns of tables are derived from it, so that they distinguish runs consistently. A setting
that is not listed is part of the identity and may differ between the members of a pack.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Key:
    """Properties of one setting.

    Args:
        name: dotted path in the configuration.
        identity: True if the setting can change the numbers of a run. Cells that differ only in settings with False
            are the same run.
        identity_unless: value that is omitted from the identity, so that hashes from before the setting existed are
            kept.
        shared_in_pack: all members of a pack must have the same value. A setting listed inside a shared group without
            this flag may differ.
        whole_sweep: the setting applies to the whole sweep, so a grid can't vary it.
        fallback: the setting whose value is used if this one is null.
        group: config group of its choices, if that has another name.
        column: every spreadsheet has a column for it.
        caption: the caption of a table states it if all cells have the same value.
    """

    name: str
    identity: bool = True
    identity_unless: Any = None
    shared_in_pack: bool = False
    whole_sweep: bool = False
    fallback: str = ""
    group: str = ""
    column: bool = False
    caption: bool = False

    @property
    def choice(self) -> str:
        """The key on the command line, `optimizer@optimizer_d` for optimizer_d."""
        return f"{self.group}@{self.name}" if self.group else self.name


# Captions and spreadsheets list the settings in this order.
KEYS = (
    Key("experiment", caption=True),
    Key("protocol", caption=True),
    Key("scale", caption=True),
    Key("data", shared_in_pack=True, caption=True),
    # The identity contains a hash of the data instead, so that a data set may be moved.
    *(Key(f"data.{name}", identity=False) for name in ("root", "path", "download")),
    Key("model", shared_in_pack=True, caption=True),
    Key("loss", caption=True),
    Key("optimizer", caption=True),
    Key("optimizer_d", fallback="optimizer", group="optimizer", column=True, caption=True),
    Key("schedule", caption=True),
    Key("schedule_d", fallback="schedule", group="schedule", column=True, caption=True),
    *(Key(f"schedule_{of}", group="schedule", caption=True) for of in ("beta", "beta_d", "penalty", "noise", "ema")),
    Key("schedule_critic", shared_in_pack=True, group="schedule", caption=True),
    Key("algorithm", shared_in_pack=True),
    *(Key(f"algorithm.{name}") for name in ("eta", "schedule_eta", "feedback_eta")),
    Key("dynamics", shared_in_pack=True, caption=True),
    Key("feedback", caption=True),
    Key("feedback_d", fallback="feedback", group="feedback", caption=True),
    Key("lr", column=True, caption=True),
    Key("lr_d", fallback="lr", column=True, caption=True),
    Key("batch_size", shared_in_pack=True, column=True, caption=True),
    Key("critic_steps", shared_in_pack=True, column=True, caption=True),
    Key("trainer.ema", caption=True),
    *(Key(f"trainer.{name}", shared_in_pack=True) for name in ("check_every", "patience", "compile")),
    *(Key(f"trainer.{name}_every", identity=False) for name in ("log", "sample", "checkpoint", "diagnose")),
    *(Key(f"trainer.{name}", identity=False) for name in ("checkpoint_minutes", "tensorboard", "progress")),
    Key("seed", column=True),
    Key("precision", shared_in_pack=True),
    Key("device", identity=False, shared_in_pack=True),
    Key("threads", identity_unless=1, shared_in_pack=True),
    *(
        Key(name, identity=False, whole_sweep=True)
        for name in ("name", "plan", "fresh", "retry_failed", "diverged", "allow")
    ),
    *(Key(name, identity=False, whole_sweep=True) for name in ("workers", "pack", "seeds", "most_seeds", "most_cells")),
    Key("hydra", identity=False),
)

SURROUNDINGS = frozenset(key.name for key in KEYS if not key.identity and "." not in key.name)
WHOLE_SWEEP = tuple(key.name for key in KEYS if key.whole_sweep)
UNLESS = {key.name: key.identity_unless for key in KEYS if key.identity_unless is not None}
FALLBACKS = {key.name: key.fallback for key in KEYS if key.fallback}
COLUMNS = tuple(key.name for key in KEYS if key.column)
CAPTION = tuple(key.choice for key in KEYS if key.caption)


def inside(group: str) -> dict[str, Key]:
    """Return the listed settings inside a group by their names within the group."""
    return {key.name.partition(".")[2]: key for key in KEYS if key.name.startswith(f"{group}.")}


def is_surrounding(typed: str) -> bool:
    """Return True if a command-line key is one of `SURROUNDINGS`, or inside one."""
    return re.split(r"[./@]", typed.lstrip("+~"))[0] in SURROUNDINGS


def is_part_of_identity(typed: str) -> bool:
    """Return True if a command-line key can change the numbers of a run.

    >>> [is_part_of_identity(key) for key in ("lr", "optimizer@optimizer_d", "data.root", "hydra/launcher", "+workers")]
    [True, True, False, False, False]
    """
    return not is_surrounding(typed) and all(key.identity for key in KEYS if key.name == typed.lstrip("+~"))


def without_surroundings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a configuration that belongs to the identity."""
    kept = {key: value for key, value in config.items() if key not in SURROUNDINGS and UNLESS.get(key, ...) != value}
    for group, value in kept.items():
        if isinstance(value, Mapping):
            listed = inside(group)
            kept[group] = {key: v for key, v in value.items() if key not in listed or listed[key].identity}
    return kept


def shared_in_pack(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a configuration that all members of a pack must have in common."""
    shared: dict[str, Any] = {}
    for key in KEYS:
        group, _, name = key.name.rpartition(".")
        if key.shared_in_pack:
            shared[name] = (config.get(group) or {}).get(name) if group else config.get(name)
    for group in [name for name in shared if inside(name) and isinstance(shared[name], Mapping)]:
        own = [name for name, key in inside(group).items() if key.identity and not key.shared_in_pack]
        shared[group] = {name: value for name, value in shared[group].items() if name not in own}
    # A schedule of critic steps is relative to the length of the run.
    return shared | ({"steps": config.get("steps")} if config.get("schedule_critic") else {})
