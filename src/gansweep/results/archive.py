"""Archive of a sweep: one zip file with records, table, report and samples of every cell, without checkpoints.

`gansweep report`, `gansweep results` and `gansweep.results.load` read it in place of the directory of a sweep.

    SWEEP/sweep.json, table.md, results.csv, report.html
    SWEEP/CELL/record.json, samples/step_1000.png, samples/step_1000.npz

Reading extracts only files with these names, below a new temporary directory, and executes nothing.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath

from gansweep.formatting import is_folder_name, visible
from gansweep.sweep import records
from gansweep.sweep.cell import read_record
from gansweep.sweep.sweep_directory import FROZEN
from gansweep.training import record

SUFFIX = ".zip"
OF_SWEEP = (FROZEN, "table.md", "results.csv", "report.html")
SAMPLE = re.compile(r"step_\d{1,18}\.(png|npz)")
# Limits on what is extracted: records compress to a tenth, the worst deflate stream to a thousandth.
LEAST_BYTES, MAX_RATIO, MAX_FILES = 64 * 2**20, 100, 200_000
CHUNK = 2**20
EPOCH = (1980, 1, 1, 0, 0, 0)  # equal contents give equal files
ERRORS = (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError)


def write(root: Path, out: Path) -> int:
    """Write the archive of a sweep and return its number of files. An existing file is not overwritten.

    Args:
        root: directory of the sweep.
        out: the zip file.

    Raises:
        ValueError: it exists already, or no cell has a record.
        OSError: it can't be written.
    """
    files = list(_files(root))
    if not any(file.name == record.NAME for file in files):
        raise ValueError(f"{root}: contains no records, expected the directory of a sweep, for example outputs/mine")
    try:
        with out.open("xb") as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                name = PurePosixPath(root.resolve().name, file.relative_to(root).as_posix())
                archive.writestr(zipfile.ZipInfo(str(name), EPOCH), file.read_bytes(), zipfile.ZIP_DEFLATED)
    except FileExistsError as error:
        raise ValueError(f"--out {out}: exists already, expected a new file") from error
    except BaseException:
        out.unlink(missing_ok=True)
        raise
    return len(files)


def _files(root: Path) -> Iterator[Path]:
    """Yield the files of a sweep that are archived: of each cell the record and its last and its best samples."""
    yield from (root / name for name in OF_SWEEP if (root / name).is_file())
    for directory in records.directories(root):
        content = read_record(directory)
        if content is None:
            continue
        yield directory / record.NAME
        pictures = {_step(file): file for file in directory.glob("samples/step_*.png")}
        for step in sorted({max(pictures, default=None), (content.get("metric") or {}).get("best_step")} & {*pictures}):
            yield from (file for file in (pictures[step], pictures[step].with_suffix(".npz")) if file.is_file())


def _step(sample: Path) -> int:
    digits = sample.stem.partition("_")[2]
    return int(digits) if digits.isdecimal() else -1


def is_archive(path: Path) -> bool:
    """Return whether a path is a file, and so not the directory of a sweep."""
    return path.is_file()


@contextmanager
def opened(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Yield the directories of sweeps; archives among the paths are extracted to temporary directories.

    Raises:
        ValueError: a file is not an archive of a sweep, or is damaged, too large or unsafe.
    """
    with ExitStack() as stack:
        yield [stack.enter_context(_extracted(path)) if is_archive(path) else path for path in paths]


@contextmanager
def _extracted(path: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gansweep-") as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                root = _extract(archive, Path(folder), _limit(path))
        except ERRORS as error:
            reason = visible(str(error)) or type(error).__name__
            raise ValueError(f"{path} can't be read as an archive of gansweep results: {reason}") from error
        yield root


def _limit(path: Path) -> int:
    """Return the largest number of bytes that the archive may have when extracted."""
    return max(LEAST_BYTES, MAX_RATIO * path.stat().st_size)


def _extract(archive: zipfile.ZipFile, folder: Path, limit: int) -> Path:
    """Extract the files of a sweep, and return its directory.

    Raises:
        ValueError: a name leads out of the directory, or there are too many bytes or files, or no sweep.
    """
    entries = archive.infolist()
    if len(entries) > MAX_FILES:
        raise ValueError(f"it has {len(entries)} files, expected at most {MAX_FILES}")
    roots, left = set[str](), limit
    for entry in entries:
        parts = _parts(entry)
        if parts is None:
            continue
        roots.add(parts[0])
        if len(roots) > 1:
            raise ValueError("it has several top folders, expected that of one sweep")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{entry.filename!r} is compressed by another method than deflate")
        target = folder.joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as source, target.open("xb") as file:
            while chunk := source.read(CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise ValueError(f"its files have more than {limit} bytes")
                file.write(chunk)
    if not roots:
        raise ValueError("it contains no records")
    return folder / roots.pop()


def _parts(entry: zipfile.ZipInfo) -> tuple[str, ...] | None:
    """Return the path of an entry, None for a folder or a file that is not read.

    Raises:
        ValueError: the name is not that of a file below the top folder, or the entry is a link.
    """
    name = entry.filename
    parts = tuple(name.removesuffix("/").split("/"))
    if "\\" in name or not all(map(is_folder_name, parts)) or (entry.external_attr >> 16) & 0o170000 == 0o120000:
        raise ValueError(f"{name!r} is not the name of a file below the folder of a sweep")
    match parts:
        case (_, file) if file in OF_SWEEP and not name.endswith("/"):
            return parts
        case (_, _, record.NAME) if not name.endswith("/"):
            return parts
        case (_, _, "samples", file) if SAMPLE.fullmatch(file):
            return parts
    return None
