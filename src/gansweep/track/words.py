"""Words of a track's command line: settings of an entry, which the track leaves free, and settings of the process."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gansweep.config.errors import BadConfig, SettingError
from gansweep.config.keys import is_part_of_identity
from gansweep.track.track import Track

SWEPT = re.compile(r"\b(interval|choice|range|glob|sort|shuffle)\(")
# Settings outside a run's identity that would change which runs are trained, or where their results are.
REFUSED = ("name", "plan", "fresh", "num", "sampler", "race", "most_cells")
SEEDS = ("seed", "seeds", "most_seeds")


def split(track: Track, words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the settings of the entry, and those that cannot change a number, such as `workers=1` and `allow=[...]`.

    Raises:
        BadConfig: with all words that are not settings, or that set what the track fixes.
    """
    problems = [problem for word in words if (problem := _problem(track, word))]
    if problems:
        raise BadConfig(problems)
    entry = [word for word in words if track.is_free(key_of(word))]
    return entry, [word for word in words if word not in entry]


def check_words(track: Track, words: Sequence[str]) -> None:
    """Check the settings of an entry.

    Raises:
        BadConfig: with all words that are not settings, or that are not free.
    """
    problems = [
        _problem(track, word) or _fixed(track, word)
        for word in words
        if "=" not in word or not track.is_free(key_of(word))
    ]
    if problems:
        raise BadConfig(problems)


def check_process_words(track: Track, words: Sequence[str]) -> None:
    """Check settings that are not part of an entry.

    Raises:
        BadConfig: with all words that are not settings, that the track fixes, or that belong to the entry.
    """
    entry, _ = split(track, words)
    if entry:
        raise BadConfig(SettingError(*_parts(word), "a setting of the entry") for word in entry)


def check_single(track: Track, words: Sequence[str]) -> None:
    """Check that no setting has several values.

    Raises:
        SettingError: one has.
    """
    for word in words:
        if is_swept(word):
            expected = f"several values; an entry has one. To search: gansweep track tune {track.name}"
            raise SettingError(*_parts(word), expected)


def key_of(word: str) -> str:
    """Return the dotted key of a word.

    >>> key_of("lr=1"), key_of("optimizer@optimizer_d=sgd"), key_of("+optimizer.nesterov=true")
    ('lr', 'optimizer_d', 'optimizer.nesterov')
    """
    key = word.partition("=")[0].lstrip("+~")
    return key.partition("@")[2] or key


def values_of(word: str) -> list[str]:
    """Return the listed values of a word; one for an interval.

    >>> values_of("lr=1,2"), values_of("optimizer.betas=[0.5,0.9]"), values_of("lr=interval(1,2)")
    (['1', '2'], ['[0.5,0.9]'], ['interval(1,2)'])
    """
    depth, values = 0, [""]
    for char in word.partition("=")[2]:
        depth += (char in "[({") - (char in "])}")
        if char == "," and depth == 0:
            values.append("")
        else:
            values[-1] += char
    return values


def is_swept(word: str) -> bool:
    """Return whether a word has several values."""
    return len(values_of(word)) > 1 or bool(SWEPT.search(word))


def _problem(track: Track, word: str) -> SettingError | None:
    """Return what is wrong with a word, None if it is a setting of the entry or of the process."""
    key = word.partition("=")[0].lstrip("+~")
    if "=" not in word:
        return SettingError(word, None, "expected KEY=VALUE")
    if track.is_free(key_of(word)):
        return None
    if key in SEEDS:
        return SettingError(
            *_parts(word), f"track {track.name} fixes the seeds; fewer of them: --seeds N or --seeds auto"
        )
    if key in REFUSED or (key.startswith("hydra") and key != "hydra/launcher"):
        return SettingError(*_parts(word), f"track {track.name} chooses the runs and their folder")
    return _fixed(track, word) if is_part_of_identity(key) else None


def _fixed(track: Track, word: str) -> SettingError:
    return SettingError(*_parts(word), f"track {track.name} fixes it; free: {', '.join(track.free)}")


def _parts(word: str) -> tuple[str, str | None]:
    key, _, value = word.partition("=")
    return key.lstrip("+~"), value
