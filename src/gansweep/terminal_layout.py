"""Layout of Markdown on a terminal: tables that fit its width, and paragraphs broken between words."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Sequence

HARD_SPACE = "\u00a0"
JOINED = re.compile(r"(?<=\d) (±|to) (?=[-\d])")  # mean and deviation, and ends of an interval, stay in one line
SMALLEST = 40  # columns of a terminal
KEPT = re.compile(r"^(\s|#|```|- `|Commands?:|.*`python -m |.*python -m gansweep)")  # lines to copy stay whole


def for_terminal(text: str) -> str:
    """Return Markdown as it is shown on stdout: unchanged in a file or pipe, else fitted to the terminal's width."""
    return fitted(text, shutil.get_terminal_size().columns) if sys.stdout.isatty() else text


def fitted(text: str, width: int) -> str:
    """Return Markdown with no line longer than `width`, except command lines and words without a space.

    Fields of a table that is too wide are broken into several lines. If that is not enough, the table is divided into
    several, each with the leading columns that distinguish its rows.
    """
    width, lines = max(width, SMALLEST), []
    rows: list[str] = []
    for line in [*text.split("\n"), ""]:
        if line.startswith("|"):
            rows.append(line)
            continue
        lines += _table(rows, width) if rows else []
        rows = []
        lines += _paragraph(line, width)
    return "\n".join(lines[:-1])


def _paragraph(line: str, width: int) -> list[str]:
    if len(line) <= width or KEPT.match(line):
        return [line]
    indent = "  " if line.startswith("- ") else ""
    return textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False, subsequent_indent=indent)


def _table(rows: Sequence[str], width: int) -> list[str]:
    """Return the lines of a table whose second row is the rule below the head."""
    if max(map(len, rows)) <= width:
        return list(rows)
    fields = [re.split(r"(?<!\\)\|", row)[1:-1] for row in (rows[0], *rows[2:])]
    table = [[JOINED.sub(_joined, field.strip()) for field in row] for row in fields]
    narrow = [max(3, *(len(word) for row in table for word in row[n].split(" "))) for n in range(len(table[0]))]
    labels = list(range(_num_labels(table[1:])))
    if _total([narrow[n] for n in labels]) > width // 2:
        labels = [0]
    blocks = [[*labels]]
    for column in range(len(labels), len(narrow)):
        if len(blocks[-1]) > len(labels) and _total([narrow[n] for n in (*blocks[-1], column)]) > width:
            blocks.append([*labels])
        blocks[-1].append(column)
    lines: list[str] = []
    for block in blocks:
        part = [[row[n] for n in block] for row in table]
        lines += ["", *_lines(part, [narrow[n] for n in block], width)]
    return lines[1:]


def _joined(match: re.Match[str]) -> str:
    return f"{HARD_SPACE}{match[1]}{HARD_SPACE}"


def _num_labels(rows: Sequence[Sequence[str]]) -> int:
    """Return the number of leading columns that distinguish all rows; 1 if all columns together do not."""
    for number in range(1, len(rows[0]) if rows else 1):
        if len({tuple(row[:number]) for row in rows}) == len(rows):
            return number
    return 1


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + 3 * len(widths) + 1


def _lines(table: Sequence[Sequence[str]], narrow: Sequence[int], width: int) -> list[str]:
    """Return the lines of a table; every column gets its least width, and the widest fields the rest."""
    full = [max(3, *(len(row[n]) for row in table)) for n in range(len(narrow))]
    widths = list(narrow)
    while _total(widths) < width and widths != full:
        n = max(range(len(widths)), key=lambda n: full[n] - widths[n])
        widths[n] += 1
    broken = [[_broken(text, size) for text, size in zip(row, widths, strict=True)] for row in table]
    body = []
    for row in broken:
        for line in range(max(map(len, row))):
            parts = [field[line] if line < len(field) else "" for field in row]
            body.append(_row(parts, widths))
    num_head = max(map(len, broken[0]))
    return [*body[:num_head], _row(["-" * size for size in widths], widths), *body[num_head:]]


def _broken(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def _row(parts: Sequence[str], widths: Sequence[int]) -> str:
    line = " | ".join(part.ljust(size) for part, size in zip(parts, widths, strict=True))
    return f"| {line} |".replace(HARD_SPACE, " ")
