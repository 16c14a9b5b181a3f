"""Identity of a run, and names of cells and sweeps.

Two cells with the same identity are the same run, regardless of how their overrides were written.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from gansweep.config.keys import CONTINUABLE, FALLBACKS, IDENTITY_DEFAULTS, identity_part, is_outside_identity

LONGEST_CELL, LONGEST_SWEEP = 120, 80  # bytes; file systems allow 255
HASH_IN_NAME = 8
LEAVES = frozenset((type(None), bool, int, str))  # types that are canonical as they are
EXACT = 2**53  # below this value a float represents every whole number exactly


def training_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a resolved config that determines the numbers of a run, in canonical form.

    Missing settings of the discriminator are replaced by those of the generator, so that `optimizer=sgd` and
    `optimizer=sgd optimizer@optimizer_d=sgd` are the same run.
    """
    kept = identity_part(config)
    for key, fallback in FALLBACKS.items():
        if kept.get(key) is None and fallback in kept:
            kept[key] = kept[fallback]
    return canonical(kept)


def identity(
    config: Mapping[str, Any], data_hash: str, numerics: str, code: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the identity of a run."""
    made_by = {"code": dict(code)} if code else {}
    return {"config": training_config(config), "data": data_hash, "numerics": numerics, **made_by}


def trajectory(identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of an identity that two runs have in common if one may continue from the other's checkpoint."""
    config = dict(identity["config"])
    for name in CONTINUABLE:
        group, _, inner = name.rpartition(".")
        if not group:
            config.pop(name, None)
        elif isinstance(config.get(group), Mapping):
            config[group] = {key: value for key, value in config[group].items() if key != inner}
    return {**identity, "config": config}


def digest(identity: Mapping[str, Any]) -> str:
    """Return the sha256 of an identity's canonical JSON.

    >>> digest({"lr": 1e-4, "steps": 10}) == digest({"steps": 10.0, "lr": 0.0001})
    True
    """
    return hashlib.sha256(_encode(canonical(identity)).encode("ascii")).hexdigest()


_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def canonical(value: Any) -> Any:
    """Return a value in canonical JSON types, equal for equal values: 1.0 as 1, tuples as lists, keys as strings.

    Floats of 2^53 and above remain floats: 1e30 does not become 1000000000000000019884624838656.
    """
    kind = type(value)
    if kind in LEAVES:
        return value
    if kind is dict:  # the usual mapping; the test below is slow
        return {str(key): inner if type(inner) in LEAVES else canonical(inner) for key, inner in value.items()}
    if isinstance(value, float):
        if not math.isfinite(value):
            return str(value)
        return int(value) if value.is_integer() and abs(value) < EXACT else value
    if isinstance(value, (list, tuple)):
        return [canonical(inner) for inner in value]
    if isinstance(value, Mapping):
        return {str(key): inner if type(inner) in LEAVES else canonical(inner) for key, inner in value.items()}
    return value if isinstance(value, (int, str)) else str(value)


def cell_name(overrides: Mapping[str, Any], digest: str) -> str:
    """Return the name of a cell's directory, built from its overrides and its hash.

    >>> cell_name({"optimizer": "adam", "lr": 1e-4}, "0123456789abcdef")
    'optimizer=adam,lr=0.0001-01234567'
    """
    text = ",".join(f"{key}={plain(value)}" for key, value in overrides.items()) or "defaults"
    return f"{_file_name(text)[: LONGEST_CELL - HASH_IN_NAME - 1]}-{digest[:HASH_IN_NAME]}"


def sweep_name(overrides: Sequence[str]) -> str:
    """Return the name of a sweep, built from the command line, so that the same command resumes the same sweep.

    Settings outside the identity and the order of the overrides do not change the name. The last of several overrides
    of one key is used, except that mappings are merged. If characters were removed or replaced, the name ends in a hash
    of the full text.

    >>> sweep_name(["optimizer=adam,sgd", "lr=1e-4,1e-3", "plan=true"])
    'lr=0.0001,0.001,optimizer=adam,sgd'
    """
    settings: dict[str, str] = {}
    for key, value in map(split_override, overrides):
        merged = key in settings and "{" in (value[:1], settings[key][:1])
        settings[key] = f"{settings[key]} {value}" if merged else value
    kept = {
        key: ",".join(plain(_number(part)) for part in value.split(","))
        for key, value in sorted(settings.items())
        if not is_outside_identity(key) and IDENTITY_DEFAULTS.get(key, ...) != _number(value)
    }
    text = ",".join(f"{key}={value}" for key, value in kept.items()) or "defaults"
    name = _file_name(text)
    if name == text and len(name) <= LONGEST_SWEEP:
        return name
    whole = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:HASH_IN_NAME]
    return f"{name[: LONGEST_SWEEP - HASH_IN_NAME - 1]}-{whole}"


def split_override(override: str) -> tuple[str, str]:
    """Return key and value of an override, without blanks around them."""
    key, _, value = override.partition("=")
    return key.strip(), value.strip()


def _number(text: str) -> Any:
    try:
        return float(text) if re.search(r"\d", text) else text
    except ValueError:
        return text


def plain(value: Any) -> str:
    """Format a value in command-line syntax.

    >>> plain(1e-4), plain([0.5, 0.9]), plain("adam"), plain(None)
    ('0.0001', '[0.5,0.9]', 'adam', 'null')
    """
    value = canonical(value)
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _file_name(text: str) -> str:
    """Replace characters that are not portable in file names, and strip leading dots and dashes."""
    return re.sub(r"[^A-Za-z0-9._=,+-]+", "-", text).lstrip(".-") or "cell"
