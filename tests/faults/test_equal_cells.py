"""Equal runs in different spellings, and runs that differ slightly."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from fault_child import command
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gansweep.cli import folders, grid, hydra_app
from gansweep.cli.compose import Composer
from gansweep.cli.hydra_app import BASE
from gansweep.formatting import is_folder_name

RATES = st.floats(1e-12, 1e3, allow_subnormal=False)
NAMES = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="/\\"), min_size=1, max_size=400)
PATIENT = settings(max_examples=25, deadline=None)


@pytest.fixture(scope="module")
def identity():
    """Return a function from overrides to the hash of the run."""
    hydra_app.register()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(folders.conf_dir()), **BASE):
        loader = GlobalHydra.instance().config_loader()
        composer = Composer(lambda lines: compose("config", lines, return_hydra_config=True), loader)
        base = ["data=ring", "~metric", "model.generator_widths=[8]", "model.discriminator_widths=[8]"]

        def of(*overrides: str) -> str:
            ((cell,), _) = grid.compose(composer, [[*base, *overrides]], Path())
            return cell.hash

        yield of


def spellings(value: float) -> list[str]:
    exact = Decimal(value)
    return [repr(value), f"{value:.17e}", f"{exact:f}", f"{exact.normalize():E}".lower()]


@PATIENT
@given(rate=RATES, key=st.sampled_from(["lr", "lr_d", "loss.penalties.r1.weight", "model.slope"]))
def test_the_format_of_a_number_does_not_matter(identity, rate, key):
    rate = min(rate, 0.9) if key == "model.slope" else rate
    assert len({identity(f"{key}={text}") for text in spellings(rate)}) == 1


@PATIENT
@given(one=RATES, other=RATES)
def test_different_numbers_are_different_runs(identity, one, other):
    assert (identity(f"lr={one!r}") == identity(f"lr={other!r}")) == (one == other)


@PATIENT
@given(order=st.permutations(["lr=1e-3", "seed=3", "optimizer=sgd", "steps=10", "batch_size=16"]))
def test_the_order_of_overrides_does_not_matter(identity, order):
    assert identity(*order) == identity(*sorted(order))


@PATIENT
@given(name=NAMES)
def test_the_name_of_the_sweep_is_not_part_of_the_identity(identity, name):
    assume(is_folder_name(name))
    quoted = name.replace("\\", "\\\\").replace("'", "\\'")
    assert identity(f"name='{quoted}'") == identity()


@pytest.mark.parametrize("surrounding", ["device=cpu", "threads=1", "trainer.log_every=3", "retry_failed=false"])
def test_device_and_logging_are_not_part_of_the_identity(identity, surrounding):
    assert identity(surrounding) == identity()


@pytest.mark.parametrize(
    "setting", ["seed=1", "threads=2", "steps=999", "trainer.ema=0.5", "precision=bf16", "model.dropout=0.1"]
)
def test_settings_that_change_numbers_are_part_of_the_identity(identity, setting):
    assert identity(setting) != identity()


def test_a_grid_with_three_equal_cells(tmp_path):
    here = tmp_path / "here"
    ended = command(here, "lr=1e-4,0.0001,1.0e-4,1e-3", "steps=2", "name=s")
    assert ended.code == 0, ended.text
    assert ended.text.count("it runs once") == 2
    found = [json.loads(path.read_text())["config"]["lr"] for path in here.glob("outputs/s/*/record.json")]
    assert sorted(found) == [0.0001, 0.001]
    again = command(here, "lr=0.001,0.00010", "steps=2", "name=s", "plan=true")
    assert "2 completed" in again.text
    assert "Nothing is left to train" in again.text
