"""Locking of cell directories between processes by lock files ("claims") in the file system.

A claim is a file `.claim.<n>`, created by a hard link, which is atomic on network file systems too. The claim with the
highest n is valid. A process takes over a released claim, or the claim of a dead process, by creating n + 1; only one
process can succeed. A valid claim is never deleted, so outdated information can't make two processes owners. A file
with a lower number may reappear after its deletion; its creator finds the higher number and gives up.

A claim also passes on information about dead previous owners: see `CrashHistory`.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from gansweep.sweep import process
from gansweep.sweep.process import CrashHistory, Heartbeat
from gansweep.training import atomic

HEARTBEAT_S, STALE_S = 30.0, 300.0
_heartbeat = Heartbeat(lambda: HEARTBEAT_S)
NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


class Claim:
    """Lock of a directory, held by this process until `release`.

    The time stamp of the file is updated every 30 s (`Heartbeat`). Processes on other machines use it to detect a dead
    owner; processes on the same machine check the owner's pid. `lost` is True if the time stamp became stale and
    another process took over. `crash_history` describes dead previous owners and is passed on to the next owner.
    """

    def __init__(self, path: Path, crash_history: CrashHistory | None = None) -> None:
        self.path, self.crash_history, self.lost = path, crash_history, False
        self._released = False

    @classmethod
    def acquire(
        cls, directory: Path, *, together: int = 1, supervisor: Mapping[str, Any] | None = None
    ) -> Claim | None:
        """Lock a directory, creating it if needed; return None if it is locked by a live process.

        After acquiring the claim, the caller must check the state of the cell again: another process may have finished
        it in the meantime.

        Args:
            directory: directory of a cell.
            together: number of cells in the pack that this process trains.
            supervisor: `process.here()` of the process that monitors this one. If this process dies, only the
                supervisor takes over its claims while it is alive.

        Raises:
            OSError: the directory is not writable, or no thread can be started.
        """
        directory.mkdir(parents=True, exist_ok=True)
        number = _latest(directory)
        draft = _draft(directory)
        before = {} if number is None else _owner(_path(directory, number))
        crash_history = CrashHistory.after_death(before)
        about = {"together": together} | ({"supervisor": supervisor} if supervisor else {})
        try:
            draft.write_text(json.dumps(process.here() | about | (crash_history.as_dict() if crash_history else {})))
            if number is not None and _held(_path(directory, number), draft):
                return None
            claim = cls(_path(directory, 0 if number is None else number + 1), crash_history)
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
            _heartbeat.add(claim.beat)
        except RuntimeError as error:  # out of memory for another thread
            claim.release()
            raise OSError(errno.EAGAIN, str(error)) from error
        return claim

    @property
    def number(self) -> int:
        """Sequence number of the claim."""
        return int(self.path.name.rpartition(".")[2])

    def refresh(self) -> bool:
        """Update the time stamp, by the clock of the file system, and return True if the claim is still valid.

        It is invalid if this process was suspended for so long that another one took over.
        """
        with contextlib.suppress(OSError):
            os.utime(self.path)
        with contextlib.suppress(OSError):
            return _latest(self.path.parent) == self.number
        return True

    def is_lost(self) -> bool:
        """Return True if another process has taken over; to be called before writing results."""
        self.lost = self.lost or not self.refresh()
        return self.lost

    def release(self, *, finished: bool = False) -> None:
        """Unlock the directory. With `finished`, delete all claim files."""
        if self._released:
            return
        self._released = True
        _heartbeat.remove(self.beat)
        with contextlib.suppress(OSError):
            if not self.refresh():
                return
            if not finished:
                draft = _draft(self.path.parent)
                try:
                    passed_on = self.crash_history.as_dict() if self.crash_history else {}
                    draft.write_text(json.dumps({"released": True} | passed_on))
                    draft.replace(self.path)
                finally:
                    draft.unlink(missing_ok=True)
            else:
                for number in _numbers(self.path.parent):
                    _path(self.path.parent, number).unlink(missing_ok=True)

    def beat(self) -> None:
        """Update the time stamp, and note whether another process has taken over."""
        if not self._released:
            self.lost = not self.refresh()

    def __enter__(self) -> Claim:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def holder(directory: Path) -> dict[str, Any] | None:
    """Return the owner of a directory if it is locked by a live process, else None."""
    number = _latest(directory)
    if number is None or not _held(_path(directory, number), None):
        return None
    return _owner(_path(directory, number))


def owner(directory: Path) -> dict[str, Any]:
    """Return the content of the valid claim, of a live or dead owner; {} if there is none."""
    number = _latest(directory)
    return {} if number is None else _owner(_path(directory, number))


def crash_history(directory: Path) -> CrashHistory | None:
    """Return the crash history of a directory whose owners died, None if there is none."""
    content = owner(directory)
    if not content:
        return None
    return CrashHistory.in_claim(content) if holder(directory) is not None else CrashHistory.after_death(content)


def has_claim_file(directory: Path) -> bool:
    """Return True if a directory contains a claim file, of a live or dead process."""
    return _latest(directory) is not None


def _path(directory: Path, number: int) -> Path:
    return directory / f".claim.{number}"


def _draft(directory: Path) -> Path:
    return directory / f".draft.{secrets.token_hex(8)}"


def _numbers(directory: Path) -> list[int]:
    try:
        matches = [re.fullmatch(r"\.claim\.(\d+)", entry.name) for entry in directory.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [int(match[1]) for match in matches if match]


def _latest(directory: Path) -> int | None:
    return max(_numbers(directory), default=None)


def _owner(path: Path) -> dict[str, Any]:
    """Return the content of a claim; {} while it is being written on file systems without hard links."""
    try:
        content = json.loads(atomic.read(path))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _held(path: Path, draft: Path | None) -> bool:
    """Return True if a claim's owner is alive, or is dead and its live supervisor has not handled that yet.

    Args:
        path: the claim.
        draft: a file just written in the same directory. The difference of the two time stamps is the age of the last
            heartbeat, independent of this machine's clock.
    """
    owner = _owner(path)
    if owner.get("released"):
        return False
    is_alive = process.alive(owner)
    if is_alive is False:
        supervisor = owner.get("supervisor")
        return isinstance(supervisor, dict) and process.alive(supervisor) is True and supervisor != process.here()
    if is_alive is not None:
        return is_alive
    try:
        written = path.lstat().st_mtime  # a link that leads nowhere has an age too
        age = _now(path.parent, draft) - written
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return age < STALE_S if age >= 0 else _was_fresh(path, written)


def _was_fresh(path: Path, written: float) -> bool:
    """Return True if a claim with a time stamp in the future was updated in the last STALE_S of observation."""
    last, since = _seen.get(path, (None, 0.0))
    if last != written:
        _seen[path] = written, time.monotonic()
        return True
    return time.monotonic() - since < STALE_S


# Claims with a time stamp in the future: the time stamp, and the local time when it was first observed.
_seen: dict[Path, tuple[float, float]] = {}


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
    """Atomically create `path` with the content of `draft`; return False if `path` exists."""
    try:
        os.link(draft, path)
    except FileExistsError:
        # A network file system repeats a request whose reply was lost: the file is then from this process.
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
