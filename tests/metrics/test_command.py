"""Mistakes: another distance than pytorch-fid's from the same files, in order, range or covariance."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from gansweep.metrics.__main__ import main, read_folder
from gansweep.metrics.inception import network


def write(folder, images, suffix="png"):
    folder.mkdir()
    for n, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{n:03}.{suffix}")
    return folder


def printed(capsys) -> dict[str, float]:
    lines = [line.split(": ") for line in capsys.readouterr().out.splitlines()]
    return {name: float(value.split()[0]) for name, value in lines}


@pytest.fixture
def folders(tmp_path):
    rng = np.random.default_rng(0)
    a = rng.integers(0, 256, (6, 20, 16, 3), dtype=np.uint8)
    b = (rng.integers(0, 256, (5, 20, 16, 3)) * 0.6).astype(np.uint8)
    return write(tmp_path / "a", a), write(tmp_path / "b", b)


def test_folders_come_in_order_whole_and_in_range(folders):
    found = torch.cat(list(read_folder(folders[0], "RGB", 4)))
    first = np.asarray(Image.open(folders[0] / "000.png")).transpose(2, 0, 1)
    assert found.shape == (6, 3, 20, 16)
    np.testing.assert_allclose((found[0].numpy() + 1) * 127.5, first, atol=1e-4)
    Image.new("RGB", (9, 9)).save(folders[0] / "002.png")
    assert [len(part) for part in read_folder(folders[0], "RGB", 50)] == [2, 1, 3]


def test_digits_classifier_on_folders(tmp_path, capsys):
    images = (load_digits(return_X_y=True)[0][:200].reshape(-1, 8, 8) * 255 / 16).astype(np.uint8)
    paths = [str(write(tmp_path / name, part)) for name, part in (("a", images[:100]), ("b", images[100:]))]
    main([*paths, "--features", "digits", "--device", "cpu"])
    near = printed(capsys)
    blank = str(write(tmp_path / "c", images[100:] // 4))
    main([paths[0], blank, "--features", "digits", "--device", "cpu"])
    far = printed(capsys)
    assert 0 < near["fd_digits"] * 5 < far["fd_digits"]
    assert abs(near["kid_digits"]) * 5 < far["kid_digits"]


def test_a_folder_without_images_ends_in_one_line(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit) as end:
        main([str(tmp_path / "empty")] * 2 + ["--features", "digits"])
    assert end.value.code == 1
    assert "neither images" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("dims", [64, 2048])
def test_same_distance_as_pytorch_fid(folders, weights, dims, monkeypatch, capsys):
    from pytorch_fid import fid_score, inception

    monkeypatch.setattr(inception, "load_state_dict_from_url", lambda *_, **__: torch.load(weights, weights_only=True))
    paths = [str(folder) for folder in folders]
    model = inception.InceptionV3([inception.InceptionV3.BLOCK_INDEX_BY_DIM[dims]])
    statistics = [fid_score.compute_statistics_of_path(p, model, 4, dims, "cpu", 0) for p in paths]
    main([*paths, "--weights", str(weights), "--dims", str(dims), "--batch-size", "4", "--device", "cpu"])
    found = printed(capsys)["fid_inception" if dims == 2048 else f"fd_inception_{dims}"]
    # Their square root is unsound with 6 images, so theirs is taken from the covariances in closed form.
    (m, s), (n, t) = statistics
    values = np.linalg.eigvals(s @ t).real.clip(0)
    expected = ((m - n) ** 2).sum() + np.trace(s) + np.trace(t) - 2 * np.sqrt(values).sum()
    assert found == pytest.approx(expected, rel=1e-6)
    np.savez(folders[0].parent / "b.npz", mu=n, sigma=t)
    main(
        [paths[0], str(folders[0].parent / "b.npz"), "--weights", str(weights), "--dims", str(dims), "--device", "cpu"]
    )
    assert printed(capsys).popitem()[1] == pytest.approx(found, rel=1e-5)
    network.cache_clear()
