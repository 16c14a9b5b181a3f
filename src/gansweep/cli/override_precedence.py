"""A typed choice outranks what an experiment says about another choice of the same group, whoever composes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import ConfigCompositionException
from omegaconf import DictConfig, OmegaConf

from gansweep.cli.checked_loader import CheckedLoader
from gansweep.cli.groups import Groups


class Outranking:
    """Composes, and takes back what an experiment said about another choice of a group than the typed one.

    What the typed choice has too, such as the number of samples of a metric, it keeps from the experiment.

    Args:
        compose: Hydra's composition of a list of overrides, its own node included.
        loader: knows the groups and their options.
    """

    def __init__(self, compose: Callable[[list[str]], DictConfig], loader: ConfigLoader) -> None:
        self._compose, self._groups = compose, Groups(loader)
        self._without_experiment: dict[tuple[str, ...], DictConfig] = {}
        self._parser = OverridesParser.create(config_loader=loader)

    def __call__(self, lines: list[str]) -> DictConfig:
        """Compose overrides."""
        whole = self._compose(lines)
        parsed = self._parser.parse_overrides(lines)
        experiments = [one for one in parsed if one.key_or_group == "experiment"]
        if not experiments:
            return whole
        without = [str(one.input_line) for one in parsed if one not in experiments]
        for one in parsed:
            place = one.package or one.key_or_group
            if one in experiments or one.is_delete() or not self._groups.chosen_by(one) or place.startswith("hydra"):
                continue
            said, own = (OmegaConf.select(of, place) for of in (whole, self._alone(without)))
            if isinstance(said, DictConfig) and isinstance(own, DictConfig):
                left, before = (OmegaConf.to_container(node) for node in (said, own))
                OmegaConf.update(whole, place, _as_far_as(left, before), merge=False, force_add=True)
        return whole

    def _alone(self, lines: list[str]) -> DictConfig:
        """Compose a line that had an experiment without it; nothing, if it does not stand alone."""
        key = tuple(lines)
        if key not in self._without_experiment:
            try:
                self._without_experiment[key] = self._compose(lines)
            except ConfigCompositionException:
                self._without_experiment[key] = OmegaConf.create()
        return self._without_experiment[key]


class OutrankingLoader(CheckedLoader):
    """Hydra's loader for its other launchers, which compose every job where it runs."""

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        """Compose one job."""
        compose = super().load_sweep_config
        return Outranking(lambda lines: compose(master_config, lines), self)(sweep_overrides)


def _as_far_as(said: Any, own: Any) -> Any:
    """Return a choice's own settings with what was said about those that it has, of the classes that it has.

    >>> _as_far_as({"_target_": "a.R1", "weight": 3, "gp": {"weight": 2}}, {"_target_": "a.R1", "weight": 1})
    {'_target_': 'a.R1', 'weight': 3}
    >>> _as_far_as({"_target_": "a.Hinge", "weight": 3}, {"_target_": "a.Standard", "weight": 1})
    {'_target_': 'a.Standard', 'weight': 1}
    """
    if not isinstance(own, Mapping):
        return said
    if not isinstance(said, Mapping) or said.get("_target_") != own.get("_target_"):
        return own
    return {key: _as_far_as(said[key], value) if key in said else value for key, value in own.items()}
