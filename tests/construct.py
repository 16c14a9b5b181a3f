"""Construction of the object that a YAML file names, by the code that a training uses."""

from __future__ import annotations

from typing import Any

from omegaconf import OmegaConf

from gansweep.config.instantiate import Constructor


def instantiate(node: Any, **changes: Any) -> Any:
    """Return the object of a config node; `hydra.utils.instantiate` warns since Hydra 1.4."""
    construct = Constructor()
    part = construct(OmegaConf.to_container(OmegaConf.merge(node, changes), resolve=True), "part")
    assert construct.problems == [], construct.problems
    return part
