"""Compose many configurations quickly: Hydra composes each choice of groups once, values are set on copies."""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from gansweep.cli.experiments import PRESETS
from gansweep.cli.overrides import Groups, Precedence
from gansweep.cli.value_overrides import flat, set_value
from gansweep.config.errors import SettingError, UnknownKey
from gansweep.formatting import first_line

ENGINES = ("joblib", "optuna", "ray", "submitit")  # Hydra plugins that an extra of this package installs
# What a further choice of a group is for, by the suffix of its key.
SEVERAL = ("logger",)  # groups of which several options can be chosen
WHOSE = {
    "d": "the discriminator alone",
    "beta": "the optimizers' beta1 or momentum",
    "beta_d": "the discriminator's beta1 or momentum",
    "penalty": "the penalties' weights",
    "noise": "the instance noise",
    "ema": "the average of the generator",
    "critic": "the critic steps",
    "2": "a second metric",
}


@dataclass(frozen=True)
class Composition:
    """Composed configuration of one job.

    Args:
        overrides: of the job, one `key=value` each.
        given: the same as values by key.
        config: resolved configuration without Hydra's node, in JSON types; empty if it could not be resolved.
        whole: unresolved configuration of the job's groups, with Hydra's node; shared by jobs of equal groups.
        base: `whole` without Hydra's node; shared too.
        values: overrides that set values in `base`.
        problems: what is wrong with the overrides.
    """

    overrides: list[str]
    given: dict[str, Any]
    config: dict[str, Any]
    whole: DictConfig
    base: DictConfig
    values: list[Override]
    problems: list[SettingError]

    @property
    def unknown_length(self) -> list[SettingError]:
        """A problem if the number of steps is given by `epochs`, so that it depends on the data set."""
        epochs = self.config.get("epochs")
        if epochs is None or "steps" in self.given:
            return []
        return [SettingError("epochs", epochs, "the number of steps depends on the data set; expected steps=...")]

    @property
    def task(self) -> DictConfig:
        """Unresolved configuration of the job, without Hydra's node.

        It is built at each call, because 10,000 of them would need a gigabyte of memory.
        """
        task = copy.deepcopy(self.base)
        for override in self.values:
            set_value(task, override)
        return task

    @property
    def choices(self) -> Mapping[str, Any]:
        """Chosen option by group; None for a group that is left out."""
        return self.whole.hydra.runtime.choices


@dataclass(frozen=True)
class Base:
    """Hydra's composition of one choice of groups."""

    whole: DictConfig
    task: DictConfig
    hydra: Any
    problems: list[SettingError] = field(default_factory=list)

    @property
    def choices(self) -> Mapping[str, Any]:
        """Chosen option by group."""
        return self.whole.hydra.runtime.choices


