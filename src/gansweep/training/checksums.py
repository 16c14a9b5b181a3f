"""Checksums of the tensors and plain values in checkpoints and kept weights."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import torch

from gansweep.training.record import CHECKSUMS, HEX_DIGITS


def checksum(value: Any) -> str:
    """Return the sha256 of a value, truncated to 16 hexadecimal digits.

    It depends on the keys, types, shapes and bytes of tensors and plain values, and not on strides, storages or the
    order of keys. Equal states of a member therefore have equal checksums, in any pack.

    Args:
        value: tensors, numbers, strings and None, and lists, tuples and dicts of them.
    """
    sha256 = hashlib.sha256()
    _add(sha256, value)
    return sha256.hexdigest()[:HEX_DIGITS]


def checksums(content: Mapping[str, Any]) -> dict[str, str]:
    """Return the checksum of every field of a file's content, except of the checksums in it.

    >>> sorted(checksums({"member": {"step": 8}, "wall_s": 0.5, "sha256": {}}))
    ['member', 'wall_s']
    """
    return {key: checksum(value) for key, value in content.items() if key != CHECKSUMS}


def edited(content: Mapping[str, Any]) -> list[str]:
    """Return the fields of a file's content that do not have their checksum. Files of earlier versions have none.

    >>> edited({"wall_s": 0.5, "sha256": {"wall_s": checksum(0.25), "eval_s": checksum(0.0)}})
    ['wall_s', 'eval_s']
    """
    if CHECKSUMS not in content:
        return []
    written, now = content[CHECKSUMS], checksums(content)
    if not isinstance(written, Mapping):
        return [CHECKSUMS]
    return [str(key) for key in dict.fromkeys([*written, *now]) if written.get(key) != now.get(key)]


def of_member(content: Mapping[str, Any]) -> str:
    """Return the checksum of the member in a checkpoint that was read, computed if the file has none."""
    return content[CHECKSUMS]["member"] if CHECKSUMS in content else checksum(content["member"])


def _add(sha256: Any, value: Any) -> None:
    """Add a value with its type and length, so that different structures have different bytes."""
    if isinstance(value, torch.Tensor):
        sha256.update(f"{value.dtype}{tuple(value.shape)};".encode())
        flat = value.detach().cpu().contiguous().reshape(-1)
        if flat.numel():
            sha256.update(flat.view(torch.uint8).numpy().data)
    elif isinstance(value, Mapping):
        sha256.update(f"dict{len(value)};".encode())
        for key in sorted(value, key=repr):
            _add(sha256, key)
            _add(sha256, value[key])
    elif isinstance(value, (list, tuple)):
        sha256.update(f"{type(value).__name__}{len(value)};".encode())
        for item in value:
            _add(sha256, item)
    else:
        text = repr(value)
        sha256.update(f"{type(value).__name__}{len(text)}:{text};".encode())
