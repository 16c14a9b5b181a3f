"""python -m gansweep.sample. Mistakes: another range or order, a mixture with files of another run."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from tests.metrics.conftest import weights  # noqa: F401
from tests.trained.conftest import SMALL
from tests.typed import typed

import gansweep
from gansweep.sample import main
from gansweep.trained.image_folder import in_bytes

CELL = ["outputs/averaged", "optimizer=adam", "seed=1"]


def read(folder):
    return np.stack([np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))])


def test_images_are_the_samples_in_order_and_rounded(outputs, tmp_path, capsys):
    assert main([*CELL, "--num", "7", "--out", "images", "--seed", "3", "--batch-size", "3"]) == 0
    assert "wrote 7 images of optimizer=adam,seed=1" in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "images").iterdir()) == [f"{n:06}.png" for n in range(7)]
    samples = gansweep.load(*CELL).sample(7, seed=3)
    np.testing.assert_allclose(read(tmp_path / "images") / 127.5 - 1, samples[:, 0], atol=1 / 255 + 1e-5)
    assert main([*CELL, "--num", "7", "--out", "raw", "--seed", "3", "--raw"]) == 0
    assert not np.array_equal(read(tmp_path / "raw"), read(tmp_path / "images"))


def test_rounding_and_clipping():
    values = torch.tensor([-1.1, -1, -1 + 2 * 7.4 / 255, 0.999, 1.2]).view(1, 1, 1, 5)
    assert in_bytes(values).flatten().tolist() == [0, 0, 7, 255, 255]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*CELL, "--num", "0", "--out", "x"], "--num 0: expected 1 or more"),
        ([*CELL, "--num", "5", "--batch-size", "0", "--out", "x"], "--batch-size 0: expected 1 or more"),
        ([*CELL, "--num", "5", "--out", "full"], "--out full: contains 1 files; expected a new or an empty folder"),
        ([*CELL, "--num", "5", "--out", "full/file"], "--out full/file: is not a folder"),
        ([*CELL, "--num", "5", "--out", "no/x"], "--out no/x: no is not a folder"),
        (["outputs/averaged", "seed=1", "--num", "5", "--out", "x"], "2 cells match"),
        (["full", "--num", "5", "--out", "x"], "contains neither a cell nor a sweep"),
        (["outputs/diverged", "lr=1e30", "--num", "5", "--out", "x"], "diverged at step 1"),
    ],
)
def test_bad_input(outputs, tmp_path, capsys, arguments, words):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    assert main(arguments) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_points_are_refused(tmp_path, monkeypatch, capsys):
    line = ["name=points", "model=mlp_2d", "data=ring", "metric=wasserstein1", *SMALL]
    points = typed(tmp_path, line) / "points"
    assert main([str(points), "--num", "5", "--out", str(tmp_path / "x")]) == 2
    assert "samples have shape (2,), expected images" in capsys.readouterr().err
    assert gansweep.load(points).sample(5).shape == (5, 2)


@pytest.mark.slow
def test_distance_of_pytorch_fid_is_ours(outputs, tmp_path, weights, monkeypatch):  # noqa: F811
    from pytorch_fid import fid_score, inception

    from gansweep.data.digits import Digits
    from gansweep.metrics.features import statistics_of
    from gansweep.metrics.frechet import frechet_distance
    from gansweep.metrics.inception import InceptionFeatures

    monkeypatch.setattr(inception, "load_state_dict_from_url", lambda *_, **__: torch.load(weights, weights_only=True))
    assert main([*CELL, "--num", "2000", "--out", "images"]) == 0
    (tmp_path / "real").mkdir()
    real = in_bytes(Digits().samples[:300])
    for n, image in enumerate(real):
        Image.fromarray(image[:, :, 0].numpy()).save(tmp_path / "real" / f"{n:03}.png")
    model = inception.InceptionV3([inception.InceptionV3.BLOCK_INDEX_BY_DIM[64]])
    folders = ("images", "real")
    (m, s), (n, t) = (fid_score.compute_statistics_of_path(path, model, 50, 64, "cpu", 0) for path in folders)
    # pytorch-fid's square root is inaccurate for singular covariances, so the distance is computed in closed form.
    theirs = ((m - n) ** 2).sum() + np.trace(s + t) - 2 * np.sqrt(np.linalg.eigvals(s @ t).real.clip(0)).sum()
    samples, network = in_bytes(gansweep.load(*CELL).sample(2000)), InceptionFeatures(str(weights), 64)
    ours = [statistics_of(network, x.permute(0, 3, 1, 2) / 127.5 - 1) for x in (samples, real)]
    assert frechet_distance(*ours) == pytest.approx(theirs, rel=1e-5)
