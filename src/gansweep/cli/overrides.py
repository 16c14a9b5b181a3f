"""Overrides of a command line: its jobs, the product of their values, and their precedence over an experiment."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, Quote, QuotedString, RangeSweep, Transformer
from hydra.errors import ConfigCompositionException, HydraException
from omegaconf import DictConfig, OmegaConf

from gansweep.cli.checked_loader import CheckedLoader
from gansweep.cli.experiments import EXPERIMENT, PRESETS
from gansweep.cli.search_points import NUM, is_interval, misplaced_intervals, points, search_settings
from gansweep.config.errors import BadConfig, SettingError

NO_DEFAULTS: Mapping[str, Any] = MappingProxyType({})
_INTERVAL = "interval"  # placeholder of a value, compared by identity


def combinations(overrides: Sequence[Override], defaults: Mapping[str, Any] = NO_DEFAULTS) -> list[list[str]]:
    """Return the overrides of every job, in the order of Hydra's BasicSweeper.

    That sweeper keeps only the last of several overrides of one key. Hydra merges mappings, so
    `trainer={ema: 0.9} trainer={eval_every: 1}` sets both; mappings are therefore all kept here. Every combination of
    listed values is trained at every point of the intervals (`cli.search_points`), at equal points once.

    Args:
        overrides: the overrides of a command line.
        defaults: values of `num` and `sampler` that are not among them.

    Raises:
        BadConfig: an override lists no value, or the intervals are misplaced or cannot be sampled.
    """
    kept = kept_overrides(overrides)
    if problems := misplaced_intervals(kept):
        raise BadConfig(problems)
    choices = [[_INTERVAL] if is_interval(override) else list(values_of(override, problems)) for override in kept]
    try:
        sampled = [dict(point) for point in dict.fromkeys(tuple(point.items()) for point in points(kept, defaults))]
    except SettingError as problem:
        problems.append(problem)
        sampled = []
    if problems:
        raise BadConfig(problems)
    keys = [override.get_key_element() for override in kept]
    return [
        [f"{key}={point[key]}" if text is _INTERVAL else text for key, text in zip(keys, job, strict=True)]
        for job in itertools.product(*choices)
        for point in sampled
    ]


def kept_overrides(overrides: Sequence[Override]) -> list[Override]:
    """Return the overrides without those that a later one of the same key replaces."""
    kept: list[Override] = []
    for override in overrides:
        _replace(kept, override)
    return kept


def _replace(kept: list[Override], override: Override) -> None:
    """Insert an override into `kept`, in the place of an earlier one of the same key where the order allows it."""
    key = override.get_key_element()
    earlier = [n for n, other in enumerate(kept) if other.get_key_element() == key and not _is_mapping(other)]
    if _is_mapping(override) or not earlier:
        kept.append(override)
    elif any(_overlap(override, other) for other in kept[earlier[0] + 1 :]):
        del kept[earlier[0]]
        kept.append(override)
    else:
        kept[earlier[0]] = override


def _overlap(first: Override, second: Override) -> bool:
    """Return whether two overrides may set the same value, so that their order matters."""
    path, other = (f"{override.package or override.key_or_group}." for override in (first, second))
    return path.startswith(other) or other.startswith(path)


def _is_mapping(override: Override) -> bool:
    value = override.value()
    return isinstance(value, Mapping) or any(isinstance(choice, Mapping) for choice in getattr(value, "list", ()))


def values_of(override: Override, problems: list[SettingError]) -> Iterator[str]:
    """Yield the override once per value; an override with a single value is yielded as typed.

    A problem with the values is appended to `problems`.
    """
    key = override.get_key_element()
    if not override.is_sweep_override():
        yield str(override.input_line)
        return
    try:
        values = list(override.sweep_iterator(_as_text))
    except (ValueError, HydraException) as error:  # range(0,1,0)
        problems.append(SettingError(key, override.get_value_string(), str(error)))
        return
    if not values:
        problems.append(SettingError(key, override.get_value_string(), "lists no value; expected at least one"))
    yield from (f"{key}={value}" for value in values)


def _as_text(value: Any) -> str:
    """Return text that Hydra parses as the same value; the string "3", from str(3), is quoted."""
    text = Transformer.str(value)
    if isinstance(value, str) and OverridesParser.create().parse_override(f"key={text}").value() != value:
        return QuotedString(value, Quote.single).with_quotes()
    return text


def name_as_typed(overrides: Sequence[str]) -> list[str]:
    """Quote the sweep's name where Hydra would parse it as a number and change it, as 2024_01_01 or 1.10."""
    return [_quoted_number(override) for override in overrides]


def _quoted_number(override: str) -> str:
    key, _, text = override.partition("=")
    if key.lstrip("+") != "name" or not re.fullmatch(r"[-+.\w]+", text):
        return override
    value = OverridesParser.create().parse_override(override).value()
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return f"{key}='{text}'" if is_number and str(value) != text else override


def refuse_too_many(lines: Sequence[Sequence[Override]], default: Any, num: Any = None) -> None:
    """Refuse a command line with more jobs than `most_cells`; they are counted without listing them.

    Args:
        lines: overrides; one line per experiment if several experiments define sweeps.
        default: value of `most_cells` if it is not given on the command line.
        num: value of `num` if it is not given on the command line.

    Raises:
        BadConfig: there are more jobs.
    """
    typed = [override.value() for line in lines for override in line if override.key_or_group == "most_cells"]
    most = typed[-1] if typed else default
    if type(most) is not int or most < 1:  # reported later, with all other problems of the configuration
        return
    count = sum(num_jobs(line, num) for line in lines)
    if count > most:
        expected = f"this command line has {count} cells. To train all of them, add most_cells={count}"
        raise SettingError("most_cells", most, expected)


