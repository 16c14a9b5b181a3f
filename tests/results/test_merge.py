"""Merging sweeps. Mistakes: a file overwritten, a conflict not named, a source changed, an unfinished copy used."""

from __future__ import annotations

import hashlib
import json

import pytest
from tests.sweep.fake_cells import cell, record, write

from gansweep.results import archive, load, table
from gansweep.results.__main__ import main
from gansweep.sweep import cell_lock
from gansweep.sweep.cell import Cell
from gansweep.sweep.identity import cell_name, digest, identity
from gansweep.sweep.sweep import Sweep


def of(root, numerics="1", code=None, **overrides) -> Cell:
    config = {"seed": 0, "steps": 100, "metric": {"num_samples": 8}} | overrides
    identity_ = identity(config, "data-hash", numerics, code)
    return Cell(overrides, config, identity_, digest(identity_), root / cell_name(overrides, digest(identity_)))


def sweep(root, cells, finals) -> None:
    root.mkdir(exist_ok=True)
    Sweep(root, cells, f"command of {root.name}").freeze()
    for one, final in zip(cells, finals, strict=True):
        if final is not None:
            write(one, record(one, final))
            (one.directory / "checkpoint.pt").write_bytes(f"weights of {root.name}".encode())
    table.write(Sweep(root, []))


@pytest.fixture
def two(tmp_path):
    """Sweeps a and b with two cells each; sgd is in both, with equal numbers."""
    a, b = tmp_path / "a", tmp_path / "b"
    sweep(a, [of(a, optimizer="adam"), of(a, optimizer="sgd")], [50.0, 40.0])
    sweep(b, [of(b, optimizer="sgd"), of(b, optimizer="lion")], [40.0, 30.0])
    return a, b


def contents(root) -> dict[str, str]:
    files = (file for file in sorted(root.rglob("*")) if file.is_file())
    return {str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def merged(capsys, *words) -> tuple[int, str, str]:
    code = main(["merge", *map(str, words)])
    answer = capsys.readouterr()
    return code, answer.out, answer.err


def test_the_new_sweep_has_all_cells_once_and_the_sources_are_unchanged(two, tmp_path, capsys):
    a, b = two
    before = contents(a), contents(b)
    code, out, _ = merged(capsys, a, b, "--into", tmp_path / "c" / "d")
    assert (code, out) == (0, f"merged 3 cells into {tmp_path / 'c' / 'd'}; 1 cell of several sources once\n")
    assert (contents(a), contents(b)) == before
    c = Sweep(tmp_path / "c" / "d", [])
    assert [(r.cell.overrides["optimizer"], r.final) for r in c.results] == [
        ("adam", 50.0),
        ("sgd", 40.0),
        ("lion", 30.0),
    ]
    assert c.commands == ["command of a", "command of b"]
    assert [(r.cell.directory / "checkpoint.pt").read_text() for r in c.results] == [f"weights of {x}" for x in "aab"]
    assert "| adam      | 50.00" in (c.root / "table.md").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]


def test_an_existing_target_is_refused(two, tmp_path, capsys):
    a, b = two
    (tmp_path / "file").touch()
    for target in (a, tmp_path / "file"):
        before = contents(tmp_path)
        code, _, err = merged(capsys, a, b, "--into", target)
        assert (code, err) == (2, f"--into {target}: exists already, expected a new directory\n")
        assert contents(tmp_path) == before


@pytest.mark.parametrize("into", ["a/inside", "a/../b/in/side", "new/..", "bad\0name", "file/x"])
def test_a_target_that_is_no_new_directory_beside_the_sources_is_refused(into, two, tmp_path, capsys):
    (tmp_path / "file").touch()
    before = sorted(tmp_path.rglob("*"))
    code, _, err = merged(capsys, *two, "--into", f"{tmp_path}/{into}")
    assert code == 2
    assert err.startswith("--into ")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_that_can_not_be_copied_is_named(two, tmp_path, capsys):
    link = next(two[0].glob("optimizer=adam*")) / "loop"
    link.symlink_to(link)
    code, _, err = merged(capsys, *two, "--into", tmp_path / "c")
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith(f"{link} can't be copied: ")
    assert not (tmp_path / "c").exists()


def test_equal_hashes_with_other_numbers_are_named(two, tmp_path, capsys):
    a, b = two
    for file in b.glob("optimizer=sgd*/record.json"):
        file.unlink()
    write(of(b, optimizer="sgd"), record(of(b, optimizer="sgd"), 40.0000001))
    name = of(b, optimizer="sgd").name
    code, out, err = merged(capsys, a, b, "--into", tmp_path / "c")
    assert (code, out) == (2, "")
    expected = f"  {name}: the same cell has another metric in {a} (final 40.0) and {b} (final 40.0000001)\n"
    assert err == f"Nothing was merged.\n{expected}"
    assert not (tmp_path / "c").exists()


