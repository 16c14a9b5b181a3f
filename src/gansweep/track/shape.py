"""Strict parser of entry files: their fields, and JSON without repeated keys and NaN.

Nothing that is read is executed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

Check = Callable[[str, Any], Iterator[str]]  # (place in the file, value) -> problems

MAX_BYTES = 4 * 2**20
MAX_DEPTH = 30
LARGEST_WHOLE, LARGEST = 10**12, 1e300


def parse(text: bytes) -> Any:
    """Return the content of a JSON file.

    Raises:
        ValueError: it is too large, not JSON, nested too deeply, or has a key twice or a number that is not finite.
    """
    if len(text) > MAX_BYTES:
        raise ValueError(f"has {len(text)} bytes, expected at most {MAX_BYTES}")
    try:
        content = json.loads(text, object_pairs_hook=_unique, parse_constant=_constant)
        json.dumps(content, ensure_ascii=False).encode()
        return content
    except UnicodeEncodeError as error:
        raise ValueError("has half of a surrogate pair, which is not valid text") from error
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"is not JSON: {error}") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"has the key {twice[:40]!r} twice in one mapping")
    return content


def _constant(name: str) -> Any:
    raise ValueError(f"has the number {name}, expected finite numbers, and null for infinity")


def shown(value: Any) -> str:
    """Return a short text of a value."""
    if isinstance(value, (dict, list)):
        return f"a {'mapping' if isinstance(value, dict) else 'list'}"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST_WHOLE:
        return "a whole number that is too large"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def rejects(fits: Callable[[Any], bool], expected: str) -> Check:
    """Return a check that has the problem "is ..., expected ..." for values that do not fit."""

    def check(where: str, value: Any) -> Iterator[str]:
        if not fits(value):
            yield f"{where} is {shown(value)}, expected {expected}"

    return check


def is_number(value: Any) -> bool:
    """Return whether a value is a finite number, and no boolean."""
    is_real = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_real and abs(value) <= LARGEST and math.isfinite(value)


def whole(least: int = 0) -> Check:
    """Return the check of a whole number."""

    def fits(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and least <= value <= LARGEST_WHOLE

    return rejects(fits, f"a whole number from {least} on")


def text(pattern: str, expected: str) -> Check:
    """Return the check of a text."""
    compiled = re.compile(pattern, re.ASCII)
    return rejects(lambda value: isinstance(value, str) and bool(compiled.fullmatch(value)), expected)


NUMBER = rejects(is_number, "a finite number")
TEXT = rejects(lambda value: isinstance(value, str), "text")
LINE = text(r"[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]{1,200}", "one line of at most 200 characters")
SHA256 = text(r"[0-9a-f]{64}", "64 hexadecimal digits")


def optional(check: Check) -> Check:
    """Return the check of a value that may be null."""

    def check_optional(where: str, value: Any) -> Iterator[str]:
        if value is not None:
            yield from check(where, value)

    return check_optional


def fields(**checks: Check) -> Check:
    """Return the check of a mapping with exactly these keys."""

    def check(where: str, value: Any) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{where} is {shown(value)}, expected a mapping"
            return
        prefix = f"{where}." if where else ""
        yield from (f"{prefix}{key} is missing" for key in checks if key not in value)
        yield from (f"{prefix}{str(key)[:60]}: unknown field" for key in value if key not in checks)
        for key, inner in checks.items():
            if key in value:
                yield from inner(f"{prefix}{key}", value[key])

    return check


def mapping(key_check: Check, check: Check) -> Check:
    """Return the check of a mapping with any keys that fit."""

    def check_mapping(where: str, value: Any) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{where} is {shown(value)}, expected a mapping"
            return
        for key, inner in value.items():
            problems = list(key_check(f"a key of {where}", key))
            yield from problems or check(f"{where}.{key}", inner)

    return check_mapping


def listing(check: Check) -> Check:
    """Return the check of a list."""

    def check_list(where: str, value: Any) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{where} is {shown(value)}, expected a list"
            return
        for place, inner in enumerate(value):
            yield from check(f"{where}[{place}]", inner)

    return check_list


def plain_json(where: str, value: Any, depth: int = 0) -> Iterator[str]:
    """Check a value of JSON types: its numbers are finite, and it is not nested deeply."""
    if depth > MAX_DEPTH:
        yield f"{where} is nested too deeply"
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from plain_json(f"{where}.{key}", inner, depth + 1)
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from plain_json(f"{where}[{place}]", inner, depth + 1)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from NUMBER(where, value)


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def settings(where: str, value: Any) -> Iterator[str]:
    """Check a mapping of JSON types."""
    if not isinstance(value, dict):
        yield f"{where} is {shown(value)}, expected a mapping"
    else:
        yield from plain_json(where, value)


COMPLETED, DIVERGED = "completed", "diverged"
WHOLE_KEY = text(r"0|[1-9]\d{0,11}", "a whole number")
STATE = text(f"{COMPLETED}|{DIVERGED}", f"{COMPLETED} or {DIVERGED}")
ENTRY = fields(
    format=whole(1),
    track=text(r"\w[\w.-]{0,79}", "the name of a track"),
    fingerprint=SHA256,
    target=NUMBER,
    confidence=NUMBER,
    name=text(r"\w[\w.,=+-]{0,79}", "a file name of letters, digits and . , = + - _"),
    author=LINE,
    date=rejects(_is_date, "YYYY-MM-DD"),
    overrides=listing(LINE),
    identity=settings,
    metric=settings,
    runs=mapping(
        WHOLE_KEY,
        fields(
            state=STATE,
            hash=SHA256,
            values=mapping(WHOLE_KEY, optional(NUMBER)),
            divergence=optional(fields(step=whole(), player=optional(LINE), cause=optional(LINE))),
            trained_s=mapping(WHOLE_KEY, NUMBER),
            pack=optional(whole(1)),
        ),
    ),
    tuning=optional(
        fields(
            budget=whole(1),
            runs=listing(
                fields(
                    overrides=settings,
                    seed=whole(),
                    state=STATE,
                    steps_to_target=optional(NUMBER),
                    final=optional(NUMBER),
                )
            ),
        )
    ),
    versions=mapping(LINE, LINE),
    device=mapping(LINE, LINE),
    code=mapping(LINE, fields(sha256=SHA256, source=TEXT)),
    score=optional(NUMBER),
    sha256=SHA256,
)
