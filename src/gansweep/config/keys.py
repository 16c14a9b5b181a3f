"""All settings by name: types and ranges at the root; which belong to identity, pack, sweep and tables.

`KEYS` is the only list of settings by name. The identity of a run, the grouping of cells into packs,
the settings that a grid can't vary and the columns of tables are derived from it, so that they
distinguish runs consistently. A setting that is not listed is part of the identity and may differ
between the members of a pack.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Key:
    """Properties of one setting.

    Args:
        name: dotted path in the configuration. `*` stands for any one name.
        identity: True if the setting can change the numbers of a run. Cells that differ only in settings with False
            are the same run.
        identity_unless: default that is omitted from the identity, so that hashes from before the setting existed are
            kept. The setting may be at any depth, such as `loss.penalties.*.every`.
        identity_unless_of: classes (`_target_`) that got the setting later, if it is as old as others; empty for all.
        shared_in_pack: all members of a pack must have the same value. A setting listed inside a shared group without
            this flag may differ.
        continuable: a run may continue from the checkpoint of one that differs only in such settings, if all schedules
            have the same values up to that step; see `sweep.continuation`.
        whole_sweep: the setting applies to the whole sweep, so a grid can't vary it.
        fallback: the setting whose value is used if this one is null.
        group: config group of its choices, if that has another name.
        column: every spreadsheet has a column for it.
        caption: the caption of a table states it if all cells have the same value.
    """

    name: str
    identity: bool = True
    identity_unless: Any = ...
    identity_unless_of: tuple[str, ...] = ()
    shared_in_pack: bool = False
    continuable: bool = False
    whole_sweep: bool = False
    fallback: str = ""
    group: str = ""
    column: bool = False
    caption: bool = False

    @property
    def choice(self) -> str:
        """The key on the command line, `optimizer@optimizer_d` for optimizer_d."""
        return f"{self.group}@{self.name}" if self.group else self.name


CLIPPING = ("clip_grad_norm", "clip_grad_value")  # of the generator; with _d, of the discriminator

WITH_SPECTRAL_NORM = tuple(
    f"gansweep.models.{name}" for name in ("dcganx.DCGANX", "resnet4.ResNet4", "coopnets.CoopNetsPair")
)  # which had no such setting in earlier versions

# Captions and spreadsheets list the settings in this order.
KEYS = (
    Key("experiment", caption=True),
    Key("protocol", caption=True),
    Key("scale", caption=True),
    Key("data", shared_in_pack=True, caption=True),
    # The identity contains a hash of the data instead, so that a data set may be moved.
    *(Key(f"data.{name}", identity=False) for name in ("root", "path", "download", "in_memory")),
    Key("model", shared_in_pack=True, caption=True),
    Key("model.conditional", identity_unless=False, shared_in_pack=True),
    Key("model.spectral_norm", identity_unless=False, identity_unless_of=WITH_SPECTRAL_NORM, shared_in_pack=True),
    *(
        Key(f"model.{of}.spectral_norm", identity_unless=False, identity_unless_of=WITH_SPECTRAL_NORM)
        for of in ("generator_of", "discriminator_of")
    ),
    Key("loss", caption=True),
    Key("loss.penalties.*.every", identity_unless=1),
    Key("augment", caption=True),
    Key("optimizer", caption=True),
    Key("optimizer_d", fallback="optimizer", group="optimizer", column=True, caption=True),
    *(Key(f"optimizer{d}{of}.decoupled", identity_unless=False) for d in ("", "_d") for of in ("", ".of", ".of.of")),
    Key("schedule", continuable=True, caption=True),
    Key("schedule_d", continuable=True, fallback="schedule", group="schedule", column=True, caption=True),
    *(
        Key(f"schedule_{of}", continuable=True, group="schedule", caption=True)
        for of in ("beta", "beta_d", "penalty", "noise", "ema")
    ),
    Key("schedule_critic", shared_in_pack=True, continuable=True, group="schedule", caption=True),
    Key("algorithm", shared_in_pack=True),
    *(Key(f"algorithm.{name}") for name in ("eta", "feedback_eta")),
    Key("algorithm.schedule_eta", continuable=True),
    Key("dynamics", shared_in_pack=True, caption=True),
    Key("feedback", caption=True),
    Key("feedback_d", fallback="feedback", group="feedback", caption=True),
    Key("lr", column=True, caption=True),
    Key("lr_d", fallback="lr", column=True, caption=True),
    *(Key(f"{name}{d}", identity_unless=None, caption=True) for name in CLIPPING for d in ("", "_d")),
    Key("batch_size", shared_in_pack=True, column=True, caption=True),
    Key("critic_steps", shared_in_pack=True, column=True, caption=True),
    Key("trainer.ema", caption=True),
    *(Key(f"trainer.{name}", shared_in_pack=True) for name in ("check_every", "patience", "compile")),
    *(Key(f"trainer.{name}", continuable=True) for name in ("eval_every", "eval_at")),
    Key("trainer.keep", identity=False),
    *(Key(f"trainer.{name}_every", identity=False) for name in ("log", "sample", "checkpoint", "diagnose")),
    *(Key(f"trainer.{name}", identity=False) for name in ("checkpoint_minutes", "tensorboard", "progress")),
    Key("steps", continuable=True),
    Key("seed", column=True),
    *(Key(f"seed_{kind}", identity_unless=None) for kind in ("init", "data", "noise")),
    Key("eval_seeds", identity_unless=1, continuable=True),
    Key("precision", shared_in_pack=True),
    Key("device", identity=False, shared_in_pack=True),
    Key("threads", identity_unless=1, shared_in_pack=True),
    *(
        Key(name, identity=False, whole_sweep=True)
        for name in ("name", "num", "sampler", "progress", "plan", "fresh", "retry_failed", "diverged", "allow")
    ),
    *(
        Key(name, identity=False, whole_sweep=True)
        for name in ("workers", "pack", "branch", "seeds", "most_seeds", "race", "most_cells", "cells", "hours")
    ),
    Key("logger", identity=False, whole_sweep=True),
    Key("hydra", identity=False),
)

OUTSIDE_IDENTITY = frozenset(key.name for key in KEYS if not key.identity and "." not in key.name)
WHOLE_SWEEP = tuple(key.name for key in KEYS if key.whole_sweep)
IDENTITY_DEFAULTS = {key.name: key.identity_unless for key in KEYS if key.identity_unless is not ...}
IDENTITY_DEFAULTS_OF = {key.name: key.identity_unless_of for key in KEYS if key.identity_unless_of}
CONTINUABLE = tuple(key.name for key in KEYS if key.continuable)
FALLBACKS = {key.name: key.fallback for key in KEYS if key.fallback}
COLUMNS = tuple(key.name for key in KEYS if key.column)
CAPTION = tuple(key.choice for key in KEYS if key.caption)
SCHEDULES = tuple(key.name for key in KEYS if "schedule" in (key.name, key.group))
# Settings in which the runs of one configuration differ.
SEEDS = tuple(key.name for key in KEYS if re.fullmatch("seed(_.+)?", key.name))


@cache
def inside(group: str) -> Mapping[str, Key]:
    """Return the listed settings inside a group by their names within the group."""
    return {key.name.partition(".")[2]: key for key in KEYS if key.name.startswith(f"{group}.")}


def is_outside_identity(typed: str) -> bool:
    """Return True if a command-line key is one of `OUTSIDE_IDENTITY`, or inside one."""
    return re.split(r"[./@]", typed.lstrip("+~"))[0] in OUTSIDE_IDENTITY


def is_part_of_identity(typed: str) -> bool:
    """Return True if a command-line key can change the numbers of a run.

    >>> [is_part_of_identity(key) for key in ("lr", "optimizer@optimizer_d", "data.root", "hydra/launcher", "+workers")]
    [True, True, False, False, False]
    """
    return not is_outside_identity(typed) and all(key.identity for key in KEYS if key.name == typed.lstrip("+~"))


def identity_part(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a configuration that belongs to the identity."""
    kept = {key: value for key, value in config.items() if key not in OUTSIDE_IDENTITY}
    for group, value in kept.items():
        if isinstance(value, Mapping):
            listed = inside(group)
            kept[group] = {key: v for key, v in value.items() if key not in listed or listed[key].identity}
    for name, default in IDENTITY_DEFAULTS.items():
        kept = _without_default(kept, name.split("."), default, IDENTITY_DEFAULTS_OF.get(name, ()))
    return kept


