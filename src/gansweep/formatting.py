"""Text formatting of numbers and tables."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# Control characters except tab and line feed, invisible characters, bidirectional controls and surrogates.
HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


HUGE = 1e15  # numbers from here on are written with an exponent


def number(value: float, like: float | None = None) -> str:
    """Format a number with about four digits, or with the number of decimals that `like` would get.

    >>> number(1234.56), number(57.2), number(0.01234), number(0.0379, like=1.85), number(1.5e22)
    ('1235', '57.20', '0.01234', '0.04', '1.5e+22')
    """
    size = abs(value if like is None else like)
    if size < 1 and size != 0:
        return f"{value:.4g}" if like is None else f"{value:.2g}"
    if size >= HUGE:
        return f"{value:.4g}"
    digits = 0 if size >= 1000 else 1 if size >= 100 else 2
    return f"{value:.{digits}f}"


def significant(value: float, digits: int) -> str:
    """Format a number with this many significant digits, zeros included; digits before the point are never rounded.

    >>> [significant(value, 3) for value in (1.0, 0.1, 57.25, 1234.5, 2e-7, 0.0)]
    ['1.00', '0.100', '57.2', '1234', '2.00e-07', '0.00']
    """
    if value and not 1e-4 <= abs(value) < HUGE:
        return f"{value:.{digits - 1}e}"
    exponent = _exponent(value, digits - 1) if value else 0
    return f"{value:.{max(digits - 1 - exponent, 0)}f}"


METRIC_LABELS = {"w1": "W1", "sliced_w1": "sliced W1"}


def metric_label(name: str) -> str:
    """Return the name of a metric as texts and figures show it; options and records contain the name itself.

    >>> metric_label("w1"), metric_label("fd_digits")
    ('W1', 'fd_digits')
    """
    return METRIC_LABELS.get(name, name)


def rounded(values: Sequence[float], mean: float, sd: float) -> list[str]:
    """Format a mean, its standard deviation or its interval with equal decimals: two digits of the deviation.

    The mean gets at most six digits. Without a deviation, and where more than eight decimals are needed, the numbers
    are formatted by `number`.

    >>> rounded([0.70882, 0.1312], 0.70882, 0.1312), rounded([-0.4449, 1.8625], 0.7088, 0.1312)
    (['0.71', '0.13'], ['-0.44', '1.86'])
    >>> rounded([2.123e20, 1.2e19], 2.123e20, 1.2e19)
    ['2.123e+20', '1.2e+19']
    """
    if abs(mean) >= HUGE or sd >= HUGE:
        return [number(value) for value in values]
    if not sd > 0:  # 0 or NaN
        return [number(value, like=None if value == mean else mean) for value in values]
    decimals = min(1 - _exponent(sd, 1), 5 - _exponent(mean, 5) if mean else math.inf)
    if decimals > 8:
        return [number(value) for value in values]
    texts = [f"{value:.{max(int(decimals), 0)}f}" for value in values]
    return [text if float(text) else text.lstrip("-") for text in texts]


def _exponent(value: float, digits: int) -> int:
    """Return the power of ten of the first digit of a number, after rounding to `digits` decimals behind it."""
    return int(f"{value:.{digits}e}".partition("e")[2])


def is_folder_name(name: str) -> bool:
    r"""Return True if a text is usable as the name of one folder.

    Path separators and non-printable characters, such as line breaks and bidirectional controls, are rejected.

    >>> [is_folder_name(name) for name in ("lr=0.1", "..", ".", "a/b", "a\nb", "")]
    [True, False, False, False, False, False]
    """
    return name not in ("", ".", "..") and name == name.strip() and name.isprintable() and not set(name) & set("/\\")


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun.

    >>> counted(1, "run"), counted(2, "run"), counted(2, "is", "are")
    ('1 run', '2 runs', '2 are')
    """
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message."""
    return str(error).strip().partition("\n")[0]


def first_of(texts: Sequence[object], most: int = 20) -> list[str]:
    """Return the first of some texts, and how many there are more.

    >>> first_of("abcd", 2), first_of("ab", 2)
    (['a', 'b', 'and 2 more'], ['a', 'b'])
    """
    more = [f"and {len(texts) - most} more"] if len(texts) > most else []
    return [*map(str, texts[:most]), *more]


def shortened(name: str, width: int) -> str:
    """Return the name of a cell or a sweep without its last settings, if it is too long; its hash is kept.

    >>> shortened("optimizer=adam,lr=0.001,loss=wgan_gp,seed=0-3fedee5b", 40)
    'optimizer=adam,lr=0.001,…-3fedee5b'
    >>> shortened("optimizer=adam,lr=0.001", 40), shortened("an_optimizer_of_mine=1", 10)
    ('optimizer=adam,lr=0.001', 'an_optimi…')
    """
    if len(name) <= width:
        return name
    end = (re.search(r"-[0-9a-f]{8}$", name) or [""])[0]
    settings = name.removesuffix(end).split(",")
    for number in range(len(settings) - 1, 0, -1):
        text = f"{','.join(settings[:number])},…{end}"
        if len(text) <= width:
            return text
    return f"…{end}" if 0 < len(end) < width else f"{name[: width - 1]}…"


def visible(text: str) -> str:
    r"""Escape control characters and other invisible characters, except line feeds and tabs.

    A terminal would interpret escape sequences.

    >>> visible("a\x1b[2Jb\u202ec")
    'a\\x1b[2Jb\\u202ec'
    """
    return HIDDEN.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return comma-separated values with a head, all texts as `csv_field` makes them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(
        [csv_field(row[column]) for column in columns] for row in (dict(zip(columns, columns, strict=True)), *rows)
    )
    return text.getvalue()


def csv_field(value: Any) -> Any:
    """Prefix a text with an apostrophe if a spreadsheet would interpret it as a formula.

    >>> csv_field("=cmd|' /C calc'!A0"), csv_field("-1.5"), csv_field("-x"), csv_field(-1.5)
    ("'=cmd|' /C calc'!A0", '-1.5', "'-x", -1.5)
    """
    if not isinstance(value, str):
        return value
    text = visible(value)
    if text == "-":  # a missing value
        return text
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\n")) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table with aligned columns."""
    cleaned = [[visible(" ".join(text.replace("|", "\\|").split())) for text in row] for row in (head, *rows)]
    widths = [max(3, *(len(row[column]) for row in cleaned)) for column in range(len(head))]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |" for row in cleaned
    ]
    rule = "| " + " | ".join("-" * width for width in widths) + " |"
    return "\n".join([lines[0], rule, *lines[1:]])


def file_size(num_bytes: int) -> str:
    """Return a size in bytes as text.

    >>> file_size(2**21), file_size(3 * 2**29), file_size(5000)
    ('2 MiB', '1.5 GiB', '5 KiB')
    """
    if num_bytes >= 2**30:
        return f"{num_bytes / 2**30:.1f} GiB"
    return f"{num_bytes / 2**20:.0f} MiB" if num_bytes >= 2**20 else f"{num_bytes / 2**10:.0f} KiB"