def num_jobs(overrides: Sequence[Override], num: Any = None) -> int:
    """Return the number of combinations; of several overrides of one key the last is used.

    Args:
        overrides: the overrides of a command line.
        num: number of points of intervals, if it is not among them.

    >>> num_jobs(OverridesParser.create().parse_overrides(["lr=1,2", "seed=range(0,1000000000)"]))
    2000000000
    """
    typed, _ = search_settings(overrides, {NUM: num})
    num_points = typed if type(typed) is int and any(map(is_interval, overrides)) else 1
    return num_points * math.prod({o.get_key_element(): _num_values(o) for o in overrides}.values())


def _num_values(override: Override) -> int:
    value = override.value()
    if not override.is_discrete_sweep():
        return 1
    if isinstance(value, RangeSweep):
        start, stop, step = (value.start or 0, value.stop or 0, value.step)
        return max(0, math.ceil((stop - start) / step)) if step else 1
    return sum(1 for _ in override.sweep_iterator())


class Groups:
    """Options of config groups, cached by group."""

    def __init__(self, loader: ConfigLoader) -> None:
        self._loader = loader
        self._options: dict[str, list[str]] = {}

    def options(self, group: str) -> list[str]:
        """Return the options of a group; empty if there is no such group."""
        if group not in self._options:
            self._options[group] = self._loader.get_group_options(group, ObjectType.CONFIG)
        return self._options[group]

    def chosen_by(self, override: Override) -> bool:
        """Return whether an override chooses an option of a group."""
        if isinstance(override.value(), Mapping):
            return False
        return override.key_or_group in PRESETS or bool(self.options(override.key_or_group))

    def has(self, group: str, choice: Any) -> bool:
        """Return whether a group has an option; it may lie in a subfolder, such as dirac/gan."""
        folder, _, name = str(choice).rpartition("/")
        if not {".", ".."}.isdisjoint(folder.split("/")):
            return False  # Hydra would open the file, and one option would have two names
        return choice in self.options(group) or bool(folder and name in self.options(f"{group}/{folder}"))


class Precedence:
    """Composition in which choices on the command line take precedence over an experiment.

    If the command line chooses another option of a group than the experiment, the experiment's settings of that
    group are discarded, except those that the chosen option has too, such as the number of samples of a metric.
    `compose` is Hydra's composition of a list of overrides, including the node `hydra`.
    """

    def __init__(self, compose: Callable[[list[str]], DictConfig], loader: ConfigLoader) -> None:
        self._compose, self._groups = compose, Groups(loader)
        self._without_experiment: dict[tuple[str, ...], DictConfig] = {}
        self._parser = OverridesParser.create(config_loader=loader)

    def __call__(self, lines: list[str]) -> DictConfig:
        """Return the configuration of a list of overrides."""
        whole = self._compose(lines)
        parsed = self._parser.parse_overrides(lines)
        experiments = [override for override in parsed if override.key_or_group == EXPERIMENT]
        if not experiments:
            return whole
        without = [str(override.input_line) for override in parsed if override not in experiments]
        for override in parsed:
            package = override.package or override.key_or_group
            is_choice = not override.is_delete() and self._groups.chosen_by(override)
            if override in experiments or not is_choice or package.startswith("hydra"):
                continue
            nodes = [OmegaConf.select(config, package) for config in (whole, self._without(without))]
            if all(isinstance(node, DictConfig) for node in nodes):
                combined, chosen = (OmegaConf.to_container(node) for node in nodes)
                OmegaConf.update(whole, package, _merge_known(combined, chosen), merge=False, force_add=True)
        return whole

    def _without(self, lines: list[str]) -> DictConfig:
        """Return the configuration of a line without its experiment; empty if that is not valid."""
        key = tuple(lines)
        if key not in self._without_experiment:
            try:
                self._without_experiment[key] = self._compose(lines)
            except ConfigCompositionException:
                self._without_experiment[key] = OmegaConf.create()
        return self._without_experiment[key]


class PrecedenceLoader(CheckedLoader):
    """Hydra's config loader for launchers that compose each job in its own process."""

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        """Return the configuration of one job."""
        compose = super().load_sweep_config
        return Precedence(lambda lines: compose(master_config, lines), self)(sweep_overrides)


def _merge_known(combined: Any, chosen: Any) -> Any:
    """Return the settings of the chosen option, with values of the experiment where class and key agree.

    >>> _merge_known({"_target_": "a.R1", "weight": 3, "gp": {"weight": 2}}, {"_target_": "a.R1", "weight": 1})
    {'_target_': 'a.R1', 'weight': 3}
    >>> _merge_known({"_target_": "a.Hinge", "weight": 3}, {"_target_": "a.Standard", "weight": 1})
    {'_target_': 'a.Standard', 'weight': 1}
    """
    if not isinstance(chosen, Mapping):
        return combined
    if not isinstance(combined, Mapping) or combined.get("_target_") != chosen.get("_target_"):
        return chosen
    return {key: _merge_known(combined[key], value) if key in combined else value for key, value in chosen.items()}
