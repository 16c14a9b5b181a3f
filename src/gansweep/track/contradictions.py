"""Contradictions inside an entry file, between its hashes, states and steps."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from gansweep.source_code import code_digest
from gansweep.sweep.identity import digest
from gansweep.track import shape

YAML = ".yaml"  # end of the names of own YAML files in `code`


def of(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield the contradictions in the content of a file that has the shape of an entry.

    The score and the hash of the file are compared in `Entry.of_json`.
    """
    identity = content["identity"]
    config = identity.get("config")
    if not isinstance(config, Mapping) or "seed" in config:
        yield "identity.config: expected a configuration without seed"
        return
    named = identity.get("code") or {}
    if not isinstance(named, Mapping) or not all(isinstance(version, str) for version in named.values()):
        yield "identity.code: expected a hash by module"
        return
    for seed, run in content["runs"].items():
        if hash_of(identity, int(seed)) != run["hash"]:
            yield f"runs.{seed}.hash is not the hash of the identity with seed {seed}"
        yield from (f"runs.{seed}.{problem}" for problem in _run_problems(run))
    yield from _code_problems(named, content["code"])
    tuning = content["tuning"]
    if tuning is not None and len(tuning["runs"]) > tuning["budget"]:
        yield f"tuning has {len(tuning['runs'])} runs, more than its budget of {tuning['budget']}"
    for run in tuning["runs"] if tuning is not None else ():
        for key in {"lr", "lr_d"} & set(run["overrides"]):
            if not shape.is_number(run["overrides"][key]) or run["overrides"][key] <= 0:
                yield f"tuning.runs: {key} is {shape.shown(run['overrides'][key])}, expected a number above 0"


def hash_of(identity: Mapping[str, Any], seed: int) -> str:
    """Return the hash of the run with a seed, from the identity of an entry."""
    return digest({**identity, "config": {**identity["config"], "seed": seed}})


def source_hash(source: str) -> str:
    """Return the sha256 of a source."""
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()


def _run_problems(run: Mapping[str, Any]) -> Iterator[str]:
    divergence, steps = run["divergence"], [int(step) for step in run["values"]]
    if (run["state"] == shape.DIVERGED) != (divergence is not None):
        yield f"state is {run['state']}, but divergence is {shape.shown(divergence)}"
    if steps != sorted(steps) or 0 not in steps:
        yield "values: expected ascending steps from 0 on"
    if divergence and max(steps, default=0) > divergence["step"]:
        yield f"values: has evaluations after the divergence at step {divergence['step']}"
    if unknown := sorted({int(step) for step in run["trained_s"]} - set(steps)):
        yield f"trained_s: step {unknown[0]} was not evaluated"
    if any(seconds < 0 for seconds in run["trained_s"].values()):
        yield "trained_s: has a negative time"


def _code_problems(named: Mapping[str, Any], code: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Yield contradictions of the sources and the hashes in the identity; a package, `name==version`, has no source."""
    modules = {name for name in code if not name.endswith(YAML)}
    for name, version in named.items():
        if "==" not in str(version) and name not in modules:
            yield f"code.{name}: the source is missing; identity.code has its hash"
    for name in sorted(modules - set(named)):
        yield f"code.{name}: identity.code has no hash of it"
    for name, part in code.items():
        if source_hash(part["source"]) != part["sha256"]:
            yield f"code.{name}.sha256 is not the hash of the source"
        elif name in named and code_digest(part["source"].encode("utf-8", "surrogatepass")) != named[name]:
            yield f"code.{name}: the source is not that of the runs, by its hash in identity.code"
