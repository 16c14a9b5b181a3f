from __future__ import annotations

import warnings

import pytest
from tests.sweep.fake_cells import cell, diverged, record, write

from gansweep import results
from gansweep.results.frame import COLUMNS, read
from gansweep.sweep.cell import State
from gansweep.sweep.run_state import failed_record
from gansweep.training.record import summary

pd = pytest.importorskip("pandas")


@pytest.fixture
def outputs(tmp_path):
    root = tmp_path / "outputs" / "first"
    cells = [cell(root, optimizer=o, lr=lr, betas=[0.5, lr]) for o in ("adam", "sgd") for lr in (1e-4, 1)]
    for one in cells[:2]:
        write(one, record(one, 50.0))
    write(cells[2], diverged(cells[2]))
    write(cells[3], failed_record(cells[3], ValueError("no")))
    (root / "sweep.json").write_text("{}")
    (cells[0].directory / "samples").mkdir()
    return tmp_path / "outputs"


def test_one_row_for_each_cell_with_typed_columns(outputs):
    frame = results.load(outputs / "first")
    assert len(frame) == 4
    assert set(frame["state"]) == {"completed", "diverged", "failed"}
    kinds = {name: str(frame[name].dtype) for name in frame}
    assert [kinds[name] for name in ("lr", "final", "best_step", "seed", "divergence_step")] == [
        "Float64",
        "Float64",
        "Int64",
        "Int64",
        "Int64",
    ]
    assert all(pd.api.types.is_string_dtype(frame[name]) for name in ("optimizer", "betas", "state", "error"))
    dead = frame[frame["state"] == "diverged"].iloc[0]
    assert dead["divergence_step"] == 17
    assert dead["divergence_player"] == "discriminator"
    assert pd.isna(dead["final"])
    assert frame[frame["state"] == "failed"].iloc[0]["error"] == "ValueError: no"
    assert frame.pivot_table("final", "optimizer", "lr").loc["adam", 1] == 50.0
    assert list(frame["optimizer_d"]) == list(frame["optimizer"])
    assert "batch_size" in frame


def test_curves_have_one_row_for_each_evaluation(outputs):
    frame = results.curves(outputs / "first")
    first = frame[frame["cell"] == frame["cell"].iloc[0]]
    assert list(first["step"]) == [0, 80, 100]
    assert list(first["value"]) == [400.0, 49.0, 50.0]
    assert frame["value"].isna().any()  # the last of the diverged cell
    assert list(map(str, frame.dtypes[["step", "value"]])) == ["Int64", "Float64"]


def test_a_folder_of_sweeps_and_a_single_cell_can_be_read(outputs):
    other = cell(outputs / "second", seed=3)
    write(other, record(other))
    frame = results.load(outputs)
    assert set(frame["sweep"]) == {"first", "second"}
    assert len(frame) == 5
    row = frame[frame["sweep"] == "second"].iloc[0]
    assert row["seed"] == 3
    assert pd.isna(row["optimizer"])
    assert list(results.load(other.directory)["cell"]) == [other.name]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "incomplete"),
        (b'{"format": 1, "state": "comple', "incomplete"),
        (b"\xff\xfe\x00", "incomplete"),
        (b"[" * 100_000, "incomplete"),
        (b"[1, 2]", "not a record"),
        (b'{"name": "package"}', "not a record"),
        (b'{"format": 2, "state": "completed"}', "format 2"),
        (b'{"format": 1, "state": "completed"}', "cell is missing"),
        (
            b'{"format": 1, "state": "failed", "cell": {}, "config": {}, "identity": {}, "time": {}}',
            "cell.hash is missing",
        ),
    ],
    ids=["empty", "torn", "binary", "deep", "list", "foreign", "newer", "partial", "nameless"],
)
def test_an_unusable_file_is_reported_and_the_others_are_read(outputs, content, reason):
    odd = outputs / "first" / "odd"
    odd.mkdir()
    (odd / "record.json").write_bytes(content)
    for load, count in ((results.load, 4), (results.curves, 9)):
        with pytest.warns(UserWarning, match=rf"odd.record\.json .*{reason}"):
            assert len(load(outputs / "first")) == count


@pytest.mark.parametrize(
    ("name", "value"), [("final", 1.0), ("final", None), ("final", float("nan")), ("best", 1.0), ("untrained", 9.0)]
)
def test_a_record_with_an_edited_number_is_left_out(outputs, name, value):
    one = cell(outputs / "second", seed=3)
    content = record(one)
    content["metric"][name] = value
    write(one, content)
    with pytest.warns(UserWarning, match=rf"metric\.{name} is .*, but .* by its evaluations|{name} is nan"):
        assert len(results.load(outputs)) == 4


def test_a_record_with_invalid_evaluations_is_left_out(outputs):
    one = cell(outputs / "second", seed=3)
    for odd in ([], [3], [{"step": 0}], [{"step": "x", "value": 1.0}]):
        content = record(one)
        content["metric"]["evaluations"] = odd
        write(one, content)
        with pytest.warns(UserWarning, match="evaluations"):
            assert len(results.load(outputs)) == 4


def test_if_higher_is_better_the_best_is_the_highest_or_as_stored_by_earlier_versions(outputs):
    one = cell(outputs / "second", seed=3)
    content = record(one)
    assert summary(content["metric"]["evaluations"], lower_is_better=False)["best"] == 50.0
    for best, step, count in ((50.0, 100, 5), (49.0, 80, 5), (48.0, 80, 4)):
        content["metric"] |= {"lower_is_better": False, "best": best, "best_step": step}
        write(one, content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert len(results.load(outputs)) == count


def test_a_record_that_is_a_directory_is_reported(outputs):
    (outputs / "first" / "odd" / "record.json").mkdir(parents=True)
    with pytest.warns(UserWarning, match="odd"):
        assert len(results.load(outputs / "first")) == 4


def test_a_setting_with_the_name_of_a_column_is_prefixed(tmp_path):
    one = cell(tmp_path, state="liquid")
    write(one, record(one))
    frame = results.load(tmp_path)
    assert frame["state"][0] == "completed"
    assert frame["setting.state"][0] == "liquid"


def test_an_empty_sweep_is_an_empty_frame(tmp_path):
    assert len(results.load(tmp_path)) == len(results.curves(tmp_path)) == 0
    with pytest.raises(FileNotFoundError, match="nothing"):
        results.load(tmp_path / "nothing")


def test_every_column_of_the_frame_is_documented_and_a_result_can_be_built_from_a_record(outputs):
    frame = results.load(outputs / "first")
    assert set(COLUMNS) <= set(frame)
    dead = next(result for result in read(outputs / "first") if result.state is State.DIVERGED)
    assert (dead.diverged_at, dead.final, list(dead.values())) == (17, None, [0])
    assert dead.trained_s == {0: 0.0, 80: 16.0, 100: 20.0}
