"""Finding the weights of a public network: a given file, torch's cache, or a download."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from urllib.error import URLError

import torch
from torch import nn


def find(weights: str | None, url: str) -> Path:
    """Return the file `weights`, or, where that is None, the one of `url`, downloaded if need be.

    Raises:
        ValueError: it is not there and can't be downloaded; the message says what to put where.
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
        raise ValueError(f"{path.name} can't be kept: this user has no home directory; set TORCH_HOME. {advice(url)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # As everywhere in torch.hub, the file's name ends in the beginning of its sha256.
        torch.hub.download_url_to_file(url, str(path), hash_prefix=path.stem.rsplit("-", 1)[1])
    except (URLError, OSError, RuntimeError) as error:
        raise ValueError(f"{path.name} can't be downloaded ({error}). {advice(url)}") from error
    return path


def load(path: Path, network: nn.Module, whose: str, url: str) -> None:
    """Load the parameters of a file into a network, as its own tensors.

    Args:
        path: of the file.
        network: on any device.
        whose: whose Inception the file should hold.
        url: where such a file is.

    Raises:
        ValueError: it holds something else, or is damaged.
    """
    try:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True), assign=True)
    except Exception as error:  # torch's unpickler raises anything on foreign bytes
        raise ValueError(f"weights={path}: does not hold {whose} Inception. {advice(url)}") from error


def cached(url: str) -> Path:
    """Where torch.hub, and with it pytorch-fid and torchvision, keep the file of a URL."""
    return Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[1]


def advice(url: str) -> str:
    """Say how to get the weights."""
    return (
        f"Download {url} (about 100 MB) and put it at {cached(url)}, or give its path: "
        "metric.features.weights=FILE in a sweep, --weights FILE after python -m gansweep.metrics; "
        "metric=digits and metric=mnist, --features digits and --features mnist, need no download"
    )


def sha256(path: Path) -> str:
    """Hash a file, again only if its size or time changed."""
    stat = path.stat()
    return _sha256(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=8)
def _sha256(path: Path, size: int, time_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
