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
from gansweep.data.npz import Npz
from gansweep.sample import main
from gansweep.trained.sample_files import in_bytes

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
        ([*CELL, "--num", "5", "--out", "x", "--seed", "-1"], "--seed -1: expected a whole number from 0 to 2^63 - 1"),
        ([*CELL, "--num", "5", "--out", "x", "--seed", str(2**63)], "--seed 9223372036854775808: expected"),
        ([*CELL, "--num", "5", "--out", "full"], "--out full: contains file, which is not an image of"),
        ([*CELL, "--num", "5", "--out", "x.npz", "--format", "npy"], "--out x.npz: expected a file that ends in .npy"),
        ([*CELL, "--num", "5", "--out", "full/old.npz"], "--out full/old.npz: exists already"),
        ([*CELL, "--num", "5", "--out", "x", "--labels", "1"], "--labels 1: the networks of optimizer=adam"),
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
    (tmp_path / "full" / "old.npz").touch()
    assert main(arguments) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_an_interrupted_sampling_continues(outputs, tmp_path, monkeypatch, capsys):
    """Mistakes: images that are written again, damaged or missing ones, and a folder with images of another line."""
    line = [*CELL, "--num", "7", "--seed", "3", "--batch-size", "3"]
    assert main([*line, "--out", "whole"]) == 0
    assert main([*line, "--out", "part"]) == 0
    images = sorted((tmp_path / "part").iterdir())
    for path in images[4:]:
        path.unlink()
    images[1].unlink()
    images[2].write_bytes(images[2].read_bytes()[:-30])  # lost in a crash of the machine
    (tmp_path / "elsewhere").write_bytes(b"of the user")
    (tmp_path / "part" / "000005.png.part").symlink_to(tmp_path / "elsewhere")
    times = {path: path.stat().st_mtime_ns for path in (images[0], images[3])}
    capsys.readouterr()
    assert main([*line, "--out", "part"]) == 0
    assert "wrote 5 images" in (out := capsys.readouterr().out)
    assert "2 were there already" in out
    assert (tmp_path / "elsewhere").read_bytes() == b"of the user"
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert sorted(path.name for path in (tmp_path / "part").iterdir()) == [f"{n:06}.png" for n in range(7)]
    np.testing.assert_array_equal(read(tmp_path / "part"), read(tmp_path / "whole"))


@pytest.mark.parametrize(
    "other", [["--seed", "4"], ["--num", "8"], ["--raw"], ["optimizer=sgd"], ["seed=0"]], ids=lambda part: part[-1]
)
def test_images_of_another_line_are_not_mixed(outputs, tmp_path, capsys, other):
    line = dict(zip(("--num", "--seed"), ("7", "3"), strict=True))
    cell = {"optimizer": "adam", "seed": "1"}

    def typed_line(changes):
        options, chosen, flags = dict(line), dict(cell), []
        if changes[0] in line:
            options[changes[0]] = changes[1]
        elif changes[0].startswith("--"):
            flags = changes
        elif changes[0]:
            key, _, value = changes[0].partition("=")
            chosen[key] = value
        words = [word for pair in options.items() for word in pair]
        return ["outputs/averaged", *(f"{k}={v}" for k, v in chosen.items()), *words, *flags, "--out", "images"]

    assert main(typed_line([""])) == 0
    before = read(tmp_path / "images")
    assert main(typed_line(other)) == 2
    assert "--out images: contains 00000" in capsys.readouterr().err
    np.testing.assert_array_equal(read(tmp_path / "images"), before)


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_arrays_have_the_same_pixels_and_are_read_as_data(outputs, tmp_path, suffix):
    line = [*CELL, "--num", "7", "--seed", "3", "--batch-size", "3"]
    assert main([*line, "--out", "images"]) == 0
    assert main([*line, "--out", f"images{suffix}"]) == 0
    assert [path.name for path in tmp_path.glob("*.part")] == []
    data = Npz(path=str(tmp_path / f"images{suffix}"), size=8, channels=1)
    data.check()
    pixels = ((data.samples[:, 0] + 1) * 127.5).round().numpy()
    np.testing.assert_array_equal(pixels, read(tmp_path / "images"))
    assert data.labels is None


def test_labels_from_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANSWEEP_CACHE", str(tmp_path / "cache"))
    cell = str(typed(tmp_path, ["name=labels", "model.conditional=true", *SMALL]) / "labels")
    pair = gansweep.load(cell)
    line = [cell, "--num", "8", "--seed", "3"]
    assert main([*line, "--labels", "7,0,2", "--out", "three.npz"]) == 0
    with np.load("three.npz") as content:
        labels, images = torch.from_numpy(content["labels"]), content["images"]
    assert labels.tolist() == [7, 7, 7, 0, 0, 0, 2, 2]
    np.testing.assert_array_equal(images, in_bytes(pair.sample(8, seed=3, labels=labels)))
    assert main([*line, "--label", "3", "--out", "one"]) == 0
    of_three = in_bytes(pair.sample(8, seed=3, labels=torch.full((8,), 3)))
    np.testing.assert_array_equal(read(tmp_path / "one"), of_three[..., 0])
    assert main([*line, "--label", "4", "--out", "one"]) == 2
    assert main([*line, "--out", "all.npz"]) == 0
    with np.load("all.npz") as content:
        assert content["labels"].tolist() == sorted(content["labels"])
    capsys.readouterr()
    for classes, words in (
        ("3,10", "--labels 3,10: expected different classes from 0 to 9"),
        ("1,1", "--labels 1,1: expected different classes"),
        ("0,1,2,3,4,5,6,7,8", "--num 8: expected at least 9, one for each of --labels 0,1,2"),
    ):
        assert main([*line, "--labels", classes, "--out", "x"]) == 2
        assert words in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*line, "--labels", "a,1", "--out", "x"])
    assert "'a,1': expected whole numbers, for example 0,1,2" in capsys.readouterr().err


def test_points_are_refused(tmp_path, monkeypatch, capsys):
    line = ["name=points", "model=mlp_2d", "data=ring", "metric=wasserstein1", *SMALL]
    points = typed(tmp_path, line) / "points"
    assert main([str(points), "--num", "5", "--out", str(tmp_path / "x")]) == 2
    assert "samples have shape (2,), expected images" in capsys.readouterr().err
    assert gansweep.load(points).sample(5).shape == (5, 2)
    assert main([str(points), "--num", "5", "--out", str(tmp_path / "x.npy")]) == 0
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), gansweep.load(points).sample(5))


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
