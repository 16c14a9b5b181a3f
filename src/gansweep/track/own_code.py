"""Own classes of an entry: their sources and YAML files, which an entry file contains.

    my_gans                       module my_gans.py
    my_gans.optimizers            module my_gans/optimizers.py
    conf/optimizer/signum.yaml    file of --config-dir

Sources are written to a folder only on request, and used only by a command with `--allow-code`: a YAML file can
name files to write, for example of a log.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from gansweep.cli.folders import conf_dir
from gansweep.code_identity import OURS, find
from gansweep.config.errors import BadConfig, SettingError
from gansweep.source_code import code_digest
from gansweep.track.contradictions import YAML, source_hash

CONF = "conf"  # folder of the YAML files
MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
YAML_FILE = re.compile(rf"{CONF}/[A-Za-z_]\w*/[A-Za-z_][\w-]*\{YAML}", re.ASCII)
Code = Mapping[str, Mapping[str, str]]  # of an entry: sha256 and source by name


def captured(versions: Mapping[str, str], words: Sequence[str], config_dir: str | None) -> dict[str, dict[str, str]]:
    """Return the sources of own modules and YAML files.

    Args:
        versions: hash by module, or `name==version` by package, from the identity of the runs.
        words: settings of the entry; choices that are not in conf/ are those of `config_dir`.
        config_dir: directory with further YAML files.

    Raises:
        BadConfig: a source is missing, or was changed since the training.
    """
    problems, code = list[SettingError](), dict[str, str]()
    for name, version in versions.items():
        if "==" in version:  # an installed package
            continue
        try:
            code[name] = _source(name, version)
        except SettingError as error:
            problems += error.problems
    try:
        code |= _yaml_files(words, config_dir)
    except SettingError as error:
        problems += error.problems
    if problems:
        raise BadConfig(problems)
    return {name: {"sha256": source_hash(source), "source": source} for name, source in code.items()}


def _source(name: str, version: str) -> str:
    if name.partition(".")[0] == OURS:
        expected = (
            "was edited, so others can't repeat the runs. Move your class to a module of your own, see docs/howto"
        )
        raise SettingError(name, None, expected)
    spec = find(name)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise SettingError(name, None, "there is no Python source of this module; expected it in the current folder")
    content = Path(spec.origin).read_bytes()
    if code_digest(content) != version:
        raise SettingError(name, None, f"{spec.origin} was changed since the training; train the entry again")
    return content.decode()


def _yaml_files(words: Sequence[str], config_dir: str | None) -> Iterator[tuple[str, str]]:
    """Yield the YAML files of choices that are not in conf/."""
    for word in words:
        key, _, value = word.partition("=")
        group = key.partition("@")[0]
        if "." in group or not (conf_dir() / group).is_dir() or value in ("", "null"):
            continue
        if (conf_dir() / group / f"{value}{YAML}").is_file():
            continue
        file = Path(config_dir or "", group, f"{value}{YAML}")
        if config_dir is None or not file.is_file():
            raise SettingError(key, value, "is not one of gansweep's choices; expected --config-dir with its YAML file")
        yield f"{CONF}/{group}/{value}{YAML}", file.read_text(encoding="utf-8")


def write(code: Code, folder: Path) -> None:
    """Write the sources below a folder, as files that Python and Hydra find there.

    Raises:
        BadConfig: a name leads out of the folder, or would replace a module of Python or gansweep; or a file exists.
    """
    problems = [problem for name in code if (problem := _name_problem(name))]
    if problems:
        raise BadConfig(problems)
    files = {folder / (name if name.endswith(YAML) else _file(name, code)): part for name, part in code.items()}
    if present := next((file for file in files if file.exists()), None):
        raise SettingError("--write-code", folder, f"{present} exists already; expected another folder")
    for file, part in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(part["source"], encoding="utf-8")


def allowed(versions: Mapping[str, str]) -> list[str]:
    """Return the modules and packages that a configuration of the entry has to allow."""
    return sorted({name.partition(".")[0] for name in versions})


def _file(module: str, code: Code) -> str:
    path = module.replace(".", "/")
    is_package = any(name.startswith(f"{module}.") for name in code)
    return f"{path}/__init__.py" if is_package else f"{path}.py"


def _name_problem(name: str) -> SettingError | None:
    pattern = YAML_FILE if name.endswith(YAML) else MODULE
    if not pattern.fullmatch(name):
        return SettingError("code", name, "is not the name of a module, nor of a file conf/GROUP/NAME.yaml")
    top = name.partition(".")[0]
    if pattern is MODULE and (top == OURS or top in sys.stdlib_module_names or top in ("torch", "numpy", CONF)):
        return SettingError("code", name, "would replace a module of Python or gansweep")
    return None
