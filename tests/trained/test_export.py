"""Files of trained networks. Mistakes: another network, fixed batch size, a file that needs gansweep."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch
from safetensors import safe_open

import gansweep
from gansweep.export import main

ONE = ["optimizer=adam", "seed=1"]
CELL = ["outputs/averaged", *ONE]
PLAIN = """
import sys, torch
from safetensors.torch import load_file
from torch import nn

generator = nn.Sequential(nn.Linear(4, 8), nn.LeakyReLU(0.2), nn.Linear(8, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
generator.load_state_dict(load_file("generator.safetensors"))
program = torch.export.load("generator.pt2").module()
z = torch.arange(12.0).view(3, 4)
assert torch.equal(generator(z), program(z))
assert program(z[:1]).shape == (1, 1, 8, 8)
torch.save(generator(z), "images.pt")
assert not any(name.startswith("gansweep") for name in sys.modules)
"""


def test_both_files_are_read_without_gansweep(outputs, capsys):
    for name in ("generator.safetensors", "generator.pt2"):
        assert main([*CELL, "--out", name]) == 0
        assert f"wrote {name}: generator of optimizer=adam,seed=1" in capsys.readouterr().out
    subprocess.run([sys.executable, "-c", PLAIN], check=True)
    z = torch.arange(12.0).view(3, 4)
    images = torch.load("images.pt", weights_only=True)
    pair = gansweep.load("outputs/averaged", *ONE)
    torch.testing.assert_close(images, pair.outputs(z), rtol=1e-5, atol=1e-6)


def test_metadata_describes_module_and_origin(outputs):
    assert main(["outputs/averaged", "--out", "d.safetensors", *ONE, "--player", "discriminator", "--raw"]) == 0
    with safe_open("d.safetensors", "pt") as file:
        metadata = file.metadata()
        names = set(file.keys())
    pair = gansweep.load("outputs/averaged", *ONE, raw=True)
    assert names == set(pair.discriminator.state_dict())
    assert "(1): Linear(in_features=64, out_features=8, bias=True)" in metadata["definition"]
    assert metadata["cell_hash"] == pair.result.cell.hash
    assert (metadata["player"], metadata["weights"], metadata["step"]) == ("discriminator", "trained", "4")
    assert json.loads(metadata["config"])["lr"] == 1e-3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*CELL, "--out", "x.onnx"], "--out x.onnx: expected a file that ends in .safetensors or .pt2"),
        ([*CELL, "--out", "taken.pt2"], "--out taken.pt2: exists already"),
        ([*CELL, "--out", "no/x.pt2"], "--out no/x.pt2: no is not a folder"),
        (["outputs/averaged", "--out", "x.pt2"], "4 cells match, expected one"),
        (["outputs/nowhere", "--out", "x.pt2"], "there is no such folder"),
        (["outputs/diverged", "lr=1e30", "--out", "x.pt2"], "diverged at step 1, so there are no final weights"),
    ],
)
def test_bad_input(outputs, tmp_path, capsys, arguments, words):
    (tmp_path / "taken.pt2").touch()
    assert main(arguments) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "x.pt2").exists()
    assert (tmp_path / "taken.pt2").read_bytes() == b""
