"""The groups of the configuration and their options, wherever Hydra finds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.types import Override

from gansweep.cli.presets import PRESETS


class Groups:
    """Looks options up once for each group.

    Args:
        loader: Hydra's.
    """

    def __init__(self, loader: ConfigLoader) -> None:
        self._loader = loader
        self._options: dict[str, list[str]] = {}

    def options(self, group: str) -> list[str]:
        """List what may be chosen; nothing, if there is no such group."""
        if group not in self._options:
            self._options[group] = self._loader.get_group_options(group, ObjectType.CONFIG)
        return self._options[group]

    def chosen_by(self, override: Override) -> bool:
        """Tell whether an override chooses an option of a group."""
        if isinstance(override.value(), Mapping):
            return False
        return override.key_or_group in PRESETS or bool(self.options(override.key_or_group))

    def has(self, group: str, choice: Any) -> bool:
        """Look for a choice in its group, or in the folder inside it that it names, as dirac/gan does."""
        folder, _, name = str(choice).rpartition("/")
        if not {".", ".."}.isdisjoint(folder.split("/")):
            return False  # Hydra would open it, and the choice would have two names
        return choice in self.options(group) or bool(folder and name in self.options(f"{group}/{folder}"))
