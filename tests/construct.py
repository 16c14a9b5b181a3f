"""The object that a YAML file names, made as a training makes it."""

from __future__ import annotations

from typing import Any

from omegaconf import OmegaConf

from gansweep.config.instantiate import Constructor


def instantiate(node: Any, **changes: Any) -> Any:
    """Make the object of a config node with changed settings; `hydra.utils.instantiate` warns since Hydra 1.4."""
    make = Constructor()
    part = make(OmegaConf.to_container(OmegaConf.merge(node, changes), resolve=True), "part")
    assert make.problems == [], make.problems
    return part
