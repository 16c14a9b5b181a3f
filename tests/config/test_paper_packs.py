"""Every experiment and every scale composes, and trains if the data exist."""

from __future__ import annotations

import pytest
from tests.config.test_build_conf import CONF, composed

from gansweep.config.build import check

PARTS = sorted(
    path for folder in ("mescheder_images", "mescheder_toy") for path in (CONF / "experiment" / folder).iterdir()
)
SCALES = sorted((CONF / "scale").glob("*/*.yaml"))
OURS = ("forsyth_autoencoder", "mescheder_images", "mescheder_toy", "mescheder_2d", "dirac_convergence")
ABSENT = ("data", "metric: weights", "metric=")


def assert_ready(*words):
    checked = check(composed(*words, "device=cpu"))
    told = [str(problem) for problem in checked.problems]
    assert not [text for text in told if not text.startswith(ABSENT)], told
    return checked


@pytest.mark.parametrize("path", [p for p in PARTS if p.stem != "base"], ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_every_part_of_an_experiment(path):
    checked = assert_ready(f"experiment={path.parent.name}/{path.stem}")
    penalties = checked.parts["loss"].penalties
    expected = {"none": set(), "r1": {"r1"}, "r2": {"r2"}, "gan_stability": {"r1"}}
    assert set(penalties) == expected.get(path.stem, {"gp"})
    assert checked.config["critic_steps"] in (1, None, 5)


@pytest.mark.parametrize(
    "path", [p for p in SCALES if p.parent.name in OURS], ids=lambda p: f"{p.parent.name}/{p.stem}"
)
def test_every_scale(path):
    name = path.parent.name
    swept = {
        "mescheder_images": ["experiment=mescheder_images/r1"],
        "mescheder_toy": ["experiment=mescheder_toy/r1"],
        "dirac_convergence": ["experiment=dirac/r1"],
        "mescheder_2d": ["experiment=mescheder_2d", "data=line"],
    }
    assert_ready(*swept.get(name, [f"experiment={name}"]), f"scale={name}/{path.stem}")


def test_every_pack_has_three_scales():
    for name in OURS:
        assert {path.stem for path in SCALES if path.parent.name == name} == {"full", "small", "smoke"}
        assert (CONF / "experiment" / f"{name}.yaml").is_file()


def test_what_the_authors_code_and_the_papers_text_call_10():
    """gamma / 2 E|grad|^2 with gamma = 10 in the paper; reg_param E|grad|^2 with 10 in the code."""
    paper = composed("experiment=mescheder_images/r1")["loss"]["penalties"]["r1"]["weight"]
    code = composed("experiment=mescheder_images/gan_stability")["loss"]["penalties"]["r1"]["weight"]
    assert (paper, code) == (10.0, 20.0)
