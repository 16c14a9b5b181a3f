"""Analysis of module sources: hash without comments and docstrings, and imported modules."""

from __future__ import annotations

import ast
import hashlib
import io
import tokenize
from collections.abc import Iterator
from importlib.util import decode_source

IMPORTERS = ("import_module", "__import__")  # functions
HEX_DIGITS = 16  # number of digits of a sha256: short enough for messages, long enough to avoid collisions


def code_digest(source: bytes) -> str:
    r"""Return the hash of the statements of a module, or of the whole file if it is not valid Python.

    Comments, docstrings, blank lines and trailing white space are ignored. The value is the same under all supported
    versions of Python.

    >>> code_digest(b"x = 1") == code_digest(b"'Doc.'\n\nx = 1  # one\n") != code_digest(b"x = 2")
    True
    """
    try:
        return file_digest(statements(decode_source(source)).encode())
    except (SyntaxError, ValueError):
        return file_digest(source)


def file_digest(content: bytes) -> str:
    """Return the hash of bytes."""
    return hashlib.sha256(content).hexdigest()[:HEX_DIGITS]


def statements(text: str) -> str:
    """Return a source without comments, string statements, blank lines and trailing white space.

    The ranges to remove are located by `ast` and `tokenize` and cut from the text. Unlike a dump of the syntax tree,
    the remaining text is the same under all versions of Python.
    """
    lines = [line.encode() for line in text.split("\n")]
    docstrings = [_range(node) for node in ast.walk(ast.parse(text)) if _is_string_statement(node)]
    comments, literal = _tokens(text)
    literal -= {row for (first, _), (last, _) in docstrings for row in range(first, last)}
    # Cut from the end, so that earlier positions stay valid.
    for (first, left), (last, right) in sorted(docstrings + comments, reverse=True):
        kept = lines[first - 1][:left], lines[last - 1][right:]
        lines[first - 1 : last] = [b"".join(kept)] + [b""] * (last - first)
    shown = (line if row in literal else line.rstrip() for row, line in enumerate(lines, 1))
    return "\n".join(line.decode() for row, line in enumerate(shown, 1) if line or row in literal)


Position = tuple[int, int]  # row from 1, column in bytes of UTF-8 from 0


def _range(node: ast.AST) -> tuple[Position, Position]:
    assert isinstance(node, ast.Expr)
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)


def _is_string_statement(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _tokens(text: str) -> tuple[list[tuple[Position, Position]], set[int]]:
    """Return the ranges of comments, and the rows that end inside a string, where white space is significant."""
    comments: list[tuple[Position, Position]] = []
    literal: set[int] = set()
    starts: list[int] = []  # first rows of open f-strings, which are several tokens since Python 3.12
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = tokenize.tok_name[token.type]
        row, column = token.start
        if kind == "COMMENT":
            left = len(token.line[:column].encode())
            comments.append(((row, left), (row, left + len(token.string.encode()))))
        elif kind == "FSTRING_START":
            starts.append(row)
        elif kind == "FSTRING_END":
            literal.update(range(starts.pop(), token.end[0]))
        elif kind == "STRING":
            literal.update(range(row, token.end[0]))
    return comments, literal


def imported(source: bytes, module: str, is_package: bool) -> set[str]:
    r"""Return the names of all modules that a module may import, including imports inside functions.

    For `from a import b` these are `a` and `a.b`, which may not be a module; for `from a import *`, `a` and `a.*`.
    `import_module("a")` and `__import__("a")` are included if the name is a literal. Imports under TYPE_CHECKING are
    ignored.

    >>> sorted(imported(b"import os.path\nfrom . import x", "my.code", is_package=False))
    ['my', 'my.x', 'os.path']
    """
    names: set[str] = set()
    package = module.split(".") if is_package else module.split(".")[:-1]
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return names
    for node in _executed(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            names.update({base, *(f"{base}.{alias.name}" for alias in node.names)})
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in IMPORTERS:
            given = node.args[0] if node.args else None
            if isinstance(given, ast.Constant) and isinstance(given.value, str):
                name = given.value.lstrip(".")
                level = len(given.value) - len(name)
                above = package[: len(package) - level + 1] if level else []
                names.add(".".join([*above, name]))
    return names


def exported(source: bytes) -> set[str]:
    """Return the names in a module's `__all__`, as far as they are literals.

    >>> sorted(exported(b"__all__ = ['a', 'b']"))
    ['a', 'b']
    """
    names: set[str] = set()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return names
    for node in tree.body:
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(ast.unparse(target) == "__all__" for target in targets) and node.value is not None:
                names |= {str(part.value) for part in ast.walk(node.value) if isinstance(part, ast.Constant)}
    return names


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a syntax tree, except those inside `if TYPE_CHECKING:`."""
    pending = [tree]
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test).rpartition(".")[2] == "TYPE_CHECKING":
            pending += node.orelse
        else:
            pending += ast.iter_child_nodes(node)
