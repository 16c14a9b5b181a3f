"""python -m gansweep.metrics. Mistakes: another order, range or covariance than in pytorch-fid."""

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


def test_folders_are_read_completely_in_order_and_in_range(folders):
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


def test_jackknife_error_if_there_are_few_images(tmp_path, capsys, monkeypatch):
    """With fewer images than two subsets, all are used, and the error is a jackknife estimate."""
    images = (load_digits(return_X_y=True)[0][:80].reshape(-1, 8, 8) * 255 / 16).astype(np.uint8)
    paths = [str(write(tmp_path / name, part)) for name, part in (("a", images[:40]), ("b", images[40:]))]
    lines = []
    for size in (1000, 20):
        monkeypatch.setattr("gansweep.metrics.__main__.SUBSET_SIZE", size)
        main([*paths, "--features", "digits", "--device", "cpu"])
        lines.append(next(line for line in capsys.readouterr().out.splitlines() if "kid" in line))
    assert lines[0].endswith("(of all images, jackknife standard error)")
    assert lines[1].endswith("(standard deviation over 100 subsets of 20)")
    for line in lines:
        value, error = (float(number) for number in line.split(": ")[1].split(" (")[0].split(" +- "))
        assert error > 0.01 * abs(value)


def refused(capsys, *arguments: object) -> str:
    assert main([*map(str, arguments), "--features", "digits", "--device", "cpu"]) == 2
    printed_text = capsys.readouterr().err
    assert printed_text.count("\n") == 1
    return printed_text


def test_folders_without_enough_images(tmp_path, folders, capsys):
    for name, files, expected in (
        ("empty", [], "empty: no images"),
        ("capitals", ["x.PNG", "y.PNG"], "2 files are not read as images, such as x.PNG"),
        ("single", ["x.png"], "single: one image has no covariance"),
    ):
        (tmp_path / name).mkdir()
        for file in files:
            Image.new("L", (8, 8)).save(tmp_path / name / file)
        assert expected in refused(capsys, folders[0], tmp_path / name)
    assert "gone: no such folder" in refused(capsys, tmp_path / "gone", folders[0])
    assert "000.png: not a folder" in refused(capsys, folders[0] / "000.png", folders[0])


def truncate(path):
    path.write_bytes(path.read_bytes()[:200])


def truncate_within_a_chunk(path):
    content = path.read_bytes()
    path.write_bytes(content[:60] + bytes(100) + content[160:])


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (truncate, ""),
        (truncate_within_a_chunk, ""),
        (lambda path: path.write_bytes(b""), "cannot identify"),
        (lambda path: path.write_text("<html>404</html>"), "cannot identify"),
        (lambda path: Image.fromarray(np.full((8, 8), 40000, np.int32)).save(path, "TIFF"), "its mode is I;"),
    ],
    ids=["cut", "broken", "empty", "another format", "32 bits"],
)
def test_damaged_image_is_named(folders, capsys, damage, reason):
    damage(folders[1] / "003.png")
    printed_text = refused(capsys, *folders)
    assert f"{folders[1] / '003.png'} can't be read as a picture (" in printed_text
    assert reason in printed_text


def test_images_of_many_kinds_and_sizes_and_skipped_files(tmp_path, capsys):
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    grey = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8) * 4)
    for n, mode in enumerate(["1", "L", "LA", "P", "RGB", "RGBA"]):
        grey.convert(mode).resize((8 + n, 9)).save(mixed / f"{n}.png")
    (mixed / "notes.txt").write_text("none")
    assert [tuple(x.shape) for x in read_folder(mixed, "RGB", 4)] == [(1, 3, 9, 8 + n) for n in range(6)]
    main([str(mixed)] * 2 + ["--features", "digits", "--device", "cpu"])
    out, err = capsys.readouterr()
    assert "images: 6 and 6" in out
    assert "1 files are not read as images, such as notes.txt" in err
    assert "2 images have transparency, which is dropped" in err


def save(path, **arrays):
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.write_bytes(b"PK damaged"), "no statistics"),
        (lambda path: save(path, mean=np.zeros(3)), "no statistics, it has mean"),
        (lambda path: save(path, mu=np.zeros(3), sigma=np.eye(4)), r"mu (3,) and sigma (4, 4)"),
        (lambda path: save(path, mu=np.zeros(3), sigma=np.full((3, 3), np.nan)), "not finite"),
        (lambda path: save(path, mu=np.array([None]), sigma=np.eye(1)), "no statistics"),
    ],
    ids=["missing", "damaged", "other names", "other shapes", "not finite", "objects"],
)
def test_files_without_statistics(tmp_path, folders, capsys, write, expected):
    write(tmp_path / "s.npz")
    printed_text = refused(capsys, tmp_path / "s.npz", folders[0])
    assert str(tmp_path / "s.npz") in printed_text
    assert expected in printed_text


def test_statistics_of_other_features(tmp_path, folders, capsys):
    save(tmp_path / "s.npz", mu=np.zeros(3), sigma=np.eye(3))
    assert "features of length 3 and 64" in refused(capsys, tmp_path / "s.npz", folders[0])


def test_options_of_another_network(folders, capsys):
    for setting in (["--dims", "64"], ["--weights", "x.pth"]):
        with pytest.raises(SystemExit) as end:
            main([*map(str, folders), "--features", "digits", *setting])
        assert end.value.code == 2
        assert "--weights and --dims apply to --features inception only" in capsys.readouterr().err


def test_help(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    printed_text = capsys.readouterr().out
    for word in ("pytorch_fid", "--features", "--weights", "--dims", ".npz", "docs/metrics.md"):
        assert word in printed_text


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
    # pytorch-fid's square root is inaccurate with 6 images, so the reference is computed in closed
    # form.
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


@pytest.mark.slow
def test_command_prints_the_number_of_pytorch_fid(tmp_path, weights, monkeypatch, capsys):
    from pytorch_fid import fid_score, inception

    monkeypatch.setattr(inception, "load_state_dict_from_url", lambda *_, **__: torch.load(weights, weights_only=True))
    images = (load_digits(return_X_y=True)[0][:170].reshape(-1, 8, 8, 1) * 255 / 16).astype(np.uint8).repeat(3, 3)
    images[90:, 2:] //= 2
    # More images than the 64 features, and of full rank, so that pytorch-fid's square root is accurate.
    images ^= np.random.default_rng(0).integers(0, 128, images.shape, dtype=np.uint8)
    paths = [str(write(tmp_path / name, part)) for name, part in (("a", images[:90]), ("b", images[90:]))]
    theirs = fid_score.calculate_fid_given_paths(paths, 40, "cpu", 64, 0)
    main([*paths, "--weights", str(weights), "--dims", "64", "--batch-size", "30", "--device", "cpu"])
    assert printed(capsys)["fd_inception_64"] == pytest.approx(theirs, rel=1e-6)
    network.cache_clear()
