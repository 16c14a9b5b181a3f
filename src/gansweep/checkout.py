"""Which commit of gansweep this is, where it runs from a checkout."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path


@cache
def commit() -> str | None:
    """Return the commit, with `-dirty` behind it if a tracked file was edited; None outside a checkout.

    An installed package may lie in the checkout of something else, whose commit would mislead.
    """
    package = Path(__file__).resolve().parent
    root = package.parents[1]
    if package.parent.name != "src" or not (root / ".git").exists():
        return None
    elsewhere = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    describe = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        found = subprocess.run(describe, capture_output=True, text=True, check=True, timeout=10, env=elsewhere)
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None
