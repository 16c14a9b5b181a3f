"""Write src/gansweep/released_code.json: the hashes of all modules that can affect a training.

    python scripts/released_code.py

Run it after every change of such a module that does not change any numbers. A change of numbers
also requires a new NUMERICS in training/run.py.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from gansweep import code_identity
from gansweep.source_code import code_digest, file_digest

CONF = Path(__file__).resolve().parents[1] / "conf"


def hashes() -> dict[str, str]:
    """Return "code hash, file hash" by module, and "" for every part that no training imports."""
    inside = _parts()
    outside = {code_identity.part_of(name) for name, _ in code_identity.modules()} - inside
    by_module = dict.fromkeys(sorted(outside), "")
    for name, path in code_identity.modules(outside):
        content = path.read_bytes()
        by_module[name] = f"{code_digest(content)} {file_digest(content)}"
    return by_module


def _parts() -> set[str]:
    """Return the parts of gansweep that the trainer or a class named in conf/ imports."""
    named = {
        match.rpartition(".")[0]
        for path in CONF.glob("*/**/*.yaml")
        if path.relative_to(CONF).parts[0] != "hydra"
        for match in re.findall(r"\bgansweep(?:\.\w+)+", path.read_text())
    }
    pending, seen = [*code_identity.TRAINS, *named], set[str]()
    while pending:
        name = pending.pop()
        if name.startswith("gansweep.") and name not in seen and code_identity.find(name) is not None:
            seen.add(name)
            pending += code_identity.imports(name)
    return {code_identity.part_of(name) for name in seen}


if __name__ == "__main__":
    code_identity.RELEASED.write_text(json.dumps(hashes(), indent=0) + "\n")
