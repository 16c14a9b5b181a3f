"""What of our docstrings the site's reader would take for something else."""

from __future__ import annotations

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"^( *)>>> .*(?:\n(?! *$).*)*", re.M)


class Docstrings(griffe.Extension):
    """Rewrites docstrings before they are read."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Fence every `>>>`, which Markdown would take for a quotation."""
        if obj.docstring:
            obj.docstring.value = EXAMPLE.sub(_fenced, obj.docstring.value)

    def on_class(self, *, cls: griffe.Class, **_: Any) -> None:
        """Tell the fields of a named tuple: it has no signature in which `Args:` could be looked up."""
        if cls.docstring and any("NamedTuple" in str(base) for base in cls.bases):
            cls.docstring.value = re.sub(r"^( *)Args:$", r"\1Attributes:", cls.docstring.value, flags=re.M)


def _fenced(found: re.Match[str]) -> str:
    indent, code = found[1], found[0]
    return f"{indent}```pycon\n{code}\n{indent}```"
