"""What an algorithm can't train, all of it at once."""

from __future__ import annotations

from collections.abc import Iterable


def refuse(found: Iterable[tuple[bool, str]], example: str) -> None:
    """Raise ValueError with a line for everything that is so.

    >>> refuse([(True, "loss=r1: expected ~loss"), (False, "batch_size=0: expected 1")], "algorithm=mine: e.g. ~loss")
    Traceback (most recent call last):
    ValueError: loss=r1: expected ~loss

    Args:
        found: what may be wrong, and how it is said: `key=value: why, and what is expected`.
        example: settings that go together. It ends the message where several things are wrong.
    """
    wrong = [text for is_so, text in found if is_so]
    if wrong:
        raise ValueError("\n".join([*wrong, *([example] if len(wrong) > 1 else [])]))
