"""`trainer.compile=auto`: the value that a run gets, its identity, and a machine without a compiler."""

from __future__ import annotations

import pytest
from tests.config.test_build_conf import composed

from gansweep.cli.grid import cell_of
from gansweep.config.build import absent, build, check
from gansweep.config.errors import BadConfig
from gansweep.training.run import COMPILED_FROM

PLAIN = ("device=cpu", "critic_steps=4", "trainer.compile=auto")  # 5 updates in a step
LONG = f"steps={COMPILED_FROM // 5}"


def compiled(*overrides: str) -> bool:
    checked = check(composed(*PLAIN, *overrides))
    assert checked.problems == []
    assert checked.run is not None
    assert checked.config["trainer"]["compile"] is checked.run.trainer.compile
    return checked.run.trainer.compile is True


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([LONG], True),
        ([f"steps={COMPILED_FROM // 5 - 1}"], False),
        ([LONG, "critic_steps=3"], False),
        ([LONG, "dynamics.generator_steps=2", "critic_steps=3"], True),
        ([f"steps={COMPILED_FROM}", "dynamics=extragradient", "critic_steps=1"], False),
        ([LONG, "optimizer=muon"], False),
        ([LONG, "optimizer@optimizer_d=prodigy"], False),
        ([f"steps={COMPILED_FROM}", "algorithm=denoising", "~loss", "critic_steps=1", "model=unet",
          "metric=psnr"], False),
    ],
    ids=str,
)  # fmt: skip
def test_long_runs_are_compiled_if_all_their_settings_can_be(overrides, expected):
    """Mistakes: an error instead of false; a threshold in steps, whatever the number of critic steps."""
    assert compiled(*overrides) is expected


@pytest.mark.parametrize(("steps", "value"), [("steps=20", "false"), (LONG, "true")])
def test_auto_is_the_same_cell_as_the_value_that_it_stands_for(tmp_path, steps, value):
    """Mistake: "auto" becomes part of the hash, so that a cell is trained twice."""

    def hash_with(compile_):
        overrides = [f"trainer.compile={compile_}", "critic_steps=4", "device=cpu", steps]
        return cell_of(composed(*overrides), overrides, {}, tmp_path).hash

    assert hash_with("auto") == hash_with(value)
    assert hash_with("true") != hash_with("false")


def test_another_value_is_refused():
    (problem,) = check(composed("trainer.compile=maybe")).problems
    assert str(problem) == "trainer.compile=maybe: expected true or false or auto"


def test_a_machine_without_a_compiler_is_reported_before_the_training(monkeypatch):
    monkeypatch.setenv("CXX", "/nowhere/g++ -O2")
    with pytest.raises(BadConfig, match=r"trainer\.compile=true: torch\.compile needs a C\+\+ compiler on a CPU"):
        build(composed("device=cpu", "trainer.compile=true"))
    assert absent(build(composed("device=cpu"))) == []


def test_a_compiler_is_found_by_its_variable(monkeypatch, tmp_path):
    tool = tmp_path / "c++"
    tool.touch(mode=0o755)
    monkeypatch.setenv("CXX", f"{tool} -O2")
    assert build(composed("device=cpu", "trainer.compile=true")).trainer.compile is True
