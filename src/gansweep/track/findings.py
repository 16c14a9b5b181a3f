"""Ten findings of the tracks: sentences computed from the entries, each with its test.

The p-values of the ten are corrected together (Holm). A sentence whose test does not decide says that it can't be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gansweep.statistics.holm import holm
from gansweep.track.board import Board
from gansweep.track.questions import QUESTIONS, Question
from gansweep.track.verdict import p_text, p_value

LEVEL = 0.05


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
