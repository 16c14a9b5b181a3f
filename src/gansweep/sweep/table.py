"""Markdown table of a sweep, with the varied settings as rows and columns."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from gansweep.config.keys import CAPTION, FALLBACKS
from gansweep.formatting import markdown, number, visible
from gansweep.statistics.improvement import no_better_than_untrained
from gansweep.sweep.cell import State
from gansweep.sweep.identity import plain
from gansweep.sweep.metric_groups import comparable, differences, fixed_keys, labels
from gansweep.sweep.result import Result
from gansweep.sweep.sweep_keys import SEED, UNSAID, order, swept_keys, value

WIDEST = 8  # columns of values
NOT_THERE = {State.NEW: "-", State.RESUMABLE: "unfinished", State.CLAIMED: "running"}


def table(results: Sequence[Result], commands: Sequence[str] = (), note: str = "") -> str:
    """Return the table of all cells as Markdown, with notes and a caption.

    Values with different metrics, features, data or sample counts are not comparable. Each metric fingerprint gets a
    separate table, and the differences are listed above the tables.

    Args:
        results: the cells, in the order of the grid.
        commands: distinct command lines of the sweep.
        note: text about the selection of the cells, if it is not determined by the command lines.
    """
    parts = []
    groups = comparable(results)
    if len(groups) > 1:
        parts.append(differences(groups))
    for place, (group, fixed, label) in enumerate(zip(groups, fixed_keys(groups), labels(groups), strict=True), 1):
        if len(groups) > 1:
            parts.append(f"### Table {place}: {', '.join(filter(None, (_metric_name(group), label)))}")
        parts.append(_Table(group, [*fixed] if len(groups) > 1 else ()).text())
    if note:
        parts.append(note)
    if len(commands) == 1:
        parts.append(f"Command: `{commands[0]}`")
    elif commands:
        parts.append("\n".join(["Commands:\n", *(f"- `{line}`" for line in commands)]))
    return visible("\n\n".join(parts)) + "\n"


class _Table:
    """Table of cells with the same metric fingerprint, with notes and a caption.

    Args:
        results: the cells.
        fixed: settings whose values differ between the tables of the sweep; stated in the caption.
    """

    def __init__(self, results: Sequence[Result], fixed: Sequence[str] = ()) -> None:
        self.results, self.fixed = results, fixed
        cells = [result.cell for result in results]
        self.keys = swept_keys(cells)
        self.over_seeds = SEED in self.keys and len(self.keys) > 1
        if self.over_seeds:
            self.keys.remove(SEED)
        self.notes: dict[str, int] = {}
        self.tracebacks: dict[str, str] = {}  # traceback file of the first cell, by note
        self.lower = all(result.metric.get("lower_is_better", True) for result in results)
        self.groups: dict[str, list[Result]] = {}
        for result in results:
            self.groups.setdefault(self._key({key: value(result.cell, key) for key in self.keys}), []).append(result)
        # No bold for a single seed, nor for a mean over the seeds that did not diverge, which is biased.
        scores = [statistics.fmean(_finals(group)) for group in self.groups.values() if self._may_be_best(group)]
        self.best = (min(scores) if self.lower else max(scores)) if scores and self._compared() > 1 else None

    def _no_better(self, group: Sequence[Result]) -> bool:
        return no_better_than_untrained([(result.final, result.untrained) for result in group], self.lower)

    def _may_be_best(self, group: Sequence[Result]) -> bool:
        return _is_repeated(group) and not self._no_better(group)

    def _compared(self) -> int:
        return sum(_is_repeated(group) for group in self.groups.values())

    @staticmethod
    def _key(values: Mapping[str, Any]) -> str:
        return json.dumps(values, sort_keys=True)

    def _values(self, key: str) -> list[Any]:
        return order([value(result.cell, key) for result in self.results])

    def text(self) -> str:
        """Return the table, its notes and its caption as Markdown."""
        across = next((key for key in reversed(self.keys) if len(self._values(key)) <= WIDEST), None)
        grid = self._matrix(across) if across is not None and len(self.keys) > 1 else self._list()
        notes = [f"[{place}] {note}{self.tracebacks.get(note, '')}" for note, place in self.notes.items()]
        return "\n\n".join(filter(None, (grid, "  \n".join(notes), self._caption())))

    def _list(self) -> str:
        """Return a table with one row per configuration: final and best value, or their means over seeds."""
        name = _metric_name(self.results)
        head = [*(self.keys or ["cell"]), f"final {name}", "best on the way" if self.over_seeds else "best (step)"]
        rows = []
        for group in self._sorted():
            first = group[0]
            settings = [plain(value(first.cell, key)) for key in self.keys] or [first.cell.name]
            rows.append([*settings, self._entry(group), self._on_the_way(group)])
        return markdown(head, rows)

    def _matrix(self, across: str) -> str:
        """Return a table of final values, with one column per value of the setting `across`."""
        down = [key for key in self.keys if key != across]
        columns = self._values(across)
        rows = []
        for combination in dict.fromkeys(
            self._key({key: value(group[0].cell, key) for key in down}) for group in self._sorted()
        ):
            fixed = json.loads(combination)
            groups = (self.groups.get(self._key({**fixed, across: column})) for column in columns)
            rows.append(
                [*(plain(fixed[key]) for key in down), *(self._entry(group) if group else "-" for group in groups)]
            )
        return markdown([*down, *(f"{across}={plain(column)}" for column in columns)], rows)

    def _on_the_way(self, group: Sequence[Result]) -> str:
        best = [result.metric for result in group if result.metric.get("best") is not None]
        if not best:
            return "-"
        if self.over_seeds:
            return _over_seeds([metric["best"] for metric in best], len(group))
        return f"{number(best[0]['best'])} ({best[0]['best_step']})"

    def _sorted(self) -> list[list[Result]]:
        ranks = {key: [json.dumps(v) for v in self._values(key)] for key in self.keys}
        return sorted(
            self.groups.values(),
            key=lambda group: [ranks[key].index(json.dumps(value(group[0].cell, key))) for key in self.keys],
        )

    def _entry(self, group: Sequence[Result]) -> str:
        """Return the entry of one configuration: a value, or mean ± standard deviation (n) over seeds."""
        finals = _finals(group)
        marks = "".join(dict.fromkeys(self._mark(result) for result in group if result.trouble))
        if not finals:
            first = next((result for result in group if result.trouble), group[0])
            word = NOT_THERE.get(first.state, "failed" if first.state is State.FAILED else "N/A")
            return " ".join(filter(None, ("done" if _unmeasured(first) else word, marks)))
        text = _over_seeds(finals, len(group)) if self.over_seeds else number(finals[0])
        if self.best is not None and self._may_be_best(group) and statistics.fmean(finals) == self.best:
            text = f"**{text}**"
        if self._no_better(group):
            marks += self._note(f"no better than the untrained generator ({_range(r.untrained for r in group)})")
        return " ".join(filter(None, (text, marks)))

    def _mark(self, result: Result) -> str:
        seed = f"seed {plain(value(result.cell, SEED))}: " if self.over_seeds else ""
        note = " ".join(f"{seed}{result.trouble}".split())
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
        fingerprint, direction = metric.get("fingerprint") or {}, "lower" if self.lower else "higher"
        steps = _range(result.cell.config.get("steps") for result in measured)
        sentences = [f"Final {metric['name']} after {steps} steps, {direction} is better"]
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
        seeds = ", ".join(plain(seed) for seed in self._values(SEED))
        if len(self.results) == 1:
            return [f"seed {seeds}"]
        if all(len(group) == 1 for group in self.groups.values()):
            return [f"seeds {seeds}" if SEED in self.keys else f"one seed each ({seeds})"]
        parts = ["mean ± standard deviation (number of seeds)", f"seeds {seeds}"]
        return parts if self.best is None else [*parts, "bold: best mean where every seed has a value"]

    def _shared(self) -> list[str]:
        """Return a text of the settings that all cells have in common, as a list of none or one."""
        shared = {}
        for key in [*self.fixed, *(key for key in CAPTION if key not in self.fixed)]:
            values = self._values(key)
            generators = shared.get(FALLBACKS.get(key.rpartition("@")[2], ""))
            if len(values) == 1 and values[0] not in (UNSAID, None, generators):
                shared[key] = values[0]
        return [", ".join(f"{key}={plain(setting)}" for key, setting in shared.items())] if shared else []


def _metric_name(results: Sequence[Result]) -> str:
    return next((str(result.metric["name"]) for result in results if result.metric), "result")


def _unmeasured(result: Result) -> bool:
    return result.state is State.COMPLETED and not result.metric


def _finals(group: Sequence[Result]) -> list[float]:
    return [result.final for result in group if result.final is not None]


def _is_repeated(group: Sequence[Result]) -> bool:
    """Return True if there are several seeds and each has a value."""
    return len(group) > 1 and len(_finals(group)) == len(group)


def _over_seeds(values: Sequence[float], num_seeds: int) -> str:
    """Return mean ± standard deviation (n) as text, with (n of all) if some seeds have no value."""
    spread = f" ± {number(statistics.stdev(values), like=statistics.mean(values))}" if len(values) > 1 else ""
    of = f" of {num_seeds}" if len(values) < num_seeds else ""
    return f"{number(statistics.fmean(values))}{spread} ({len(values)}{of})"


def _range(values: Any) -> str:
    distinct = sorted({v for v in values if isinstance(v, (int, float))})
    texts = list(dict.fromkeys(str(v) if isinstance(v, int) else number(v) for v in distinct))
    return texts[0] if len(texts) == 1 else f"{texts[0]} to {texts[-1]}" if texts else "?"


def _versions(results: Sequence[Result], package: str) -> str:
    versions = {str(((result.record or {}).get("versions") or {}).get(package, "?")) for result in results}
    return " and ".join(sorted(versions))
