"""Which process works on a cell, agreed on through the file system alone.

A claim is a file `.claim.<n>`, made by a hard link: whoever succeeds has it, on a network file
system too. The highest n counts. To take over the claim of a dead process, or a released one,
is to make n + 1; of all who try, one succeeds. No claim that counts is ever deleted, so what
somebody believed a moment ago can't make two of them owners. A file of an older number may
come back after its deletion; its maker sees the higher one and steps back.

A claim also passes on what is known of its predecessors: see `Suspicion`.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import secrets
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from gansweep.sweep import process
from gansweep.sweep.suspicion import Suspicion
from gansweep.training import atomic

HEARTBEAT_S, STALE_S = 30.0, 300.0
NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


class Claim:
    """The right of this process to work in a directory, until it is released.

    While it is held, a thread marks it as fresh every half minute; this is how a process on
    another machine sees that the owner lives. On the same machine the owner is looked for.
    `lost` says that it went unmarked for so long that another process took over.
    `suspicion` is what is known of earlier owners; it is passed on to the next one.
    """

    def __init__(self, path: Path, suspicion: Suspicion | None = None) -> None:
        self.path, self.suspicion, self.lost = path, suspicion, False
        self._released = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="gansweep-claim", daemon=True)

    @classmethod
    def acquire(
        cls, directory: Path, *, together: int = 1, supervisor: Mapping[str, Any] | None = None
    ) -> Claim | None:
        """Claim a directory, None if a living process has it. The directory is made if need be.

        Whoever gets a claim has to look at the cell's state once more: it may just have been finished.

        Args:
            directory: of a cell.
            together: how many cells this process trains at once.
            supervisor: the process that watches this one, as its `process.here()`. If this process
                dies, its claims are left to the supervisor while that one lives.

        Raises:
            OSError: nothing can be written there, or no thread can be started.
        """
        directory.mkdir(parents=True, exist_ok=True)
        number = _latest(directory)
        draft = _draft(directory)
        before = {} if number is None else _owner(_path(directory, number))
        suspicion = Suspicion.after_death(before)
        about = {"together": together} | ({"supervisor": supervisor} if supervisor else {})
        try:
            draft.write_text(json.dumps(process.here() | about | (suspicion.as_dict() if suspicion else {})))
            if number is not None and _held(_path(directory, number), draft):
                return None
            claim = cls(_path(directory, 0 if number is None else number + 1), suspicion)
            if not _create(claim.path, draft):
                return None
        finally:
            draft.unlink(missing_ok=True)
        if not claim.refresh():
            claim.path.unlink(missing_ok=True)
            return None
        for older in _numbers(directory):
            if older < claim.number:
                with contextlib.suppress(IsADirectoryError, PermissionError):
                    _path(directory, older).unlink(missing_ok=True)
        try:
            claim._heart.start()
        except RuntimeError as error:  # no memory for one more thread
            claim.release()
            raise OSError(errno.EAGAIN, str(error)) from error
        return claim

    @property
    def number(self) -> int:
        """Its place among all claims that there were."""
        return int(self.path.name.rpartition(".")[2])

    def refresh(self) -> bool:
        """Mark the claim as fresh, by the file system's clock, and tell whether it still counts.

        It does not if this process was frozen for so long that another one took over.
        """
        with contextlib.suppress(OSError):
            os.utime(self.path)
        with contextlib.suppress(OSError):
            return _latest(self.path.parent) == self.number
        return True

    def is_lost(self) -> bool:
        """Ask the file system whether another process has taken over, before something is written."""
        self.lost = self.lost or not self.refresh()
        return self.lost

    def release(self, *, finished: bool = False) -> None:
        """Let others have the directory. With `finished`, no sign of the claims remains there."""
        if self._released.is_set():
            return
        self._released.set()
        with contextlib.suppress(OSError):
            if not self.refresh():
                return
            if not finished:
                draft = _draft(self.path.parent)
                try:
                    passed_on = self.suspicion.as_dict() if self.suspicion else {}
                    draft.write_text(json.dumps({"released": True} | passed_on))
                    os.replace(draft, self.path)
                finally:
                    draft.unlink(missing_ok=True)
            else:
                for number in _numbers(self.path.parent):
                    _path(self.path.parent, number).unlink(missing_ok=True)

    def _beat(self) -> None:
        while not self._released.wait(HEARTBEAT_S):
            self.lost = not self.refresh()

    def __enter__(self) -> Claim:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def holder(directory: Path) -> dict[str, Any] | None:
    """Say which living process has a directory, None if it is free."""
    number = _latest(directory)
    if number is None or not _held(_path(directory, number), None):
        return None
    return _owner(_path(directory, number))


def owner(directory: Path) -> dict[str, Any]:
    """Read the claim that counts, whether its owner lives or not; {} if there is none."""
    number = _latest(directory)
    return {} if number is None else _owner(_path(directory, number))


def suspicion(directory: Path) -> Suspicion | None:
    """Return what is known of owners of a directory that died, None if nothing speaks against it."""
    content = owner(directory)
    if not content:
        return None
    return Suspicion.noted(content) if holder(directory) is not None else Suspicion.after_death(content)


def remain(directory: Path) -> bool:
    """Tell whether any claim was left in a directory, of a living process or a dead one."""
    return _latest(directory) is not None


def _path(directory: Path, number: int) -> Path:
    return directory / f".claim.{number}"


def _draft(directory: Path) -> Path:
    return directory / f".draft.{secrets.token_hex(8)}"


def _numbers(directory: Path) -> list[int]:
    try:
        names = os.listdir(directory)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [int(match[1]) for match in (re.fullmatch(r"\.claim\.(\d+)", name) for name in names) if match]


def _latest(directory: Path) -> int | None:
    return max(_numbers(directory), default=None)


def _owner(path: Path) -> dict[str, Any]:
    """Read who made a claim; {} while it is being written, on file systems without links."""
    try:
        content = json.loads(atomic.read(path))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _held(path: Path, draft: Path | None) -> bool:
    """Tell whether a claim is of a living process, or of a dead one whose living supervisor has yet to note that.

    Args:
        path: the claim.
        draft: a file just written beside it. The difference of the two times is the age of
            the last heartbeat, without trusting this machine's clock.
    """
    owner = _owner(path)
    if owner.get("released"):
        return False
    lives = process.alive(owner)
    if lives is False:
        supervisor = owner.get("supervisor")
        return isinstance(supervisor, dict) and process.alive(supervisor) is True and supervisor != process.here()
    if lives is not None:
        return lives
    try:
        written = path.stat().st_mtime
        age = _now(path.parent, draft) - written
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return age < STALE_S if age >= 0 else _was_fresh(path, written)


def _was_fresh(path: Path, written: float) -> bool:
    """Tell whether a claim with a time in the future, whose age is unknown, was marked anew while it was looked at."""
    last, since = _seen.get(path, (None, 0.0))
    if last != written:
        _seen[path] = written, time.monotonic()
        return True
    return time.monotonic() - since < STALE_S


_seen: dict[Path, tuple[float, float]] = {}  # of claims from the future: their time, and when that was first seen


def _now(directory: Path, draft: Path | None) -> float:
    if draft is not None:
        return draft.stat().st_mtime
    probe = _draft(directory)
    try:
        probe.touch()
        return probe.stat().st_mtime
    finally:
        probe.unlink(missing_ok=True)


def _create(path: Path, draft: Path) -> bool:
    """Make `path` of `draft` unless it exists, in one step."""
    try:
        os.link(draft, path)
    except FileExistsError:
        # A network file system repeats a request whose answer was lost: then the file is ours.
        return draft.stat().st_nlink == 2
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        try:
            with path.open("xb") as file:
                file.write(draft.read_bytes())
        except FileExistsError:
            return False
    return True
