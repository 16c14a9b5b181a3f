"""Griffe extension that adapts docstrings to Markdown."""

from __future__ import annotations

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"^( *)>>> .*(?:\n(?! *$).*)*", re.M)


class Docstrings(griffe.Extension):
    """Rewrite docstrings before they are parsed."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Fence every `>>>` example, which Markdown would render as a quotation."""
        if obj.docstring:
            obj.docstring.value = EXAMPLE.sub(_fenced, obj.docstring.value)

    def on_class(self, *, cls: griffe.Class, **_: Any) -> None:
        """Document the fields of a named tuple as attributes, because it has no signature for `Args:`."""
        if cls.docstring and any("NamedTuple" in str(base) for base in cls.bases):
            cls.docstring.value = re.sub(r"^( *)Args:$", r"\1Attributes:", cls.docstring.value, flags=re.M)


def _fenced(match: re.Match[str]) -> str:
    indent, code = match[1], match[0]
    return f"{indent}```pycon\n{code}\n{indent}```"
