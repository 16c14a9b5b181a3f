"""Precedence of a choice on the command line over the settings of an experiment for the same group."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException
from omegaconf import DictConfig, OmegaConf

from gansweep.cli.checked_loader import CheckedLoader
from gansweep.cli.experiments import EXPERIMENT, PRESETS


class Groups:
    """Options of config groups, cached by group.

    Args:
        loader: Hydra's config loader.
    """

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

    Args:
        compose: Hydra's composition of a list of overrides, including the node `hydra`.
        loader: Hydra's config loader.
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
