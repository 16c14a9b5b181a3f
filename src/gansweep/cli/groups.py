"""Config groups and their options in all directories of Hydra's search path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.types import Override

from gansweep.cli.presets import PRESETS


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
