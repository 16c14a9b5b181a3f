"""Variants of a configuration, and their problems."""

from __future__ import annotations

import copy

from gansweep.config.build import check


def with_(config, **changes):
    """Set dotted keys, written with two underscores."""
    config = copy.deepcopy(config)
    for key, value in changes.items():
        *path, last = key.split("__")
        node = config
        for part in path:
            node = node[part]
        node[last] = value
    return config


def problems_of(config, given=()):
    return [str(problem) for problem in check(config, given).problems]
