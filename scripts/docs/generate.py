"""Write the generated pages of the documentation: docs/settings.md and docs/reference.md.

    python scripts/docs/generate.py          # write them
    python scripts/docs/generate.py --check  # exit with 1 if one is out of date

The settings come from `conf/` and the docstrings of the classes that its files name, the reference
from the docstrings of all public classes and functions. Only the classes named in `conf/` are
imported.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from inspect import cleandoc
from pathlib import Path
from typing import Any

import yaml

from gansweep.config.root import Root
from gansweep.training.run import TrainerSettings

ROOT = Path(__file__).parents[2]
CONF, SOURCE = ROOT / "conf", ROOT / "src" / "gansweep"
PAGES = {"settings": ROOT / "docs" / "settings.md", "reference": ROOT / "docs" / "reference.md"}

GROUPS = {
    "model": "The pair of networks.",
    "loss": "The loss of each player, with its penalties, label noise and instance noise.",
    "augment": "The augmentation of the discriminator's inputs, real and generated.",
    "optimizer": "The update rule of both players. `optimizer@optimizer_d=` sets that of the discriminator.",
    "schedule": "The multiplier of the learning rate. `schedule@schedule_d=` sets that of the discriminator; "
    "`schedule_beta`, `schedule_beta_d`, `schedule_penalty`, `schedule_noise`, `schedule_ema` and `schedule_critic` "
    "multiply beta1 or the momentum, penalty weights, instance noise, the averaging rate and the critic steps.",
    "dynamics": "How the gradients of both players become one step of the game.",
    "feedback": "A gain on the scheduled rate that responds to a measured value.",
    "algorithm": "What one training step does.",
    "data": "The data set.",
    "metric": "What is measured at every evaluation. `metric@metric_2=` measures a second one.",
    "logger": "Where curves and pictures are written. `logger=[tensorboard,csv]` chooses several; a setting is written "
    "with the name of the logger, as `logger.wandb.mode=online`.",
}
FOLDERS = {
    "losses": "Losses",
    "penalties": "Penalties",
    "augmentations": "Augmentations",
    "optimizers": "Optimizers",
    "schedules": "Schedules",
    "dynamics": "Game dynamics",
    "feedback": "Feedback on the rate",
    "models": "Models",
    "layers": "Layers with a member axis",
    "data": "Data sets",
    "metrics": "Metrics",
    "statistics": "Statistics",
    "algorithms": "Algorithms",
    "training": "Training",
    "loggers": "Loggers",
}


def main() -> int:
    """Write or check both pages."""
    texts = {"settings": settings(), "reference": reference()}
    stale = [name for name, page in PAGES.items() if not page.exists() or page.read_text() != texts[name]]
    if "--check" in sys.argv[1:]:
        for name in stale:
            print(f"{PAGES[name].relative_to(ROOT)} is out of date: run python scripts/docs/generate.py")
        return int(bool(stale))
    for name in stale:
        PAGES[name].write_text(texts[name])
    return 0


def settings() -> str:
    """Return docs/settings.md: every root setting, every trainer setting, and every choice of every group."""
    defaults = yaml.safe_load((CONF / "config.yaml").read_text())
    chosen = {key: value for entry in defaults["defaults"] if isinstance(entry, dict) for key, value in entry.items()}
    parts = [
        "# Settings",
        "Generated from `conf/` and the docstrings by `python scripts/docs/generate.py`; do not edit.",
        "Write `key=value` on the command line, `group=choice` to choose an option of a group and\n"
        "`group.key=value` to change one of its settings. With `-m`, commas make a grid. `--cfg job` prints the\n"
        "composed configuration.",
        "## General settings",
        _table(("setting", "default", "meaning"), _arguments(Root, defaults)),
        "## `trainer.`: evaluation, logging and checkpoints",
        _table(("setting", "default", "meaning"), _arguments(TrainerSettings, _default_values(TrainerSettings))),
    ]
    for group, purpose in GROUPS.items():
        parts += [f"## `{group}=`", f"{purpose} Default: `{chosen.get(group)}`.", _choices(group)]
    return "\n\n".join(parts) + "\n"


def reference() -> str:
    """Return docs/reference.md: the public classes and functions with the first line of their docstrings."""
    parts = [
        "# API reference",
        "Generated from the docstrings by `python scripts/docs/generate.py`; do not edit. Each name links to its\n"
        "source. `mkdocs build -f scripts/docs/mkdocs.yml` renders the complete docstrings as a site.",
        "The protocols that these classes implement are in [interfaces.py](../src/gansweep/interfaces.py).",
    ]
    for folder, title in FOLDERS.items():
        rows = [row for path in sorted((SOURCE / folder).rglob("*.py")) for row in _public(path)]
        parts += [f"## {title}", _table(("name", "summary"), rows)]
    return "\n\n".join(parts) + "\n"


def _choices(group: str) -> str:
    rows = []
    for path in sorted((CONF / group).glob("*.yaml")):
        text = path.read_text()
        node = yaml.safe_load(text) or {}
        if group == "logger":  # below its name, because several can be chosen
            node = node.get(path.stem, {})
        cls = _located(node)
        values = {key: value for key, value in node.items() if not key.startswith("_") and key != "defaults"}
        shown = ", ".join(f"{key}={_plain(value)}" for key, value in values.items())
        rows.append((f"`{path.stem}`", _summary(text, cls), f"`{shown}`" if shown else ""))
    return _table(("choice", "what it is", "settings and defaults"), rows)


def _summary(text: str, cls: type | None) -> str:
    """Return the comment at the head of a YAML file, or the first line of its class's docstring."""
    comments = re.match(r"(?:# @package.*\n)?((?:#.*\n)+)", text)
    if comments:
        joined = " ".join(line.lstrip("# ").strip() for line in comments[1].splitlines())
        return _cell(re.split(r"(?<=[.:]) (?=[A-Z])", joined)[0])
    return _cell(_first_line(cls.__doc__ or "")) if cls else ""


def _located(node: Mapping[str, Any]) -> type | None:
    target = node.get("_target_")
    if not isinstance(target, str):
        return None
    module, _, name = target.rpartition(".")
    return getattr(import_module(module), name)


def _arguments(cls: type, defaults: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """List (name, default, meaning) of the fields of a class from the `Args` of its docstring."""
    section = cleandoc(cls.__doc__ or "").partition("Args:\n")[2]
    entries = re.findall(r"^    (\w+): ((?:.+\n?)(?:^ {8}.+\n?)*)", section, re.M)
    return [(f"`{name}`", f"`{_plain(defaults.get(name))}`", _cell(" ".join(text.split()))) for name, text in entries]


def _default_values(cls: type) -> dict[str, Any]:
    instance = cls()
    return {name: getattr(instance, name) for name in cls.__dataclass_fields__}  # type: ignore[attr-defined]


def _public(path: Path) -> Iterator[tuple[str, str]]:
    link = f"../{path.relative_to(ROOT)}"
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not node.name.startswith("_"):
            yield f"[`{node.name}`]({link})", _cell(_first_line(ast.get_docstring(node) or ""))


def _first_line(docstring: str) -> str:
    return docstring.strip().partition("\n")[0]


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key}: {_plain(part)}" for key, part in value.items() if not str(key).startswith("_"))
        target = str(value.get("_target_", "")).rpartition(".")[2]
        return target + (f"({inner})" if target and inner else "" if target else f"{{{inner}}}")
    if isinstance(value, bool) or value is None:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_plain, value))}]"
    return str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _table(columns: tuple[str, ...], rows: list[Any]) -> str:
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