class Composer:
    """Composition of the jobs of a sweep, with one call of Hydra per choice of groups.

    A composition by Hydra takes about 0.1 s. Jobs that differ only in plain values share one, and their values are
    set on a copy by Hydra's own function.
    """

    def __init__(self, compose: Callable[[list[str]], DictConfig], loader: ConfigLoader) -> None:
        self._compose, self._groups = Precedence(compose, loader), Groups(loader)
        self._bases: dict[tuple[str, ...], Base] = {}
        self._parser = OverridesParser.create(config_loader=loader)
        self._parsed: dict[str, Override] = {}

    def __call__(self, overrides: Sequence[str]) -> Composition:
        """Compose one job; invalid overrides are left out and reported in `problems`."""
        parsed = [self._parse(line) for line in overrides]
        problems = [problem for override in parsed for problem in self._choice_problems(override)]
        wrong = {problem.name for problem in problems}
        parsed = [override for override in parsed if override.get_key_element() not in wrong]
        # Hydra sets values in their order, after all groups.
        base = self._base([override for override in parsed if self._composed_by_hydra(override)])
        values = [override for override in parsed if not self._composed_by_hydra(override)]
        problems += base.problems
        task = copy.deepcopy(base.task)
        for override in values:
            misplaced = _choice_as_value(base.whole, override)
            problems += misplaced or set_value(task, override, top_level(base.choices))
        config: Any = {}
        before = HydraConfig.instance().cfg
        HydraConfig.instance().cfg = base.hydra
        try:
            config = OmegaConf.to_container(task, resolve=True)
        except OmegaConfBaseException as error:
            problems.append(SettingError(error.full_key or "", None, first_line(error)))
        finally:
            HydraConfig.instance().cfg = before
        given = _given_values(parsed)
        return Composition(list(overrides), given, config, base.whole, base.task, values, problems)

    def _parse(self, line: str) -> Override:
        if line not in self._parsed:
            self._parsed[line] = self._parser.parse_override(line)
        return self._parsed[line]

    def _base(self, overrides: Sequence[Override]) -> Base:
        key = tuple(str(override.input_line) for override in overrides)
        if key not in self._bases:
            self._bases[key] = self._new_base(list(key))
        return self._bases[key]

    def _new_base(self, lines: list[str]) -> Base:
        try:
            whole = self._compose(lines)
        except ConfigCompositionException as error:
            if not lines:
                raise
            problem = self._refused_setting_of_hydra(lines)
            problem = problem or _refused(lines, first_line(error.__cause__ or error), self._compose([]))
            rest = [line for line in lines if line.partition("=")[0] != problem.name]
            base = self._new_base(rest if len(rest) < len(lines) else [])
            return replace(base, problems=[problem, *base.problems])
        before = HydraConfig.instance().cfg
        HydraConfig.instance().set_config(whole)
        hydra = HydraConfig.instance().cfg
        HydraConfig.instance().cfg = before
        task = copy.deepcopy(whole)
        with open_dict(task):
            del task["hydra"]
        return Base(whole, task, hydra)

    def _refused_setting_of_hydra(self, lines: Sequence[str]) -> SettingError | None:
        for line in lines if len(lines) > 1 else ():
            if line.lstrip("+~").startswith("hydra."):
                try:
                    self._compose([line])
                except ConfigCompositionException as error:
                    key, _, value = line.partition("=")
                    return SettingError(key, value, first_line(error.__cause__ or error))
        return None

    def _choice_problems(self, override: Override) -> list[SettingError]:
        key, value = override.get_key_element(), override.value()
        if override.key_or_group == "hydra":
            return [SettingError(key, value, "expected one setting of Hydra, such as hydra.verbose=true")]
        if not override.key_or_group:
            return [SettingError(key, None, f"{override.input_line}: expected key=value")]
        if not self._groups.chosen_by(override):
            if override.package is None:
                return self._player_choice_problems(override)
            return [SettingError(key, value, f"there is no group {override.key_or_group}")]
        options = self._groups.options(override.key_or_group)
        if key.lstrip("~") in SEVERAL and (override.is_delete() or value == []):
            return [SettingError(key, None, f"can't be left out; write {key.lstrip('~')}=none for none")]
        if (override.is_add() or override.is_force_add()) and key.lstrip("+") in self._base([]).choices:
            return [SettingError(key, value, f"is one of the settings already; write {key.lstrip('+')}={value}")]
        if isinstance(value, list) and not key.startswith("hydra/") and key not in SEVERAL:
            wanted = ",".join(map(str, value))
            return [
                SettingError(
                    key, override.get_value_string(), f"expected one choice; to train each, write -m {key}={wanted}"
                )
            ]
        chosen = value if isinstance(value, list) else [value]
        unknown = [choice for choice in chosen if not self._groups.has(override.key_or_group, choice)]
        if override.key_or_group in PRESETS:
            unknown = [choice for choice in unknown if choice is not None]
        if override.is_delete() or not unknown:
            return []
        near = [match for choice in unknown for match in get_close_matches(str(choice), options, 1)]
        hint = f"did you mean {near[0]}? " if near else ""
        what = "null" if unknown[0] is None else unknown[0]
        leave_out = f"; ~{key} leaves it out" if unknown[0] is None and key == "metric" else ""
        extra = str(what).partition("_")[0]
        install = f"; {what} is installed by: pip install 'gansweep[{extra}]'" if extra in ENGINES else ""
        return [SettingError(key, what, f"{hint}Choose one of {', '.join(sorted(options))}{leave_out}{install}")]

    def _player_choice_problems(self, override: Override) -> list[SettingError]:
        """Return a problem with the right spelling, optimizer@optimizer_d=sgd, for `optimizer_d=sgd`."""
        key, value = override.key_or_group, override.value()
        group, _, of = key.partition("_")
        if of not in WHOSE or override.is_delete() or isinstance(value, Mapping) or not self._groups.options(group):
            return []
        return [SettingError(override.get_key_element(), value, f"for {WHOSE[of]} write {group}@{key}={value}")]

    def _composed_by_hydra(self, override: Override) -> bool:
        return override.is_hydra_override() or self._groups.chosen_by(override)


def _given_values(overrides: Sequence[Override]) -> dict[str, Any]:
    """Return the values of overrides by key; mappings of a repeated key are flattened to their inner keys."""
    keys = [override.get_key_element().lstrip("+~") for override in overrides]
    counts, given = Counter(keys), dict[str, Any]()
    for key, override in zip(keys, overrides, strict=True):
        value = override.value()
        if counts[key] > 1 and isinstance(value, Mapping):
            given |= flat(value, key)
        else:
            given[key] = value
    return given


def top_level(choices: Mapping[str, Any]) -> list[str]:
    """Return the keys of the groups that are neither Hydra's nor inside another choice.

    >>> top_level({"schedule": 1, "optimizer@optimizer_d": None, "optimizer@optimizer.of": 1, "hydra/help": 1})
    ['schedule', 'optimizer@optimizer_d']
    """
    return [group for group in choices if not group.startswith("hydra/") and "." not in group.partition("@")[2]]


def _choice_as_value(whole: DictConfig, override: Override) -> list[SettingError]:
    """Return a problem with the right spelling for a nested choice written as a value, `optimizer.of=sgd`."""
    key, value = override.key_or_group, override.value()
    groups = [str(choice) for choice in whole.hydra.runtime.choices if str(choice).endswith(f"@{key}")]
    if not groups or not isinstance(value, str) or "." not in key:
        return []
    return [SettingError(key, value, f"is a choice of a group; write {groups[0]}={value}")]


def _refused(lines: Sequence[str], text: str, default: DictConfig) -> SettingError:
    """Return the problem of a group override that Hydra refused, with the packages where the group can be chosen."""
    unplaced = re.match(r"Could not override '([^']+)'", text)
    if unplaced is None:
        return SettingError(" ".join(lines), None, text)
    group, _, place = unplaced[1].partition("@")
    others = [str(choice) for choice in default.hydra.runtime.choices if str(choice).partition("@")[0] == group]
    outer = place.rpartition(".")[0]
    inside = f"the chosen {outer} contains no other" if outer else f"nothing of that kind is chosen at {place or group}"
    value = {line.lstrip("+").partition("=")[0]: line.partition("=")[2] for line in lines}.get(unplaced[1], "")
    return UnknownKey(unplaced[1], value, f"{inside}; choose with {', '.join(others) or 'another group'}")
