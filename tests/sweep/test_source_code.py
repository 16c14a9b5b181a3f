"""Hashes of sources, and the modules that they import."""

from __future__ import annotations

import pytest

from gansweep.source_code import code_digest, imported, statements

SOURCE = '''"""Doc."""
import os  # é


def f(a):
    """Doc of
    two lines é."""
    text = f"""{a} # kept  

{"é"}"""; b = 2  # cut
    return text, b
class A:
    "doc" ; z = 1
    'a' 'b'
    y = "# kept"
'''  # noqa: W291
STATEMENTS = '''import os
def f(a):
    text = f"""{a} # kept  

{"é"}"""; b = 2
    return text, b
class A:
     ; z = 1
    y = "# kept"'''  # noqa: W291


def test_statements_of_a_source():
    assert statements(SOURCE) == STATEMENTS


def test_the_digest_is_the_same_under_every_version_of_python():
    assert code_digest(SOURCE.encode()) == "4f516807f3c7bcae"


@pytest.mark.parametrize(
    ("old", "new", "equal"),
    [
        ("# é", "# other", True),
        ('"""Doc."""\n', "", True),
        ("two lines é.", "three\n\n    lines", True),
        ("import os  # é", "import os\n\n\n", True),
        ("\n", "\r\n", True),
        ("b = 2", "b = 3", False),
        ("# kept  \n", "# kept\n", False),
        ("    return", "  return", False),
    ],
)
def test_only_statements_change_the_digest(old, new, equal):
    assert old in SOURCE
    assert (code_digest(SOURCE.replace(old, new).encode()) == code_digest(SOURCE.encode())) == equal


def test_an_invalid_source_is_hashed_as_a_file():
    assert code_digest(b"x = (") != code_digest(b"x = (  # open")
    assert imported(b"x = (", "a", False) == set()


def test_imports_are_found_everywhere_in_a_module():
    source = b"""
from typing import TYPE_CHECKING
import a.b as c
from . import near
from ..up import x
from star import *
if TYPE_CHECKING:
    import only_a_type
elif not TYPE_CHECKING:
    import not_for_types
else:
    import at_run_time
def f():
    from inside import y
    importlib.import_module(name)
    return importlib.import_module("by.name"), __import__("built_in"), import_module("..above", __package__)
"""
    assert imported(source, "p.q.m", is_package=False) == {
        *("typing", "typing.TYPE_CHECKING", "a.b", "p.q", "p.q.near", "p.up", "p.up.x", "star", "star.*"),
        *("at_run_time", "not_for_types", "inside", "inside.y", "by.name", "built_in", "p.above"),
    }
    assert "p.q.near" in imported(source, "p.q", is_package=True)
