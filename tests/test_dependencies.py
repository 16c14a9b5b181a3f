"""All imported packages are dependencies of the project."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
# Imported only if a user chose the extra that installs them.
OPTIONAL = {"hydra_plugins", "joblib", "ray", "submitit"}
OPTIONAL |= {"triton"}  # installed by torch where it has CUDA
DISTRIBUTIONS = {"PIL": "pillow", "hydra": "hydra-core", "sklearn": "scikit-learn", "yaml": "pyyaml"}


def imported():
    """Yield the top-level package and the file of every absolute import in src/."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from ((alias.name.partition(".")[0], path) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                yield node.module.partition(".")[0], path


def normalised(name):
    return re.sub(r"[-_.]+", "-", re.split(r"[\s<>=!~;\[]", name)[0]).lower()


def test_every_import_belongs_to_a_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    dependencies = {normalised(requirement) for requirement in project["dependencies"]}
    missing = {
        f"{name} in {path.relative_to(ROOT)}"
        for name, path in imported()
        if name not in sys.stdlib_module_names | OPTIONAL | {"gansweep"}
        if normalised(DISTRIBUTIONS.get(name, name)) not in dependencies
    }
    assert not missing
