"""Every declared setting with values that are wrong for its type."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin

from omegaconf import OmegaConf

from gansweep.cli.folders import conf_dir
from gansweep.config.instantiate import locate
from gansweep.config.root import Root
from gansweep.config.typed import signature
from gansweep.training.run import TrainerSettings

GROUPS = ("model", "loss", "optimizer", "algorithm", "dynamics", "schedule", "feedback", "data", "metric")
POINTS = ("data=ring", "data.num_samples=64")
IMAGES = ("data=digits",)
# Part of every line, besides the choice with the wrong setting and its companions.
BASE = (
    *("batch_size=8", "steps=20", "trainer.eval_every=20", "trainer.tensorboard=false"),
    *("device=cpu", "workers=1", "pack=1"),
)
MLP = ("model=mlp", "model.latent_dim=2", "model.generator_widths=[8]", "model.discriminator_widths=[8]")
WASSERSTEIN = ("metric=wasserstein1", "metric.num_samples=16")
# Choices of other groups that make a choice valid, so that its own setting is the only error.
PLAIN = (*POINTS, *MLP, *WASSERSTEIN, "loss=standard")
OF_IMAGES = (*IMAGES, *MLP, "~metric", "loss=standard")
DENOISING = ("data=digits", "model=unet", "~loss", "metric=psnr", "algorithm=denoising")
COMPANY: Mapping[str, Sequence[str]] = {
    "model": ("data=digits", "~metric", "loss=standard"),
    "model=mlp_ring": (*POINTS, "~metric", "loss=standard"),
    "model=mlp_2d": (*POINTS, "~metric", "loss=standard"),
    "model=dirac": ("data=point_mass", "~metric", "loss=standard"),
    "model=point": ("algorithm=quadratic", "~loss", "data=gaussian", "data.std=0", "~metric"),
    "model=unet": ("data=digits", "~loss", "metric=psnr", "algorithm=denoising"),
    "model=coopnets": ("data=digits", "~metric", "algorithm=coopnets", "loss=mean_difference"),
    "loss": (*POINTS, *MLP, *WASSERSTEIN),
    "data": (*MLP, "~metric", "loss=standard"),
    "metric": (*POINTS, *MLP, "loss=standard"),
    "algorithm=cfg": (*OF_IMAGES, "model.dropout=0"),
    "algorithm=coopnets": ("data=digits", "~metric", "model=coopnets", "model.width=2", "loss=mean_difference"),
    "algorithm=denoising": ("data=digits", "model=unet", "~loss", "metric=psnr"),
    "algorithm=quadratic": ("model=point", "~loss", "data=gaussian", "data.std=0", "~metric"),
    "metric=psnr": ("data=digits", "model=unet", "~loss", "algorithm=denoising"),
    **dict.fromkeys(
        [f"metric={name}" for name in ("digits", "coverage", "fd_infinity", "kid_digits", "thumbnail")],
        (*IMAGES, *MLP, "loss=standard"),
    ),
    **dict.fromkeys(
        [f"metric={name}" for name in ("mnist", "kid_mnist", "kid_texture", "inception_score")],
        (*IMAGES, "data.size=28", *MLP, "loss=standard"),
    ),
}


@dataclass(frozen=True)
class Setting:
    """A setting.

    Args:
        owner: class that declares it.
        key: dotted, as it is typed.
        annotation: its type.
        line: what is typed before it.
    """

    owner: str
    key: str
    annotation: Any
    line: tuple[str, ...]

    @property
    def name(self) -> str:
        """Last part of the key."""
        return self.key.rpartition(".")[2]


@dataclass(frozen=True)
class Bad:
    """A setting with a value that must be refused.

    Args:
        setting: it.
        kind: what is wrong with the value.
        value: as it is typed.
    """

    setting: Setting
    kind: str
    value: str

    def __str__(self) -> str:
        return f"{self.setting.owner}.{self.setting.name}-{self.kind}"

    @property
    def override(self) -> str:
        """Override with the wrong value."""
        return f"{self.setting.key}={self.value}"

    @property
    def arguments(self) -> list[str]:
        """Complete command line."""
        return [*BASE, *self.setting.line, self.override]


def settings() -> Iterator[Setting]:
    """List every setting of the root, of the trainer and of every choice, each class once."""
    for key, annotation in signature(Root).types.items():
        yield Setting("Root", key, annotation, PLAIN)
    for key, annotation in signature(TrainerSettings).types.items():
        yield Setting("TrainerSettings", f"trainer.{key}", annotation, PLAIN)
    seen = set[tuple[str, str]]()
    for group in GROUPS:
        for path in sorted((conf_dir() / group).glob("*.yaml")):
            choice = f"{group}={path.stem}"
            node = OmegaConf.to_container(OmegaConf.load(path))
            line = (*COMPANY.get(choice, COMPANY.get(group, PLAIN)), choice)
            for owner, key, annotation in _within(node, group):
                if (owner, key.rpartition(".")[2]) not in seen:
                    seen.add((owner, key.rpartition(".")[2]))
                    yield Setting(owner, key, annotation, line)


def _within(node: Any, path: str) -> Iterator[tuple[str, str, Any]]:
    if not isinstance(node, dict):
        return
    if node.get("_target_", "???") != "???":  # ???: the user names the class
        cls = locate(node["_target_"])
        for key, annotation in signature(cls).types.items():
            if key in node:  # keys that are not in the YAML file would need a +
                yield cls.__name__, f"{path}.{key}", annotation
    for key, part in node.items():
        yield from _within(part, f"{path}.{key}")


def bad_values() -> Iterator[Bad]:
    """Yield every setting with wrong values for its type, except those listed as valid."""
    for setting in settings():
        for kind, value in _wrong(setting.annotation):
            if kind not in legal(setting):
                yield Bad(setting, kind, value)


LISTED = {"list": "[1]", "nested list": "[[1]]"}
OF_ANY = {"mapping": "{a: 1}", "empty text": "''"}
INT = {
    **OF_ANY,
    "list": "[1]",
    "text": "abc",
    "fraction": "1.5",
    "nan": "nan",
    "inf": "inf",
    "negative": "-1",
    "zero": "0",
    "null": "null",
    "truth": "true",
    "quoted number": "'1'",
    "400 digits": "1" * 400,
    "1e30": "1e30",
}
FLOAT = {
    **OF_ANY,
    "list": "[1]",
    "text": "abc",
    "nan": "nan",
    "inf": "inf",
    "minus inf": "-inf",
    "negative": "-0.5",
    "null": "null",
    "truth": "true",
    "quoted number": "'0.5'",
    "400 digits": "1" * 400,
}
BOOL = {**OF_ANY, "list": "[true]", "text": "maybe", "number": "2", "null": "null", "quoted truth": "'true'"}
TEXT = {"mapping": "{a: 1}", "list": "[a]", "null": "null", "number": "3", "truth": "true", "empty text": "''"}
OBJECT = {"text": "adam", "number": "3", "list": "[1]", "null": "null", "foreign class": "{_target_: os.system}"}


def _wrong(annotation: Any) -> Iterator[tuple[str, str]]:
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        options = [dict(_wrong(part)) for part in inside if part is not type(None)]
        common = set.intersection(*map(set, options))
        for kind, value in options[0].items():
            if kind in common and not (kind == "null" and type(None) in inside):
                yield kind, value
    elif annotation is int:
        yield from INT.items()
    elif annotation is float:
        yield from FLOAT.items()
    elif annotation is bool:
        yield from BOOL.items()
    elif annotation is str:
        yield from TEXT.items()
    elif origin is Literal:
        yield from TEXT.items()
        yield "near miss", f"{inside[0]}x"
        yield "upper case", str(inside[0]).upper()
    elif origin is tuple:
        numbers = [part for part in inside if part is not Ellipsis]
        good = ["8"] if numbers[0] is int else ["0.5"] * (len(inside) if Ellipsis not in inside else 2)
        yield from {"number": "0.9", "text": "abc", "null": "null", "mapping": "{a: 1}", "empty list": "[]"}.items()
        yield "nested list", f"[[{good[0]}]]"
        for kind, value in (INT if numbers[0] is int else FLOAT).items():
            if kind not in ("list", "mapping", "empty text"):
                yield f"{kind} within", f"[{','.join([*good[1:], value])}]"
        if Ellipsis not in inside:
            yield "one more", f"[{','.join([*good, '0.5'])}]"
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        yield from {"number": "3", "text": "abc", "list": "[1]", "null": "null"}.items()
    elif isinstance(origin, type) and issubclass(origin, Sequence):
        yield from {"number": "3", "text": "abc", "mapping": "{a: 1}", "null": "null"}.items()
        yield "text within", "[abc]" if inside[0] is not str else "[[1]]"
    elif isinstance(annotation, type):
        yield from OBJECT.items()


def legal(setting: Setting) -> set[str]:
    """Return the kinds of values that are valid for the setting."""
    found = set[str]()
    for pattern, kinds in LEGAL.items():
        if re.fullmatch(pattern, f"{setting.owner}.{setting.name}"):
            found.update(kinds)
    return found


# Valid values that look wrong for their type, by `Class.setting`.
LEGAL: Mapping[str, Sequence[str]] = {
    r".*\.seed": ["zero"],
    # Empty text is a missing path or key; the message names the setting.
    r".*\.(root|path|key|weights)": ["empty text"],
    # Positions, labels, exponents and slopes can be negative.
    r"(Point\.start)": ["negative within"],
    r"(Dirac\.(theta|psi)|PointMass\.value|LeastSquares\..*|Logspace\..*|Kaiming\.slope)": ["negative"],
    r"(ClassifierFeatures|TorchvisionInception)\.low": ["negative"],
    r"GapAware\.ideal": ["negative"],  # for losses without a lower bound; refused for others because of x_min
    # null for optional settings.
    r"CFG\.(max_fit_decays|gap_after)|CoopNets\.(langevin|latent)_steps|Unrolled\.steps": ["zero"],
    r"Plateau\.(patience|cooldown)|ResNet\.embed_size|Step\.num_drops": ["zero"],
}


def names_it(bad: Bad, text: str) -> bool:
    """Return whether a block names the setting."""
    return re.search(rf"(?<![\w.]){re.escape(bad.setting.key)}\b", text) is not None


def explains(bad: Bad, text: str) -> bool:
    """Return whether the line of the setting states what is expected."""
    line = next((line for line in text.splitlines() if line.startswith(f"  {bad.setting.key}")), text)
    return (
        re.search(r"expected|accepted|needs? at least|comes with|must be|choose one of|allow=", line, re.I) is not None
    )
