"""Figures of sweeps on 2D data, `python -m gansweep.plane`."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tests.typed import typed

from gansweep.plane import pictures
from gansweep.plane.__main__ import find, main
from gansweep.plane.trained_cell import NUM_POINTS, floors, read
from gansweep.plot_style import panels, styled
from gansweep.training.samples import points_files

pytest.importorskip("matplotlib")

TOY = [
    *("-m", "experiment=mescheder_2d", "name=toy", "data=ring,circle", "lr=1e-3,1e30", "seed=0,1", "loss=r1"),
    *("steps=5", "batch_size=8", "metric.num_samples=16", "trainer.eval_every=2", "trainer.sample_every=3"),
    *("device=cpu", "trainer.tensorboard=false", "workers=1", "pack=1", "trainer.checkpoint_every=1"),
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Eight cells of five steps, of which four diverge."""
    return typed(tmp_path_factory.mktemp("plane"), TOY) / "toy"


@pytest.fixture
def sweep(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "outputs" / "toy")


def test_a_run_saves_the_points_of_its_sample_images(finished):
    cell = find(read(finished), "ring,lr=0.001,seed=1").cell
    files = points_files(cell.directory)
    assert sorted(files) == [0, 3, 5]
    assert all(path.with_suffix(".png").exists() for path in files.values())
    assert all(np.load(path)["points"].shape == (2048, 2) for path in files.values())


def test_the_generator_of_the_checkpoint_gives_the_saved_points(finished):
    one = find(read(finished), "ring,lr=0.001,seed=1")
    saved = np.load(points_files(one.cell.directory)[5])["points"]
    np.testing.assert_array_equal(one.fake, saved)
    assert len(one.real) == NUM_POINTS


def test_logits_are_those_of_the_saved_discriminator(finished):
    one = find(read(finished), "circle,lr=0.001,seed=0")
    at = np.random.default_rng(1).normal(size=(7, 2)).astype(np.float32)
    left, x, sizes = one.saved["member"]["discriminator"]["theta"], torch.from_numpy(at), [2, 16, 16, 16, 1]
    for fan_in, fan_out in itertools.pairwise(sizes):
        weight, bias, left = left.split([fan_in * fan_out, fan_out, len(left) - (fan_in + 1) * fan_out])
        x = F.linear(x, weight.reshape(fan_out, fan_in), bias)
        x = x if fan_out == 1 else F.leaky_relu(x, 0.2)
    np.testing.assert_allclose(one.logits(at), x[:, 0].numpy(), rtol=1e-4, atol=1e-6)


def test_titles_state_value_and_floor_or_why_there_is_none(sweep):
    played = read(sweep)
    good, bad = find(played, "ring,lr=0.001,seed=0"), find(played, "ring,lr=1e+30,seed=0")
    metric = good.result.metric
    known = floors(played)
    assert known[good.task] == metric["floor"]
    assert good.words(known[good.task]) == f"W1 {metric['final']:.2f}, real {metric['floor']:.2f}"
    assert bad.words(known[bad.task]) == f"W1 N/A: diverged at step {bad.diverged_at}"
    (good.cell.directory / "record.json").unlink()  # as during training
    (later,) = [one for one in read(sweep) if one.cell == good.cell]
    assert later.words(None) == f"W1 {metric['final']:.2f}; step 5 of 5"
    assert [e["step"] for e in later.evaluations] == [0, 2, 4, 5]
    for path in good.cell.directory.glob("checkpoint*"):
        path.unlink()
    (never,) = [one for one in read(sweep) if one.cell == good.cell]
    assert never.words(None) == "not started"
    assert never.fake is None
    assert never.logits(never.real) is None
    assert never.newest[0] == 5, "saved points are used without a checkpoint"
    np.testing.assert_array_equal(never.newest[1], good.fake)


def test_one_figure_per_remaining_setting_and_one_of_the_curves(sweep, tmp_path, capsys):
    first = find(read(sweep), "ring,lr=0.001,seed=0").cell.directory
    shutil.rmtree(first)  # not started
    out = tmp_path / "pictures"
    assert main([str(sweep), "--out", str(out), "--svg"]) == 0
    names = {"samples_seed=0", "samples_seed=1", "w1"}
    assert {path.name for path in out.iterdir()} == {f"{name}.{kind}" for name in names for kind in ("png", "svg")}
    assert f"wrote {out / 'w1.svg'}" in capsys.readouterr().out
    zero, one, curves = ((out / f"{name}.svg").read_text() for name in sorted(names))
    for text in (zero, one):  # matplotlib writes the words beside their outlines
        assert all(f"lr=1e+30, data={name}" in text for name in ("ring", "circle"))
        assert "N/A: diverged at step" in text
    assert "not started" in zero
    assert "not started" not in one
    assert all(
        word in curves
        for word in ("step (generator updates)", "W1 to the data", "lr=1e+30", "real against real points")
    )
    assert "seed" not in curves, "seeds share a line of the legend"


