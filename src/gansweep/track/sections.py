"""Sections of the results page: the ten findings, leaderboards, and those of the analyses.

The p-values of the ten findings are corrected together (Holm). A sentence whose test does not decide says that it can't
be told.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from gansweep.formatting import counted
from gansweep.section import Block, Chart, Entry, List, Paragraph, Picture, Section, Strong, Table
from gansweep.statistics.holm import holm
from gansweep.track import additions, agreement, divergences, pictures, sensitivity, tunability
from gansweep.track.board import Board, Row, number_entry, p_text, p_value, steps
from gansweep.track.questions import QUESTIONS, Question

CURVES = Chart("curves", lambda: {"field": "value", "over_time": False})
ANALYSES = (tunability, sensitivity, additions, agreement, divergences)
LEVEL = 0.05


def sections(boards: Sequence[Board]) -> list[Section]:
    """Return the sections; without entries a single one that says so."""
    used = [board for board in boards if board.rows]
    if not used:
        return [Section("Results", [Paragraph("No entries yet.")])]
    found = [_overview(used), _findings(used), *map(_leaderboard, used)]
    if empty := [board for board in boards if not board.rows]:
        names = ", ".join(board.track.name for board in empty)
        blocks = [Paragraph(f"No entries yet: {names}."), *itertools.chain(*map(_others, empty))]
        found.append(Section("Tracks without entries", blocks))
    return found + [section for analysis in ANALYSES if (section := analysis.section(used)) is not None]


def _overview(boards: Sequence[Board]) -> Section:
    rows = [
        [
            board.track.name,
            board.track.title,
            str(len(board.rows)),
            board.record.entry.name if board.record else "none",
            steps(board.record.score) if board.record else "N/A",
            str(sum(row.is_tied for row in board.rows) - 1) if board.record else "0",
        ]
        for board in boards
    ]
    head = ["track", "task", "entries", "record", "score", "tied with it"]
    text = (
        "The score is the number of generator steps within which at least half of all trainings reach the target, "
        "with 95 % confidence. Entries are tied with the record if the record is not faster by the test of the rule."
    )
    picture = Picture(
        "Leaderboards: median and 95 % interval of the steps to the target", partial(pictures.leaderboards, boards),
        name="track",
    )  # fmt: skip
    return Section("Results", [Paragraph(text), Table(head, rows), picture])


def _findings(boards: Sequence[Board]) -> Section:
    text = (
        "Computed from the entries. Each finding has a test; the p-values of the ten are corrected together by Holm's "
        "method, and a finding counts if its corrected p-value is at most 0.05. The tests are over the judging seeds "
        "of the entries as they were tuned; another tuning may choose other rates. Statements over tracks are about "
        "these tracks."
    )
    items = [[Strong(f"{n}. {one.question.text}"), " ", one.sentence] for n, one in enumerate(findings(boards), 1)]
    return Section("Ten findings", [Paragraph(text), List(items)])


def _leaderboard(board: Board) -> Section:
    track = board.track
    head = [
        "entry",
        "score",
        "median",
        "95 % interval",
        "reached",
        "diverged",
        "seconds",
        "tuned",
        "record",
        "settings",
        "by",
    ]
    rows = [_row(board, row) for row in board.rows]
    target = f"{pictures.metric_name(board)} of at most {track.target:g} within {track.steps} steps"
    caption = (
        "score, median and interval in generator steps; seconds: median training time to the target, not ranked and "
        "only comparable on one machine; tuned: trainings of the tuning protocol"
    )
    blocks: list[Block] = [
        Paragraph(f"{track.title[:1].upper()}{track.title[1:]}. Target: {target}; {counted(track.num_seeds, 'seed')}."),
        Table(head, rows, caption),
        Paragraph(_history(board)),
        *_others(board),
    ]
    options = {"steps": track.steps, "every": int(track.settings.get("trainer.eval_every", 1)), "log": False}
    chart = Chart("leaderboard", lambda: options)
    name = f"track_{track.name}"
    blocks += [
        Picture(f"Leaderboard of {track.name}", partial(pictures.leaderboards, [board]), chart, name=name),
        Picture(f"Learning curves of {track.name}", partial(pictures.learning_curves, board), CURVES),
    ]
    return Section("Leaderboard", blocks, table=track.name)


def _row(board: Board, row: Row) -> list[Entry]:
    entry = row.entry
    interval = " to ".join(map(steps, row.interval))
    status = "record" if row is board.record else "tied" if row.is_tied else ""
    return [
        Entry(entry.name, strong=row is board.record, cell=board.cell(row)),
        number_entry(row.score),
        number_entry(row.median),
        Entry(interval),
        Entry(f"{row.num_reached} of {len(row.times)}", row.num_reached),
        Entry(str(row.num_diverged), row.num_diverged),
        number_entry(entry.seconds),
        Entry(str(len(entry.tuning.runs)), len(entry.tuning.runs)) if entry.tuning else Entry("no"),
        Entry(status),
        Entry(" ".join(map(_short, entry.overrides))),
        Entry(entry.author),
    ]


def _short(word: str) -> str:
    """Return a setting with four digits of a number."""
    key, _, value = word.partition("=")
    try:
        return f"{key}={float(value):.4g}"
    except ValueError:
        return word


def _others(board: Board) -> list[Block]:
    names = ", ".join(f"{entry.name} ({reason})" for entry, reason in board.others)
    return [Paragraph(f"Not comparable on {board.track.name}: {names}.")] if names else []


def _history(board: Board) -> str:
    if not board.history:
        return "There is no record: no entry reaches the target with enough seeds."
    scores = {id(row.entry): row.score for row in board.rows}
    records = [f"{entry.name} ({entry.date}, {steps(scores[id(entry)])} steps)" for entry in board.history]
    return f"History of the record: {', then '.join(records)}."


@dataclass(frozen=True)
class Finding:
    """An answered question.

    Args:
        question: the question.
        adjusted: p-value after Holm's correction over all questions.
    """

    question: Question
    adjusted: float

    @property
    def is_decided(self) -> bool:
        """Whether the test decides at the level of 5 %."""
        return self.adjusted <= LEVEL

    @property
    def sentence(self) -> str:
        """The answer: statements, what was observed, and the test."""
        factor = self.adjusted / self.question.p
        parts = [
            part.decided if self.is_decided and part.p * factor <= LEVEL else part.undecided
            for part in self.question.parts
        ]
        text = "; ".join(dict.fromkeys(parts))
        text = text[:1].upper() + text[1:]
        observed = f" ({self.question.numbers})" if self.question.numbers else ""
        if not self.question.test:
            return f"{text}{observed}."
        return f"{text}{observed}. {self.question.test}: {p_text(self.question.p)}, corrected {p_value(self.adjusted)}."


def findings(boards: Sequence[Board]) -> list[Finding]:
    """Return the ten findings."""
    used = [board for board in boards if board.rows]
    questions = [ask(used) for ask in QUESTIONS]
    adjusted = holm([question.p for question in questions])
    return [Finding(question, float(p)) for question, p in zip(questions, adjusted, strict=True)]
