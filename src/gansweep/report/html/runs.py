"""Table of all runs, with links to their directories and tracebacks."""

from __future__ import annotations

import html
import os
from pathlib import Path
from urllib.parse import quote

from gansweep.formatting import number
from gansweep.report.study import Study
from gansweep.sweep.cell import State
from gansweep.sweep.identity import plain
from gansweep.sweep.result import Result
from gansweep.sweep.sweep_keys import is_number, swept_keys, value


def runs(study: Study, folder: Path) -> str:
    """Return a sortable table with one row per run; links are relative to `folder`, the folder of the page."""
    keys = swept_keys([result.cell for result in study.results])
    head = ["run", *keys, "state", "final", "best", "steps", "wall s", "problem"]
    cells = "".join(f'<th scope="col"><button type="button">{html.escape(name)}</button></th>' for name in head)
    rows = "\n".join(_row(result, keys, folder) for result in study.results)
    return (
        '<div class="scroll tall" role="region" tabindex="0" aria-label="all runs"><table class="sortable">'
        f"<caption><span>All runs; the name links to the run directory.</span></caption><thead><tr>{cells}</tr></thead>"
        f"<tbody>\n{rows}\n</tbody></table></div>"
    )


def link(path: Path, folder: Path) -> str:
    """Return the URL of `path` relative to `folder`."""
    return quote(Path(os.path.relpath(path, folder)).as_posix())


def _row(result: Result, keys: list[str], folder: Path) -> str:
    record, cell = result.record or {}, result.cell
    name = html.escape(cell.hash[:8])
    if cell.directory.is_dir():
        label = html.escape(f"directory of {cell.name}", quote=True)
        name = f'<a href="{link(cell.directory, folder)}/" aria-label="{label}">{name}</a>'
    settings = "".join(_setting(value(cell, key)) for key in keys)
    best = result.metric.get("best")
    wall = (record.get("time") or {}).get("wall_s")
    ended = result.state in (State.COMPLETED, State.DIVERGED)
    return (
        f'<tr><th scope="row">{name}</th>{settings}<td>{result.state.value}</td>'
        f"{_number(result.final, 'N/A' if ended else '-')}{_number(best)}"
        f"{_number(record.get('steps'), whole=True)}{_number(wall)}<td>{_trouble(result, folder)}</td></tr>"
    )


def _trouble(result: Result, folder: Path) -> str:
    text = html.escape(result.trouble)
    if not result.traceback:
        return text
    address = link(result.cell.directory.parent / result.traceback, folder)
    return f'{text}; <a href="{address}">{html.escape(result.traceback)}</a>'


def _setting(setting: object) -> str:
    sort = f' class="number" data-sort="{setting}"' if is_number(setting) else ""
    return f"<td{sort}>{html.escape(plain(setting))}</td>"


def _number(one: float | None, none: str = "-", whole: bool = False) -> str:
    if one is None:
        return f'<td class="number" data-sort="">{none}</td>'
    return f'<td class="number" data-sort="{one:.12g}">{one if whole else number(one)}</td>'
