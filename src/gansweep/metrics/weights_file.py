"""Weights of public networks: from a given file, torch's cache, or a download."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from urllib.error import URLError

import torch
from torch import nn


def find(weights: str | None, url: str) -> Path:
    """Return the file `weights`; if that is None, the cached file of `url`, downloaded if missing.

    Raises:
        ValueError: the weights were not found and could not be downloaded; the message explains what to do.
    """
    if weights is not None:
        path = Path(os.path.expanduser(weights))
        if not path.is_file():
            raise ValueError(f"weights={weights}: no such file. {advice(url)}")
        return path
    path = cached(url)
    if path.is_file():
        return path
    if not path.is_absolute() and path.parts[0] == "~":
        raise ValueError(
            f"{path.name} cannot be cached: this user has no home directory; set TORCH_HOME. {advice(url)}"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # As in all of torch.hub, the name of the file ends with the first digits of its sha256.
        torch.hub.download_url_to_file(url, str(path), hash_prefix=path.stem.rsplit("-", 1)[1])
    except (URLError, OSError, RuntimeError) as error:
        raise ValueError(f"{path.name} was not found and could not be downloaded ({error}). {advice(url)}") from error
    return path


def load(path: Path, network: nn.Module, whose: str, url: str) -> None:
    """Load the parameters of a file into a network, replacing its tensors.

    Args:
        path: the file.
        network: the network, on any device.
        whose: owner of the expected weights, for the message, such as "torchvision's".
        url: URL of the expected file, for the message.

    Raises:
        ValueError: the file has other contents or is damaged.
    """
    try:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True), assign=True)
    except Exception as error:  # torch's unpickler can raise any exception for arbitrary bytes
        raise ValueError(f"weights={path}: does not hold {whose} Inception. {advice(url)}") from error


def cached(url: str) -> Path:
    """Return the path at which torch.hub, and thus pytorch-fid and torchvision, cache the file of a URL."""
    return Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[1]


def advice(url: str) -> str:
    """Return instructions for obtaining the weights."""
    return (
        f"Download {url} (about 100 MB) and put it at {cached(url)}, or give its path: "
        "metric.features.weights=FILE in a sweep, --weights FILE after python -m gansweep.metrics; "
        "metric=digits and metric=mnist, --features digits and --features mnist, need no download"
    )


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, recomputed only if its size or modification time has changed."""
    stat = path.stat()
    return _sha256(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=8)
def _sha256(path: Path, size: int, time_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