@pytest.mark.parametrize(("firsts", "rests"), [(6, 8), (8, 4), (12, 4), (20, 2), (48, 1)])
def test_methods_have_distinct_styles(firsts, rests):
    assert (
        len({pictures.look(first, rest, rests) for first in range(firsts) for rest in range(rests)}) == firsts * rests
    )


def test_one_cell_over_time(sweep, capsys):
    assert main([str(sweep), "--over-time", "circle,lr=0.001,seed=1", "--svg"]) == 0
    (path,) = sweep.glob("over_time_*.svg")
    assert path.with_suffix(".png").stat().st_size > 5000
    assert all(f"step {step}" in path.read_text() for step in (0, 3, 5))
    assert main([str(sweep), "--over-time", "circle,lr=0.001"]) == 2
    errors = capsys.readouterr().err
    assert "2 cells match" in errors
    assert "circle,lr=0.001,seed=0" in errors
    assert "ring" not in errors
    assert main([str(sweep), "--over-time", "grid"]) == 2
    assert "no cell matches" in capsys.readouterr().err


def test_truncated_points_are_ignored_and_missing_ones_are_an_error(sweep, capsys):
    directory = find(read(sweep), "circle,lr=0.001,seed=1").cell.directory
    files = points_files(directory)
    files[3].write_bytes(files[3].read_bytes()[:300])
    assert main([str(sweep), "--over-time", "circle,lr=0.001,seed=1", "--svg"]) == 0
    (path,) = sweep.glob("over_time_*.svg")
    assert "step 3" not in path.read_text()
    for file in files.values():
        file.unlink()
    assert main([str(sweep), "--over-time", "circle,lr=0.001,seed=1"]) == 2
    assert "trainer.sample_every" in capsys.readouterr().err


def test_other_directories_and_data_are_rejected(sweep, capsys):
    frozen = json.loads((sweep / "sweep.json").read_text())
    assert main([str(sweep.parent / "nowhere")]) == 2
    assert "nowhere: no such directory" in capsys.readouterr().err
    assert main([str(sweep.parent)]) == 2
    assert "contains toy" in capsys.readouterr().err
    frozen["cells"][0]["config"]["data"] = {"_target_": "gansweep.data.digits.Digits"}
    (sweep / "sweep.json").write_text(json.dumps(frozen))
    assert main([str(sweep)]) == 2
    assert "shape (1, 8, 8); expected 2D points" in capsys.readouterr().err


def test_modules_allowed_by_the_sweep_are_not_trusted(sweep, capsys):
    frozen = json.loads((sweep / "sweep.json").read_text())
    frozen["cells"][0]["config"] |= {"allow": ["antigravity"], "loss": {"_target_": "antigravity.Loss"}}
    (sweep / "sweep.json").write_text(json.dumps(frozen))
    assert main([str(sweep)]) == 2
    assert "antigravity.Loss is not in an allowed module" in capsys.readouterr().err
    assert "antigravity" not in sys.modules
    assert main([str(sweep), "aloow=[x]"]) == 2
    assert "aloow=[x]: expected no further words" in capsys.readouterr().err
    frozen["cells"][0]["config"]["loss"] = {"_target_": "no_such_module.Loss"}
    (sweep / "sweep.json").write_text(json.dumps(frozen))
    for words in (["--allow", "no_such_module"], ["allow=[no_such_module]"]):
        assert main([str(sweep), *words]) == 2
        assert "no_such_module.Loss can't be imported" in capsys.readouterr().err


def test_help_does_not_import_torch():
    code = "import sys\nfrom gansweep.plane.__main__ import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "print([m for m in ('torch', 'matplotlib', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_titles_are_inside_the_figure():
    with styled():
        figure, axes = panels(2, 2, "", pictures.SIZE)
        figure.get_layout_engine().set(h_pad=0.08)
        for axis in axes:
            axis.set_aspect("equal")
            axis.set_title("loss=r1\nW1 0.9477, real 0.092")
        figure.legend(handles=pictures.keys(True), loc="outside lower center", ncols=2)
        figure.canvas.draw()
        for axis in axes:
            assert axis.title.get_window_extent().y1 <= figure.bbox.height
