"""Hashes of the code of a run, other than the released code of gansweep.

A release of gansweep lists the hashes of its modules in `released_code.json`, and NUMERICS is incremented when its
arithmetic changes. The identity therefore contains only modules that differ from this list, modules of the user, and
versions of other packages that a configuration names.
"""

from __future__ import annotations

import json
import re
import sys
import sysconfig
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib.machinery import SOURCE_SUFFIXES, ModuleSpec
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from gansweep.source_code import code_digest, exported, file_digest, imported

OURS = "gansweep"
PACKAGE = Path(__file__).resolve().parent
RELEASED = PACKAGE / "released_code.json"
# Every run executes these modules and their imports, in addition to the classes named in its configuration.
TRAINS = ("gansweep.config.build", "gansweep.training.trainer")
NEVER = ("torch",)  # its version is in the record; a run may be resumed with another version
DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")


def code_of(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the hash of every module that a run uses and that is not released code.

    These are the modules of the classes named in the configuration, their imports, and edited modules of gansweep. An
    installed package listed in `allow` is represented by its version, unless one of its files was edited. Each file is
    read once per process, like the modules themselves.

    Args:
        config: resolved and checked configuration, so that the classes it names are imported.

    Returns:
        A hash by module, or `name==version` by package. Empty for an unmodified release of gansweep.
    """
    allow = [str(name) for name in config.get("allow") or ()]
    trusted = {name.partition(".")[0] for name in allow} - set(NEVER)
    trained = {key: node for key, node in config.items() if key != "logger"}  # loggers do not change a run
    roots = {module for path in dotted(trained) if is_below(path, (OURS, *allow)) for module in _defining(path)}
    return dict(_hashes(frozenset({*roots, *TRAINS}), frozenset(trusted)))


def code_of_class(cls: type) -> dict[str, str]:
    """Return the hash of the module of a class and of every module that it imports, as `code_of`."""
    trusted = {cls.__module__.partition(".")[0]} - set(NEVER)
    return dict(_hashes(frozenset({cls.__module__}), frozenset(trusted)))


@cache
def _hashes(roots: frozenset[str], trusted: frozenset[str]) -> tuple[tuple[str, str], ...]:
    code: dict[str, str] = {}
    for name in closure(roots, trusted):
        code |= _contribution(name, trusted)
    return tuple(sorted(code.items()))


def closure(roots: Iterable[str], trusted: Iterable[str] = ()) -> Iterator[str]:
    """Yield modules and their transitive imports whose code can be part of an identity."""
    pending, seen = sorted(roots), set[str]()
    while pending:
        name = pending.pop()
        if name in seen or not name:
            continue
        seen.add(name)
        if _counts(name, trusted):
            yield name
            pending += [*imports(name), name.rpartition(".")[0]]


def _counts(name: str, trusted: Iterable[str]) -> bool:
    """Return True for a user's module, or for a module of gansweep if some module of gansweep was edited."""
    spec, top = find(name), name.partition(".")[0]
    if spec is None:
        return False
    if top == OURS:
        return bool(edited()) and part_of(name) not in outside()
    return top in trusted or not (spec.origin is None or _is_installed(spec.origin)) or _is_namespace(spec)


def _contribution(name: str, trusted: Iterable[str]) -> dict[str, str]:
    spec, top = find(name), name.partition(".")[0]
    if top == OURS:
        return {name: edited()[name]} if name in edited() else {}
    if spec is None or not spec.has_location or spec.origin is None:
        return {}
    if top in trusted and _is_installed(spec.origin):
        release, files = _release(
            top, Path(spec.origin).parents[name.count(".") + bool(spec.submodule_search_locations)]
        )
        if release is not None and spec.origin in files:
            return {top: release}
    return {name: _digest(spec.origin, _content(spec))}


def dotted(node: Any) -> Iterator[str]:
    """Yield all strings of a configuration that can be the dotted path of a class."""
    if isinstance(node, Mapping):
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for inner in node:
            yield from dotted(inner)
    elif isinstance(node, str) and DOTTED.fullmatch(node):
        yield node


def is_below(path: str, modules: Iterable[str]) -> bool:
    """Return whether a dotted path lies inside one of some modules."""
    return any(path.startswith(f"{module}.") for module in modules)


def _defining(path: str) -> Iterator[str]:
    """Yield the module in the path of a class, and the module that defines the class."""
    module, _, name = path.rpartition(".")
    while module and find(module) is None:
        module, _, name = module.rpartition(".")
    yield module
    defined = getattr(getattr(sys.modules.get(module), name, None), "__module__", None)
    if isinstance(defined, str):
        yield defined


@cache
def find(name: str) -> ModuleSpec | None:
    """Return the spec of a module without importing it or its parent packages, None if it does not exist."""
    parent, path = name.rpartition(".")[0], None
    if parent:
        package = find(parent)
        path = package.submodule_search_locations if package else None
        if path is None:
            return None
    for finder in sys.meta_path:
        try:
            spec = finder.find_spec(name, path) if hasattr(finder, "find_spec") else None
        except KeyError:  # a namespace package whose parent, one too, was not imported yet
            spec = ModuleSpec(name, None, is_package=True)
            inside = [Path(folder, name.rpartition(".")[2]) for folder in path or ()]
            spec.submodule_search_locations = [str(folder) for folder in inside if folder.is_dir()]
        if spec is not None:
            return spec
    return None


@cache
def imports(name: str) -> frozenset[str]:
    """Return the names of the modules that a module imports, empty if it has no Python source."""
    spec = find(name)
    if spec is None or spec.origin is None or Path(spec.origin).suffix not in SOURCE_SUFFIXES:
        return frozenset()
    found = imported(_content(spec), name, spec.submodule_search_locations is not None)
    return frozenset(inner for name in found for inner in (_of_star(name[:-2]) if name.endswith(".*") else [name]))


def _of_star(package: str) -> Iterator[str]:
    """Go through the modules that `from package import *` may import."""
    spec = find(package)
    if spec is not None and spec.origin is not None and Path(spec.origin).suffix in SOURCE_SUFFIXES:
        yield from (f"{package}.{name}" for name in exported(_content(spec)))


def _content(spec: ModuleSpec) -> bytes:
    """Read a module's file, which may lie in an archive."""
    read = getattr(spec.loader, "get_data", None)
    return read(spec.origin) if read is not None else Path(str(spec.origin)).read_bytes()


def _digest(path: str, content: bytes) -> str:
    return code_digest(content) if Path(path).suffix in SOURCE_SUFFIXES else file_digest(content)


def _is_namespace(spec: ModuleSpec) -> bool:
    """Return True for a namespace package, which may contain modules of the user."""
    return not spec.has_location and spec.submodule_search_locations is not None


@cache
def _is_installed(origin: str) -> bool:
    """Return True if a file belongs to an installed package or to the standard library."""
    path = Path(origin)
    if {"site-packages", "dist-packages"} & set(path.parts):
        return True
    return not path.is_absolute() or any(
        path.is_relative_to(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")
    )


@cache
def _release(top: str, site: Path) -> tuple[str | None, frozenset[str]]:
    """Return `name==version` of a package installed in `site` (None if one of its files was edited) and its files."""
    for installed in distributions(path=[str(site)]):
        if not re.search(rf"^{re.escape(top)}(/|\.py,)", installed.read_text("RECORD") or "", re.MULTILINE):
            continue
        listed = [
            file for file in installed.files or () if file.parts[0] in (top, f"{top}.py") and file.hash is not None
        ]
        if all(_is_unedited(Path(str(file.locate())), file.hash) for file in listed):
            return f"{installed.metadata['Name']}=={installed.version}", frozenset(str(f.locate()) for f in listed)
    return None, frozenset()


def _is_unedited(path: Path, listed: Any) -> bool:
    try:
        now = urlsafe_b64encode(sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
    except OSError:
        return False
    return listed.mode == "sha256" and listed.value == now


@cache
def released() -> dict[str, str]:
    """Return "code_hash file_hash" by released module; "" for parts of gansweep that no run imports."""
    return json.loads(RELEASED.read_bytes())


def modules(outside: Iterable[str] = ()) -> Iterator[tuple[str, Path]]:
    """Yield the modules of gansweep and their files, except those in the parts `outside`."""
    for path in sorted(PACKAGE.rglob("*.py")):
        steps = path.relative_to(PACKAGE).with_suffix("").parts
        if part_of(".".join([OURS, *steps])) not in outside:
            yield ".".join([OURS, *(step for step in steps if step != "__init__")]), path


def part_of(module: str) -> str:
    """Return the top-level module or subpackage of gansweep that contains a module.

    >>> part_of("gansweep.layers.dropout"), part_of("gansweep")
    ('gansweep.layers', 'gansweep.__init__')
    """
    return ".".join([*module.split("."), "__init__"][:2])


def outside() -> set[str]:
    """Return the top-level parts of gansweep that no run imports."""
    return {name for name, hashes in released().items() if not hashes}


@cache
def edited() -> dict[str, str]:
    """Return the hashes of the modules of gansweep that differ from the release or are not part of it."""
    hashes = {}
    for name, path in modules(outside()):
        code, _, file = released().get(name, "").partition(" ")
        content = path.read_bytes()
        if file_digest(content) != file and (now := _digest(str(path), content)) != code:
            hashes[name] = now
    return hashes
