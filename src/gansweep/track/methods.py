"""Method of an entry: its choices without the tuned numbers. Entries of equal methods are comparable over tracks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

RATE, OTHER = "rate", "other settings"
OPTIMIZER, SCHEDULE, TIME_SCALES, AVERAGING, DYNAMICS = (
    "optimizer",
    "schedule",
    "two time scales",
    "averaging",
    "dynamics",
)
DEFAULTS = {OPTIMIZER: "adam", SCHEDULE: "constant", DYNAMICS: "alternating"}
OPTIMISTIC = "optimistic"  # conf/optimizer/optimistic_NAME.yaml: an update of the game, written as an optimizer
ASPECTS = {
    "optimizer": OPTIMIZER,
    "optimizer_d": OPTIMIZER,
    "lr": RATE,
    "lr_d": TIME_SCALES,
    "schedule": SCHEDULE,
    "schedule_d": SCHEDULE,
    "schedule_beta": SCHEDULE,
    "schedule_beta_d": SCHEDULE,
    "schedule_ema": AVERAGING,
    "trainer": AVERAGING,
    "dynamics": DYNAMICS,
}


@dataclass(frozen=True)
class Method:
    """Choices of an entry by aspect, without those that are the default; the optimizer is always one of them.

    Args:
        choices: pairs of aspect and text, sorted.
    """

    choices: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, overrides: Sequence[str], tuned: Collection[str] = ()) -> Method:
        """Return the method of the settings of an entry.

        Learning rates are always tuned numbers: `lr` is left out, and `lr_d` appears as the choice "two time scales".
        The name of another tuned setting is a part of the method, its value is not.

        Args:
            overrides: settings as words of a command line.
            tuned: keys of the settings that the tuning protocol has chosen.

        >>> Method.of(["optimizer=sgd", "lr=0.1", "schedule=cosine"]).label
        'sgd, cosine'
        >>> Method.of(["optimizer=optimistic_adam", "lr=1", "lr_d=2"]).choices
        (('dynamics', 'optimistic'), ('optimizer', 'adam'), ('two time scales', 'lr_d'))
        """
        named, details = dict(DEFAULTS), {}
        for key, value in map(setting, overrides):
            aspect = ASPECTS.get(key.partition(".")[0], OTHER)
            if key == aspect and key not in tuned:
                named[aspect] = value
            elif aspect != RATE:
                is_number = key in tuned or aspect == TIME_SCALES
                details.setdefault(aspect, []).append(key if is_number else f"{key}={value}")
        if named[OPTIMIZER].startswith(f"{OPTIMISTIC}_") and named[DYNAMICS] == DEFAULTS[DYNAMICS]:
            named |= {OPTIMIZER: named[OPTIMIZER].removeprefix(f"{OPTIMISTIC}_"), DYNAMICS: OPTIMISTIC}
        shown = {aspect: [name] for aspect, name in named.items() if aspect == OPTIMIZER or name != DEFAULTS[aspect]}
        texts = {aspect: " ".join(shown.get(aspect, []) + details.get(aspect, [])) for aspect in {**shown, **details}}
        return cls(tuple(sorted(texts.items())))

    def choice(self, aspect: str) -> str:
        """Return the choice of an aspect; without one its default, "" if the default has no name."""
        return dict(self.choices).get(aspect, DEFAULTS.get(aspect, ""))

    def without(self, aspect: str) -> Method:
        """Return the method with the default of an aspect."""
        return Method(tuple(pair for pair in self.choices if pair[0] != aspect))

    @property
    def label(self) -> str:
        """The choices as one text, the optimizer first."""
        others = [text for aspect, text in self.choices if aspect != OPTIMIZER]
        return ", ".join([self.choice(OPTIMIZER), *others])

    @property
    def is_plain(self) -> bool:
        """Whether only the optimizer is chosen, by its name."""
        return len(self.choices) == 1 and " " not in self.choice(OPTIMIZER)


def setting(word: str) -> tuple[str, str]:
    """Return key and value of a word of a command line; of `group@package=value` the package is the key.

    >>> setting("optimizer@optimizer_d=sgd"), setting("+lr_d=1")
    (('optimizer_d', 'sgd'), ('lr_d', '1'))
    """
    key, _, value = word.partition("=")
    key = key.lstrip("+~")
    return key.partition("@")[2] or key, value


def pairs(methods: Collection[Method], aspect: str) -> list[tuple[Method, Method]]:
    """Return the pairs (method with a choice, the same with the default) that differ in one aspect only."""
    return [
        (method, plain) for method in methods if (plain := method.without(aspect)) != method and plain in set(methods)
    ]


def varied(overrides: Sequence[Mapping[str, object]]) -> set[str]:
    """Return the keys whose values differ among tried settings.

    >>> varied([{"optimizer": "adam", "lr": 1}, {"optimizer": "adam", "lr": 2}])
    {'lr'}
    """
    values: dict[str, set[str]] = {}
    for settings in overrides:
        for key, value in settings.items():
            values.setdefault(setting(f"{key}=")[0], set()).add(str(value))
    return {key for key, found in values.items() if len(found) > 1}