def _without_default(
    config: Mapping[str, Any], path: list[str], default: Any, classes: tuple[str, ...]
) -> dict[str, Any]:
    """Return the configuration without the setting at `path` if it has its default there, in nodes of some classes."""
    name, *rest = path
    names = list(config) if name == "*" else [name] if name in config else []
    kept = dict(config)
    for key in names:
        value = config[key]
        if rest and isinstance(value, Mapping):
            kept[key] = _without_default(value, rest, default, classes)
        elif classes and config.get("_target_") not in classes:
            continue
        elif not rest and value == default and isinstance(value, bool) == isinstance(default, bool):
            del kept[key]
    return kept


def shared_in_pack(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a configuration that all members of a pack must have in common."""
    shared: dict[str, Any] = {}
    for key in KEYS:
        group, _, name = key.name.rpartition(".")
        if key.shared_in_pack:
            node = config.get(group) if group else config
            shared[name] = node.get(name) if isinstance(node, Mapping) else None
    for group in [name for name in shared if inside(name) and isinstance(shared[name], Mapping)]:
        own = [name for name, key in inside(group).items() if key.identity and not key.shared_in_pack]
        shared[group] = {name: value for name, value in shared[group].items() if name not in own}
    # A schedule of critic steps is relative to the length of the run.
    return shared | ({"steps": config.get("steps")} if config.get("schedule_critic") else {})
