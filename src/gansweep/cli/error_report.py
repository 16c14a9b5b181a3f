"""Error messages of a command: the block of all problems, and corrections of overrides that Hydra can't parse."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Sequence

from hydra.errors import OverrideParseException

from gansweep.config.errors import SettingError
from gansweep.console import WRONG, say_error
from gansweep.formatting import first_of

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


def complain(problems: Sequence[SettingError], omitted: str) -> int:
    """Print all problems to stderr and return exit code 2; `omitted` is what was not done, such as "trained"."""
    texts = list(dict.fromkeys(map(str, problems)))  # several cells may have the same problem
    lines = ["  " + text.replace("\n", "\n    ") for text in first_of(texts)]
    say_error("\n".join([f"The configuration is not valid; nothing was {omitted}.", *lines]))
    return WRONG


def unreadable(error: OverrideParseException, overrides: Sequence[str]) -> SettingError:
    """Return the problem of an override that can't be parsed, with the probable correction."""
    override = str(error.override)
    strange = next((sign for sign in override if sign in MEANT), None)
    if strange is not None:
        name = unicodedata.name(strange, "no printable character").lower()
        repaired = "".join(MEANT.get(sign, sign) for sign in override)
        return SettingError(override, None, f"has U+{ord(strange):04X}, {name}; write {repaired}")
    if override in overrides and override.startswith(",") | override.endswith(","):
        start = overrides.index(override)
        start -= override.startswith(",") and start > 0
        rest = itertools.takewhile(lambda text: "=" not in text, overrides[start + 1 :])
        parts = [overrides[start], *rest]
        joined = ",".join(part.strip(", ") for part in parts if part.strip(", "))
        return SettingError(override, None, f"is not a list of values; expected commas without spaces; write {joined}")
    if "=" not in override:
        return SettingError(override, None, _stray_word(override, overrides))
    return SettingError(override, None, str(error).partition("\n")[0] + _quoted(override))


def _stray_word(word: str, overrides: Sequence[str]) -> str:
    """Return the expectation for a word without `=`, such as `sgd` in `optimizer=adam sgd`."""
    start = overrides.index(word) if word in overrides else 0
    words = list(itertools.takewhile(lambda text: "=" not in text, overrides[start:]))
    end = start + len(words)
    is_spaced = end < len(overrides) and overrides[end].startswith("=")  # lr = 1e-3
    key, equals, value = overrides[start - 1].partition("=") if start else ("", "", "")
    if is_spaced or not equals or not value:
        return "expected key=value, without spaces around ="
    return f"expected key=value. Values of one key are joined by commas: -m {key}={','.join([value, *words])}"


def _quoted(override: str) -> str:
    """Return advice on quoting a value with spaces, brackets or other characters special to Hydra."""
    key, equals, value = override.partition("=")
    if not equals or not value or value[0] in "[{" or set(value) & set("\"'\\"):
        return ""
    return f". If it is text, quote it twice, for the shell and for Hydra: '{key}=\"{value}\"'"
