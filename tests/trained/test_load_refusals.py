"""What gansweep.load refuses: ambiguous names, missing, damaged and edited weights, classes that are not allowed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from tests.trained.conftest import SMALL
from tests.typed import typed

import gansweep
from gansweep.export import main as export
from gansweep.measure import main as measure
from gansweep.sample import main as sample
from gansweep.sweep import records
from gansweep.sweep.cell import State
from gansweep.trained.cells import checkpoint_of
from gansweep.training import record
from gansweep.training.checksums import checksums

ONE = ("optimizer=adam", "seed=1")


def test_paths_and_selections_that_do_not_name_one_cell(outputs):
    (outputs / "empty").mkdir()
    cell = gansweep.load(outputs / "averaged", *ONE).result.cell
    assert gansweep.load(str(cell.directory)).result.cell.hash == cell.hash
    for arguments, words in (
        ((outputs / "averaged",), ["4 cells match", "optimizer=adam seed=0", "optimizer=sgd", cell.name]),
        ((outputs / "averaged", "optimizer=adam"), ["2 cells match", "seed=0", cell.name]),
        ((outputs / "averaged", "optimizer=lion"), ["optimizer=lion: no cell", "adam, sgd"]),
        ((outputs / "averaged", "colour=red"), ["colour=red: no cell", "optimizer, seed"]),
        ((outputs / "averaged", "adam"), ["adam: expected a setting"]),
        ((outputs / "nowhere",), ["there is no such folder", "outputs/SWEEP/CELL"]),
        ((outputs / "averaged" / "table.md",), ["is not a folder"]),
        ((outputs / "empty",), ["neither a cell nor a sweep"]),
        ((outputs,), ["neither a cell nor a sweep", "averaged, diverged"]),
    ):
        with pytest.raises(ValueError, match=".") as error:
            gansweep.load(*arguments)
        for word in words:
            assert word in str(error.value), (arguments, str(error.value))
    assert gansweep.load(outputs / "averaged", "optimizer=sgd", "seed=1.0", "lr=0.001").record["seeds"]["member"] == 1


def test_cells_without_final_weights(outputs):
    with pytest.raises(ValueError, match="diverged at step 1, so there are no final weights"):
        gansweep.load(outputs / "diverged", "lr=1e30")
    cell = gansweep.load(outputs / "averaged", *ONE).result.cell.directory
    (cell / "record.json").rename(cell / "aside.json")
    with pytest.raises(ValueError, match="has not finished \\(its last checkpoint is that of step 4\\)"):
        gansweep.load(cell)
    (cell / "aside.json").rename(cell / "record.json")
    dropped = replace(gansweep.load(cell).result, state=State.DROPPED)
    with pytest.raises(ValueError, match=r"was dropped .* type the command line of its sweep without race"):
        checkpoint_of(dropped)
    (cell / "checkpoint.pt").write_bytes(b"torn")
    with pytest.raises(ValueError, match=r"its checkpoint\.pt is damaged, expected checkpoint\.pt of step 4"):
        gansweep.load(cell)
    (cell / "checkpoint.pt").unlink()
    with pytest.raises(ValueError, match="it has no checkpoint"):
        gansweep.load(cell)


def test_a_damaged_checkpoint_is_reported_and_stays_where_it_is(outputs):
    cell = gansweep.load(outputs / "averaged", *ONE).result.cell.directory
    content = bytearray((cell / "checkpoint.pt").read_bytes())
    content[-3000] ^= 255
    (cell / "checkpoint.pt").write_bytes(content)
    files = sorted(path.name for path in cell.iterdir())
    with pytest.raises(ValueError, match=r"checkpoint.pt can't be used: |checkpoint\.pt is damaged"):
        gansweep.load(cell)
    assert sorted(path.name for path in cell.iterdir()) == files


def with_other_weights(path, checksums_too):
    """Change one parameter of the generator in a checkpoint, and compute its checksums again if asked to."""
    content = torch.load(path, weights_only=True)
    content["member"]["generator"]["theta"][0] += 1
    if checksums_too:
        content["sha256"] = checksums(content)
    torch.save(content, path)


@pytest.mark.parametrize("checksums_too", [False, True])
def test_edited_weights_are_not_used(outputs, checksums_too, capsys):
    cell = gansweep.load(outputs / "averaged", *ONE).result.cell.directory
    with_other_weights(cell / "checkpoint.pt", checksums_too)
    reason = "has another checksum than in record.json" if checksums_too else "was edited: member can't be trusted"
    with pytest.raises(ValueError, match=reason):
        gansweep.load(cell)
    for command, *more in ([export, "--out", "g.safetensors"], [sample, "--num", "2", "--out", "png"]):
        assert command([str(cell), *more]) == 2
        assert reason in capsys.readouterr().err
    assert measure([str(cell), "metric=thumbnail", "metric.num_samples=20"]) != 0
    assert reason in capsys.readouterr().err
    longer = ["steps=6" if word == "steps=4" else word for word in SMALL]
    typed(outputs.parent, ["name=averaged", "trainer.ema=0.5", "optimizer=adam", "lr=1e-3", "seed=1", *longer])
    records = [json.loads(path.read_text()) for path in (outputs / "averaged").glob("*/record.json")]
    assert ["continued" in record for record in records if record["steps"] == 6] == [False]


def test_damaged_best_weights_are_reported(outputs):
    typed(outputs.parent, ["name=kept", "trainer.keep=best", "lr=0.3", *SMALL])
    (path,) = (outputs / "kept").glob("*/weights/*.pt")
    for file in (path, path.parents[1] / "checkpoint.pt"):  # the best evaluation may be the last one
        file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ValueError, match=rf"not readable; damaged: .*{path.name}"):
        gansweep.load(outputs / "kept", which="best")


def test_a_class_in_the_stored_config_is_not_imported_unless_it_is_allowed(outputs, tmp_path, monkeypatch):
    cell = gansweep.load(outputs / "averaged", *ONE).result.cell
    (tmp_path / "evil_nets.py").write_text(
        "import os\nos.mkdir('executed')\nfrom gansweep.models.mlp import MLP\nclass Mine(MLP):\n    pass\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    content = records.read(cell.directory)
    content["config"]["model"]["_target_"] = content["identity"]["config"]["model"]["_target_"] = "evil_nets.Mine"
    content["config"]["allow"] = ["evil_nets"]
    content["cell"]["hash"] = gansweep.sweep.identity.digest(content["identity"])
    record.write(cell.directory, content)
    saved = torch.load(cell.directory / "checkpoint.pt", weights_only=True)
    saved = {**saved, "identity": json.dumps(content["identity"])}
    torch.save({**saved, "sha256": checksums(saved)}, cell.directory / "checkpoint.pt")
    with pytest.raises(ValueError, match=r"evil_nets.Mine is not in an allowed module .* add allow=\[evil_nets\]"):
        gansweep.load(cell.directory)
    assert not (tmp_path / "executed").exists()
    assert gansweep.load(cell.directory, allow=["evil_nets"]).step == 4
    assert (tmp_path / "executed").exists()
