"""Where log messages about one member among several go."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Journal(Protocol):
    """Where log messages go while something is done for one member among several."""

    def __call__(self) -> AbstractContextManager[None]:
        """Return the context in which messages are this member's."""
        ...

    def close(self) -> None:
        """Expect no more of them."""
        ...


class Everyone:
    """No journal of one's own: messages go wherever they go."""

    def __call__(self) -> AbstractContextManager[None]:
        """Return a context that does nothing."""
        return nullcontext()

    def close(self) -> None:
        """Do nothing."""