def test_times_versions_and_devices_may_differ(two, tmp_path, capsys):
    a, b = two
    one = of(b, optimizer="sgd")
    other = {
        "time": {"started": None, "finished": None, "wall_s": 1.0},
        "versions": {"torch": "3"},
        "device": {"x": "y"},
    }
    write(one, record(one, 40.0) | other)
    assert merged(capsys, a, b, "--into", tmp_path / "c")[0] == 0


def test_the_most_advanced_copy_is_used(tmp_path, capsys):
    a, b, c = (tmp_path / name for name in "abc")
    sweep(a, [of(a, optimizer="sgd"), of(a, optimizer="adam")], [None, None])
    sweep(b, [of(b, optimizer="sgd"), of(b, optimizer="adam")], [40.0, None])
    (b / of(b, optimizer="adam").name).mkdir()
    (b / of(b, optimizer="adam").name / "checkpoint.pt").touch()
    assert merged(capsys, a, b, "--into", c)[0] == 0
    assert [result.state.value for result in Sweep(c, []).results] == ["completed", "resumable"]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({"numerics": "3"}, {"numerics": "4"}, "different versions of the arithmetic (numerics): {a} 3; {b} 4"),
        (
            {"code": {"my.rule": "a" * 64}},
            {"code": {"my.rule": "b" * 64}},
            "different versions of the code of my.rule: {a} aaaaaaaa; {b} bbbbbbbb",
        ),
        (
            {},
            {"code": {"gansweep.batched.player": "b" * 64}},
            "different versions of the code of gansweep.batched.player: {a} released; {b} bbbbbbbb",
        ),
    ],
)
def test_other_arithmetic_or_code_is_refused(first, second, expected, tmp_path, capsys):
    a, b = tmp_path / "a", tmp_path / "b"
    sweep(a, [of(a, **first, lr=1)], [1.0])
    sweep(b, [of(b, **second, lr=2)], [1.0])
    code, _, err = merged(capsys, a, b, "--into", tmp_path / "c")
    assert (code, err) == (2, f"Nothing was merged.\n  {expected.format(a=a, b=b)}\n")


def test_a_module_of_the_user_may_be_used_by_one_sweep_only(tmp_path, capsys):
    a, b = tmp_path / "a", tmp_path / "b"
    sweep(a, [of(a, code={"my.rule": "a" * 64}, lr=1)], [1.0])
    sweep(b, [of(b, lr=2)], [1.0])
    assert merged(capsys, a, b, "--into", tmp_path / "c")[0] == 0


def test_a_cell_that_is_trained_now_is_refused(two, tmp_path, capsys):
    a, b = two
    sweep(a, [*Sweep(a, []).all_cells, of(a, optimizer="muon")], [50.0, 40.0, None])
    claim = cell_lock.Claim.acquire(of(a, optimizer="muon").directory)
    code, _, err = merged(capsys, a, b, "--into", tmp_path / "c")
    claim.release(finished=False)
    assert code == 2
    assert f"{a}: a process trains {of(a, optimizer='muon').name}; wait until it ends, or stop it" in err
    assert merged(capsys, a, b, "--into", tmp_path / "c")[0] == 0
    assert not list((tmp_path / "c").glob("*/.claim*"))


def test_different_cells_of_one_name_are_refused(two, tmp_path, capsys):
    a, b = two
    frozen = json.loads((b / "sweep.json").read_text())
    lion = of(b, optimizer="lion")
    (b / lion.name).rename(b / of(a, optimizer="adam").name)
    frozen["cells"][1]["name"] = of(a, optimizer="adam").name
    (b / "sweep.json").write_text(json.dumps(frozen))
    code, _, err = merged(capsys, a, b, "--into", tmp_path / "c")
    assert code == 2
    assert f"{of(a, optimizer='adam').name}: different cells have this name in {a} and {b}" in err


def test_archives_can_be_merged(two, tmp_path, capsys):
    a, b = two
    archive.write(b, tmp_path / "b.zip")
    assert merged(capsys, a, tmp_path / "b.zip", "--into", tmp_path / "c")[0] == 0
    assert sorted(load(tmp_path / "c")["final"]) == [30.0, 40.0, 50.0]


def test_a_folder_without_cells_is_a_wrong_input(two, tmp_path, capsys):
    for folder in (tmp_path, tmp_path / "none"):
        code, _, err = merged(capsys, two[0], folder, "--into", tmp_path / "c")
        assert (code, err.startswith(f"{folder}: contains no cells")) == (2, True)


def test_an_error_leaves_no_target(two, tmp_path, capsys, monkeypatch):
    def full(*arguments, **keywords):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gansweep.results.merge.shutil.copytree", full)
    code, _, err = merged(capsys, *two, "--into", tmp_path / "c")
    assert code == 1
    assert "No space left" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_the_cells_of_the_fake_sweeps_are_those_of_the_other_tests(tmp_path):
    assert of(tmp_path, lr=1) == cell(tmp_path, lr=1)


def test_every_state_has_a_place_in_the_order_of_copies():
    from gansweep.results.merge import ORDER
    from gansweep.sweep.cell import State

    assert set(ORDER) == set(State)
