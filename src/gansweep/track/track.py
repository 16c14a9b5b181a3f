"""Track: a frozen task, what an entry may choose, and the numbers of the rule. One YAML file in conf/track each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from gansweep.cli.folders import conf_dir
from gansweep.config.errors import SettingError
from gansweep.sweep.identity import digest, plain

GROUP = "track"  # folder of conf/


@dataclass(frozen=True)
class Track:
    """Frozen task of a track.

    Args:
        name: name of the file.
        title: one line.
        settings: frozen settings, as on the command line.
        target: an evaluation reaches the target if its value is at most this.
        free: settings that an entry chooses; with each its inner settings, and those of the discriminator.
        tuning_seeds: seeds of the trainings that choose an entry's settings.
        tuning_budget: number of trainings of the tuning protocol.
        search: intervals that the tuning protocol searches, unless the entry gives its own.
        num_seeds: the seeds 0, 1, ..., num_seeds - 1 judge an entry.
        confidence: of the score.
        level: of the test against the record.
        first_skeptical_seed: a repetition of an entry with new seeds begins with it.
    """

    name: str
    title: str
    settings: Mapping[str, Any]
    target: float
    free: Sequence[str]
    tuning_seeds: Sequence[int]
    tuning_budget: int
    search: Mapping[str, str]
    num_seeds: int
    confidence: float
    level: float
    first_skeptical_seed: int

    @classmethod
    def load(cls, name: str, folder: Path | None = None) -> Track:
        """Read a track from conf/track.

        Raises:
            SettingError: there is no track of this name, or its file is not valid.
        """
        folder = conf_dir() / GROUP if folder is None else folder
        if name not in (known := names(folder)):
            near = get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else "."
            raise SettingError(GROUP, name, f"unknown track{hint} Tracks: {', '.join(known)}")
        try:
            content = yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))
            return cls.of(name, content)
        except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
            raise SettingError(GROUP, name, f"not a valid track: {type(error).__name__}: {error}") from error

    @classmethod
    def of(cls, name: str, content: Mapping[str, Any]) -> Track:
        """Return the track that the content of a file describes.

        Raises:
            KeyError, TypeError, ValueError: it is not valid.
        """
        tuning, judging = content["tuning"], content["judging"]
        track = cls(
            name=name,
            title=str(content["title"]),
            settings=dict(content["settings"]),
            target=float(content["target"]),
            free=tuple(content["free"]),
            tuning_seeds=tuple(int(seed) for seed in tuning["seeds"]),
            tuning_budget=int(tuning["budget"]),
            search=dict(tuning["search"]),
            num_seeds=int(judging["seeds"]),
            confidence=float(judging["confidence"]),
            level=float(judging["level"]),
            first_skeptical_seed=int(content["skeptical"]["first_seed"]),
        )
        judges = set(track.judging_seeds)
        if judges & set(track.tuning_seeds) or track.first_skeptical_seed <= max(judges | set(track.tuning_seeds)):
            raise ValueError("the seeds for tuning, judging and repetitions must differ")
        if not math.isfinite(track.target) or not 0 < track.level < 1 or not 0.5 < track.confidence < 1:
            raise ValueError("target, level or confidence is out of range")
        return track

    @property
    def judging_seeds(self) -> range:
        """The seeds that judge an entry."""
        return range(self.num_seeds)

    @property
    def steps(self) -> int:
        """Length of a training in generator updates."""
        return int(self.settings["steps"])

    @property
    def fingerprint(self) -> str:
        """Hash of everything that an entry's score depends on; entries of another fingerprint are not comparable."""
        return digest({key: value for key, value in vars(self).items() if key not in ("name", "title")})

    @property
    def overrides(self) -> list[str]:
        """The frozen settings as words of a command line."""
        return [f"{key}={plain(value)}" for key, value in self.settings.items()]

    def is_free(self, key: str) -> bool:
        """Return whether an entry may choose a setting, given by its dotted key.

        With `optimizer`, also `optimizer.betas`, `optimizer_d` and `optimizer_d.betas`; with `lr`, also `lr_d`; with
        `schedule`, also those of beta and of the average (`schedule_beta`, `schedule_beta_d`, `schedule_ema`).
        """
        return any(key == free or key.startswith(f"{free}.") for free in self._free_keys())

    def _free_keys(self) -> list[str]:
        keys = [*self.free, *(f"{free}_d" for free in self.free if "." not in free)]
        return keys + (["schedule_beta", "schedule_beta_d", "schedule_ema"] if "schedule" in self.free else [])


def names(folder: Path | None = None) -> list[str]:
    """Return the names of all tracks."""
    folder = conf_dir() / GROUP if folder is None else folder
    return sorted(path.stem for path in folder.glob("*.yaml"))


def frozen_differences(track: Track, config: Mapping[str, Any], reference: Mapping[str, Any]) -> list[str]:
    """Return the dotted keys in which a configuration differs from the track's and that are not free.

    Args:
        track: the track.
        config: configuration part of the identity of an entry's run.
        reference: that of the track's settings alone.
    """
    return sorted(key for key in differences(config, reference) if key != "seed" and not track.is_free(key))


def differences(first: Any, second: Any, prefix: str = "") -> list[str]:
    """Return the dotted keys in which two configurations differ."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        keys = dict.fromkeys([*first, *second])
        missing = object()
        return [
            difference
            for key in keys
            for difference in differences(
                first.get(key, missing), second.get(key, missing), f"{prefix}.{key}" if prefix else str(key)
            )
        ]
    return [] if first == second else [prefix]
