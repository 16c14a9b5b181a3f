"""Expansion of `~` in paths given by users."""

from __future__ import annotations

from pathlib import Path


def user_path(text: str | Path) -> Path:
    """Return a path with `~` and `~user` replaced by the home folder.

    Raises:
        ValueError: the home folder cannot be determined.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{text}: {error}") from error
