"""table.md: final values of a sweep, with the varied settings as rows and columns (`leaderboard.pivot`)."""

from __future__ import annotations

import logging
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

from gansweep.config.keys import CAPTION, FALLBACKS
from gansweep.formatting import markdown, metric_label, number, visible
from gansweep.results.configuration import FINAL, Configuration, spread
from gansweep.results.frame import spreadsheet
from gansweep.results.leaderboard import Leaderboard, current_code, leaderboard, leaderboards, pivot
from gansweep.section import Entry, Table
from gansweep.sweep import tensorboard_layout
from gansweep.sweep.cell import Result, State
from gansweep.sweep.identity import HASH_IN_NAME, plain
from gansweep.sweep.metric_groups import comparable, differences, further_metrics
from gansweep.sweep.sweep import Sweep
from gansweep.sweep.sweep_keys import SEED, SEEDS, UNSET, order, value
from gansweep.training import atomic, checkpoint_step

log = logging.getLogger(__name__)

TABLE, SPREADSHEET = "table.md", "results.csv"
LONGEST_NAME = 40  # characters, of a cell
STATE_LABELS = {
    State.NEW: "-",
    State.RESUMABLE: "unfinished",
    State.CLAIMED: "running",
    State.DROPPED: "dropped",
    State.FAILED: "failed",
}


def write(sweep: Sweep) -> str:
    """Write results.csv and table.md of all cells of a sweep, including earlier ones, and return the table."""
    results = sweep.results
    text = table(results, sweep.commands, " ".join(sweep.selection), sweep.code)
    try:
        if results:
            sweep.freeze()
        atomic.write(sweep.root / SPREADSHEET, spreadsheet(results))
        atomic.write(sweep.root / TABLE, text)
        tensorboard_layout.write(sweep.root, sweep.all_cells, text, further_metrics(results), results)
    except OSError as error:
        log.warning("results.csv and table.md could not be written: %s", error)
    return text


def table(
    results: Sequence[Result],
    commands: Sequence[str] = (),
    note: str = "",
    code: Mapping[str, str] = MappingProxyType({}),
    boards: Sequence[Leaderboard] | None = None,
) -> str:
    """Return the table of all cells as Markdown, with notes and a caption.

    Values with different metrics, features, data or sample counts are not comparable. Each metric fingerprint gets a
    separate table, and the differences are listed above the tables.

    `boards` is the result of `leaderboards` for these cells and this code, if it is known.
    """
    tables = leaderboards(results, code=code) if boards is None else boards
    parts = [differences(comparable(current_code(results, code)[0]))] if len(tables) > 1 else []
    for place, board in enumerate(tables, 1):
        if len(tables) > 1:
            parts.append(f"### Table {place}: {', '.join(filter(None, (board.metric_label, board.label)))}")
        parts.append(_Table(board).text())
    parts += [f"{tables[0].omitted}."] if tables[0].omitted else []
    parts += [note] if note else []
    if len(commands) == 1:
        parts.append(f"Command: `{commands[0]}`")
    elif commands:
        parts.append("\n".join(["Commands:\n", *(f"- `{line}`" for line in commands)]))
    return visible("\n\n".join(parts)) + "\n"


