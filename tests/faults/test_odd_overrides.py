"""Unusual sweep names, and overrides that are too long for a file name."""

from __future__ import annotations

import pytest
from fault_child import command

ONE = ("lr=1e-3", "steps=2")


@pytest.mark.parametrize("name", ["größe-ж-図", "two words; 'quoted' $HOME", "-m", ".hidden"])
def test_a_sweep_name_with_any_characters(tmp_path, name):
    escaped = name.replace("'", "\\'")
    ended = command(tmp_path / "here", *ONE, f"name='{escaped}'")
    assert ended.code == 0, ended.text
    assert len(list((tmp_path / "here/outputs" / name).glob("*/record.json"))) == 1


def test_a_name_too_long_for_a_directory(tmp_path):
    ended = command(tmp_path / "here", *ONE, f"name={'a' * 300}")
    assert ended.code == 2, ended.text
    assert "is too long for a folder" in ended.text
    assert "Traceback" not in ended.text


@pytest.mark.slow
def test_overrides_of_thousands_of_characters(tmp_path):
    here = tmp_path / "here"
    trusted = ",".join(f"module_number_{n}" for n in range(500))
    long = (*ONE, f"allow=[{trusted}]", "model.generator_widths=[8,8,8,8,8,8,8,8]", "seed=1,2")
    ended = command(here, *long)
    assert ended.code == 0, ended.text
    (sweep,) = (here / "outputs").iterdir()
    assert len(sweep.name) < 100
    assert len(list(sweep.glob("*/record.json"))) == 2
    again = command(here, *long, "plan=true")
    assert "2 completed" in again.text, "the same long line has to find the same sweep"


def test_a_grid_of_many_values_has_a_short_unique_name(tmp_path):
    here = tmp_path / "here"
    names = set()
    for last in ("1e-1", "2e-1"):
        planned = command(here, "steps=2", f"lr={','.join(f'{n}e-5' for n in range(1, 60))},{last}", "plan=true")
        assert planned.code == 0, planned.text
        assert "60 new" in planned.text
        names.add(planned.text)
    assert len(names) == 2
