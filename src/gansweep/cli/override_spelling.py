"""Error messages for overrides that Hydra can't parse, with the corrected spelling."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import OverrideParseException

from gansweep.config.errors import Problem

# ASCII equivalents of characters that word processors and PDF files insert.
MEANT = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d", "-"),
    **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb\uff02", '"'),
    **dict.fromkeys("\u2018\u2019\u201a\uff07", "'"),
    **dict.fromkeys("\u00a0\u2007\u2009\u202f\u3000", " "),
    "\uff0c": ",",
    "\uff1d": "=",
    "\u200b": "",
    "\ufeff": "",
}


def unreadable(error: OverrideParseException, overrides: Sequence[str]) -> Problem:
    """Return the problem of an override that can't be parsed, with the probable correction.

    Args:
        error: Hydra's exception.
        overrides: all overrides of the command line.
    """
    override = str(error.override)
    strange = next((sign for sign in override if sign in MEANT), None)
    if strange is not None:
        name = unicodedata.name(strange, "no printable character").lower()
        repaired = "".join(MEANT.get(sign, sign) for sign in override)
        return Problem(override, f"has U+{ord(strange):04X}, {name}; write {repaired}")
    if override in overrides and override.startswith(",") | override.endswith(","):
        start = overrides.index(override)
        start -= override.startswith(",") and start > 0
        rest = itertools.takewhile(lambda text: "=" not in text, overrides[start + 1 :])
        parts = [overrides[start], *rest]
        joined = ",".join(part.strip(", ") for part in parts if part.strip(", "))
        return Problem(override, f"is not a list of values; expected commas without spaces; write {joined}")
    if "=" not in override:
        return Problem(override, "expected key=value, without spaces around =")
    return Problem(override, str(error).partition("\n")[0] + _quoted(override))


def name_as_typed(overrides: Sequence[str]) -> list[str]:
    """Quote the sweep's name where Hydra would parse it as a number and change it, as 2024_01_01 or 1.10."""
    return [_quoted_number(override) for override in overrides]


def _quoted_number(override: str) -> str:
    key, _, text = override.partition("=")
    if key.lstrip("+") != "name" or not re.fullmatch(r"[-+.\w]+", text):
        return override
    value = OverridesParser.create().parse_override(override).value()
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return f"{key}='{text}'" if is_number and str(value) != text else override


def _quoted(override: str) -> str:
    """Return advice on quoting a value with spaces, brackets or other characters special to Hydra."""
    key, equals, value = override.partition("=")
    if not equals or not value or value[0] in "[{" or set(value) & set("\"'\\"):
        return ""
    return f". If it is text, quote it twice, for the shell and for Hydra: '{key}=\"{value}\"'"