class _Table:
    """Table of the configurations of one leaderboard, with notes and a caption.

    Seeds are averaged, but if only the seed varies, every run is a row.
    """

    def __init__(self, of: Leaderboard) -> None:
        self.results, self.repeated = of.results, of.repeated
        self.over_seeds = bool(of.keys) and any(len(self._values(key)) > 1 for key in of.repeated)
        by_seed = not of.keys and len(of.results) > 1
        self.leaderboard = (
            replace(leaderboard(of.results, FINAL, ()), fixed=of.fixed, label=of.label) if by_seed else of
        )
        self.notes: dict[str, int] = {}
        self.tracebacks: dict[str, str] = {}  # traceback file of the first cell, by note
        # No bold for a single seed, nor for a mean over the seeds that did not diverge, which is biased.
        repeated = [one for one in self.leaderboard.configurations if _is_repeated(one)]
        means = [statistics.fmean(one.values) for one in repeated if not one.is_no_better_than_untrained]
        best = min if self.leaderboard.sign > 0 else max
        self.best = best(means) if means and len(repeated) > 1 else None

    def text(self) -> str:
        """Return the table, its notes and its caption as Markdown."""
        metric, metric_2 = self.leaderboard.metric_label, self._metric_2_name()
        values: dict[str, Callable[[Configuration | None], Entry]] = {
            f"final {metric}": self._entry,
            "best during training" if self.over_seeds else "best (step)": self._best,
        }
        name = _short_name(self.results[0]) if self.results else ""
        grid = pivot(self.leaderboard, values, ("cell", name))
        of_run: dict[str, Callable[[Result], Mapping[str, Any]]] = {}
        if metric_2:
            of_run[f"Second metric, final {metric_2}"] = lambda run: run.metric_2
        for label, entries in further_metrics(self.results).items():
            of_run[f"Measured after training, final {label}"] = lambda run, by_cell=entries: by_cell.get(
                run.cell.hash, {}
            )
        parts = []
        for title, metric_of in of_run.items():
            other = pivot(
                self.leaderboard, {title.partition(", ")[2]: partial(self._finals, metric_of)}, ("cell", name)
            )
            if len(other.head) == 1 + other.num_labels and list(grid.head[grid.num_labels :])[: len(values)] == list(
                values
            ):
                columns = [[*row, added[-1]] for row, added in zip(grid.rows, other.rows, strict=True)]
                grid = Table([*grid.head, other.head[-1]], columns, num_labels=grid.num_labels)
            else:
                parts += [f"{title}:", _markdown(other)]
        parts = [_markdown(grid), *parts]
        notes = [f"[{place}] {note}{self.tracebacks.get(note, '')}" for note, place in self.notes.items()]
        return "\n\n".join(filter(None, (*parts, "  \n".join(notes), self._caption())))

    def _metric_2_name(self) -> str:
        return next((metric_label(str(result.metric_2["name"])) for result in self.results if result.metric_2), "")

    def _entry(self, one: Configuration | None) -> Entry:
        """Return the entry of one configuration: a value, or mean ± standard deviation (n) over seeds."""
        if one is None:
            return Entry("-")
        runs = list(one.runs.values())
        marks = "".join(dict.fromkeys(filter(None, map(self._mark, runs))))
        if not one.values:
            first = next((result for result in runs if result.trouble), runs[0])
            unmeasured = first.state is State.COMPLETED and not first.metric
            word = "done" if unmeasured else STATE_LABELS.get(first.state, "N/A")
            if not self.over_seeds and first.state is State.RESUMABLE:
                word += _reached(first)
            return Entry(f"{word} {marks}".strip())
        text = one.spread if self.over_seeds else number(one.values[0])
        if one.is_no_better_than_untrained:
            marks += self._note(untrained_note(one))
        elif _is_repeated(one) and statistics.fmean(one.values) == self.best:
            text = f"**{text}**"
        return Entry(f"{text} {marks}".strip())

    def _best(self, one: Configuration | None) -> Entry:
        metrics = [run.metric for run in one.runs.values() if run.metric.get("best") is not None] if one else []
        if not one or not metrics:
            return Entry("-")
        if self.over_seeds:
            return Entry(spread([metric["best"] for metric in metrics], len(one.runs)))
        return Entry(f"{number(metrics[0]['best'])} ({metrics[0]['best_step']})")

    def _finals(self, metric_of: Callable[[Result], Mapping[str, Any]], one: Configuration | None) -> Entry:
        """Return the entry of final values of another metric than that of the table, which `metric_of` returns."""
        metrics = [metric_of(run) for run in one.runs.values()] if one else []
        finals = [content["final"] for content in metrics if content.get("final") is not None]
        if not one or not finals:
            return Entry("-")
        return Entry(spread(finals, len(one.runs)) if self.over_seeds else number(finals[0]))

    def _mark(self, result: Result) -> str:
        """Return the mark of the note on a run without a value or, if seeds are averaged, on an unfinished one."""
        trouble = result.trouble
        if self.over_seeds and result.state is State.RESUMABLE:
            trouble = f"unfinished{_reached(result)}"
        if not trouble:
            return ""
        seeds = ", ".join(f"{key} {plain(value(result.cell, key))}" for key in self.repeated)
        seed = f"{seeds}: " if self.over_seeds else ""
        note = " ".join(f"{seed}{trouble}".split())
        self.tracebacks.setdefault(note, f"; traceback in {result.traceback}" if result.traceback else "")
        return self._note(note)

    def _note(self, note: str) -> str:
        return f"[{self.notes.setdefault(note, len(self.notes) + 1)}]"

    def _caption(self) -> str:
        """Return the caption: metric, sample counts, reference values, seeds, common settings and versions."""
        measured = [result for result in self.results if result.metric]
        if not measured:
            return ""
        metric = measured[0].metric
        fingerprint, direction = metric.get("fingerprint") or {}, "lower" if self.leaderboard.sign > 0 else "higher"
        steps = _range(result.cell.config.get("steps") for result in measured)
        sentences = [f"Final {metric_label(metric['name'])} after {steps} steps, {direction} is better"]
        if "n_fake" in fingerprint and "n_real" in fingerprint:
            sentences.append(f"{fingerprint['n_fake']} generated against {fingerprint['n_real']} real samples")
        for word, name in (("untrained generator", "untrained"), ("real against real", "floor")):
            values = [r.metric[name] for r in measured if r.metric.get(name) is not None]
            if values:
                sentences.append(f"{word} {_range(values)}")
        sentences += [*self._seeds(), *self._shared()]
        sentences.append(f"gansweep {_versions(measured, 'gansweep')}, torch {_versions(measured, 'torch')}")
        return "; ".join(sentences) + "."

    def _seeds(self) -> list[str]:
        by_key = {key: ", ".join(map(plain, self._values(key))) for key in self.repeated}
        seeds = by_key[SEED] if list(by_key) == [SEED] else "; ".join(f"{key} {text}" for key, text in by_key.items())
        if len(self.results) == 1:
            return [f"seed {seeds}"]
        if all(len(one.runs) == 1 for one in self.leaderboard.configurations):
            return [f"seeds {seeds}" if set(SEEDS) & set(self.leaderboard.keys) else f"one seed each ({seeds})"]
        parts = ["mean ± standard deviation (number of seeds)", f"seeds {seeds}"]
        return parts if self.best is None else [*parts, "bold: best mean where every seed has a value"]

    def _shared(self) -> list[str]:
        """Return a text of the settings that all cells have in common, as a list of none or one."""
        shared: dict[str, Any] = {}
        for key in dict.fromkeys([*self.leaderboard.fixed, *CAPTION]):
            values = self._values(key)
            generators = shared.get(FALLBACKS.get(key.rpartition("@")[2], ""))
            if len(values) == 1 and values[0] not in (UNSET, None, generators):
                shared[key] = values[0]
        return [", ".join(f"{key}={plain(setting)}" for key, setting in shared.items())] if shared else []

    def _values(self, key: str) -> list[Any]:
        return order([value(result.cell, key) for result in self.results])


