"""Which training a cell is, and what its directory is called.

Two cells with the same identity are the same training, however they were typed.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from gansweep.config.keys import FALLBACKS, UNLESS, is_surrounding, without_surroundings

LONGEST_CELL, LONGEST_SWEEP = 120, 80  # bytes; file systems allow 255
HASH_IN_NAME = 8
EXACT = 2**53  # below it floats tell all whole numbers apart


def training_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Keep of a resolved config what the training's numbers depend on, in canonical form.

    Where the discriminator has no setting of its own, it gets the generator's, so that
    `optimizer=sgd` and `optimizer=sgd optimizer@optimizer_d=sgd` are one training.
    """
    kept = without_surroundings(config)
    for key, fallback in FALLBACKS.items():
        if kept.get(key) is None and fallback in kept:
            kept[key] = kept[fallback]
    return canonical(kept)


def identity(
    config: Mapping[str, Any], data_hash: str, numerics: str, code: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Say which training this is.

    Args:
        config: the whole resolved config.
        data_hash: what the samples are made from.
        numerics: version of the arithmetic.
        code: hash by module of what is not released code; see `code_identity`.
    """
    made_by = {"code": dict(code)} if code else {}
    return {"config": training_config(config), "data": data_hash, "numerics": numerics, **made_by}


def digest(identity: Mapping[str, Any]) -> str:
    """Return the sha256 of an identity's canonical JSON.

    >>> digest({"lr": 1e-4, "steps": 10}) == digest({"steps": 10.0, "lr": 0.0001})
    True
    """
    text = json.dumps(canonical(identity), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def canonical(value: Any) -> Any:
    """Write equal values equally, in JSON's types: 1.0 as 1, tuples as lists, keys as strings.

    A float too large to be counted on stays one: 1e30 is not 1000000000000000019884624838656.
    """
    if isinstance(value, Mapping):
        return {str(key): canonical(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [canonical(inner) for inner in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return str(value)
        return int(value) if value.is_integer() and abs(value) < EXACT else value
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def cell_name(overrides: Mapping[str, Any], digest: str) -> str:
    """Name a cell's directory by what was varied and by its hash.

    >>> cell_name({"optimizer": "adam", "lr": 1e-4}, "0123456789abcdef")
    'optimizer=adam,lr=0.0001-01234567'
    """
    text = ",".join(f"{key}={plain(value)}" for key, value in overrides.items()) or "defaults"
    return f"{_file_name(text)[: LONGEST_CELL - HASH_IN_NAME - 1]}-{digest[:HASH_IN_NAME]}"


def sweep_name(overrides: Sequence[str]) -> str:
    """Name a sweep by the command line, so that the same command continues the same sweep.

    What doesn't belong to a training doesn't change the name, nor does the order of the
    overrides; the last of several for one key counts, except that mappings are merged. A name
    that had to be shortened or cleaned ends in a hash of the whole.

    >>> sweep_name(["optimizer=adam,sgd", "lr=1e-4,1e-3", "plan=true"])
    'lr=0.0001,0.001,optimizer=adam,sgd'
    """
    settings: dict[str, str] = {}
    for key, value in map(_split, overrides):
        merged = key in settings and "{" in (value[:1], settings[key][:1])
        settings[key] = f"{settings[key]} {value}" if merged else value
    kept = {
        key: ",".join(plain(_number(part)) for part in value.split(","))
        for key, value in sorted(settings.items())
        if not is_surrounding(key) and UNLESS.get(key, ...) != _number(value)
    }
    text = ",".join(f"{key}={value}" for key, value in kept.items()) or "defaults"
    name = _file_name(text)
    if name == text and len(name) <= LONGEST_SWEEP:
        return name
    whole = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:HASH_IN_NAME]
    return f"{name[: LONGEST_SWEEP - HASH_IN_NAME - 1]}-{whole}"


def _split(override: str) -> tuple[str, str]:
    key, _, value = override.partition("=")
    return key.strip(), value.strip()


def _number(text: str) -> Any:
    try:
        return float(text) if re.search(r"\d", text) else text
    except ValueError:
        return text


def plain(value: Any) -> str:
    """Write a value as one would type it.

    >>> plain(1e-4), plain([0.5, 0.9]), plain("adam"), plain(None)
    ('0.0001', '[0.5,0.9]', 'adam', 'null')
    """
    value = canonical(value)
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _file_name(text: str) -> str:
    """Keep what every file system and shell takes; a leading dot or dash would be special."""
    return re.sub(r"[^A-Za-z0-9._=,+-]+", "-", text).lstrip(".-") or "cell"