def _short_name(result: Result) -> str:
    """Return the name of a cell without its hash, shortened; the caption and results.csv state its settings."""
    name = result.cell.name.removesuffix(f"-{result.cell.hash[:HASH_IN_NAME]}")
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _reached(result: Result) -> str:
    """Return the step of the checkpoint of an unfinished run as ` (step 300 of 1000)`, "" if it is unknown."""
    step = checkpoint_step.read(result.cell.directory)
    return "" if step is None else f" (step {step} of {result.cell.config.get('steps')})"


def untrained_note(one: Configuration) -> str:
    """Return the note for a configuration that is no better than its untrained generators."""
    return f"no better than the untrained generator ({_range(one.untrained)})"


def _markdown(grid: Table) -> str:
    return markdown(grid.head, [[entry.text for entry in row] for row in grid.entries])


def _is_repeated(one: Configuration) -> bool:
    """Return True if there are several seeds and each has a value."""
    return len(one.runs) > 1 and len(one.values) == len(one.runs)


def _range(values: Iterable[Any]) -> str:
    distinct = sorted({v for v in values if isinstance(v, (int, float))})
    texts = list(dict.fromkeys(str(v) if isinstance(v, int) else number(v) for v in distinct))
    return texts[0] if len(texts) == 1 else f"{texts[0]} to {texts[-1]}" if texts else "?"


def _versions(results: Sequence[Result], package: str) -> str:
    versions: set[str] = {str(((result.record or {}).get("versions") or {}).get(package, "?")) for result in results}
    return " and ".join(sorted(versions))
