"""Archives of sweeps. Mistakes: a file written outside, a zip bomb unpacked, a checkpoint taken along."""

from __future__ import annotations

import io
import stat
import tempfile
import zipfile

import pytest
from tests.sweep.fake_cells import cell, diverged, record, write

from gansweep.report.__main__ import main as report
from gansweep.results import archive, curves, load
from gansweep.results.__main__ import main
from gansweep.sweep.sweep import Sweep
from gansweep.sweep.sweep_directory import set_aside


@pytest.fixture
def sweep(tmp_path):
    """A sweep of three cells with checkpoints and pictures, the best of them at step 80."""
    root = tmp_path / "mine"
    root.mkdir()
    cells = [cell(root, optimizer=name) for name in ("adam", "sgd", "lion")]
    Sweep(root, cells, "the command").freeze()
    for one, content in zip(cells, (record(cells[0], 50.0), record(cells[1], 40.0), diverged(cells[2])), strict=True):
        write(one, content)
        (one.directory / "checkpoint.pt").write_bytes(b"weights")
        (one.directory / "samples").mkdir()
        for step in (0, 80, 90, 100):
            (one.directory / "samples" / f"step_{step:07}.png").write_bytes(PNG)
    return root


PNG = b"not looked at"


@pytest.fixture
def archived(sweep):
    out = sweep.with_name("copy.zip")
    archive.write(sweep, out)
    return out


def test_it_contains_records_tables_and_the_last_and_best_samples(archived):
    names = zipfile.ZipFile(archived).namelist()
    assert {name.split("/")[0] for name in names} == {"mine"}
    inside = [name.partition("/")[2] for name in names]
    assert inside[0] == "sweep.json"
    adam = sorted(name.partition("/")[2] for name in inside if name.startswith("optimizer=adam"))
    assert adam == ["record.json", "samples/step_0000080.png", "samples/step_0000100.png"]
    assert not [name for name in inside if "checkpoint" in name]


def test_equal_sweeps_have_equal_archives_and_nothing_is_overwritten(archived, sweep, tmp_path):
    archive.write(sweep, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == archived.read_bytes()
    with pytest.raises(ValueError, match="exists already"):
        archive.write(sweep, archived)


def test_it_is_read_as_the_directory(archived, sweep, capsys):
    columns = [name for name in load(sweep).columns if name != "directory"]
    assert load(archived)[columns].equals(load(sweep)[columns])
    assert curves(archived).equals(curves(sweep))
    assert list(load(archived)["directory"]) == [str(archived / "mine" / name) for name in load(sweep)["cell"]]
    for form in ("csv", "json", "md"):
        texts = []
        for path in (sweep, archived):
            assert report([str(path), "--format", form]) == 0
            texts.append(capsys.readouterr().out)
        assert texts[0] == texts[1]


def test_the_command_adds_table_and_report(sweep, capsys):
    for picture in sweep.glob("*/samples/*"):
        picture.unlink()
    assert main(["archive", str(sweep)]) == 0
    names = {name.partition("/")[2] for name in zipfile.ZipFile(sweep.with_name("mine.zip")).namelist()}
    assert {"sweep.json", "table.md", "results.csv", "report.html"} <= names
    assert main(["archive", str(sweep)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_the_page_of_an_archive_is_written_beside_it(archived, capsys):
    for picture in archived.parent.glob("mine/*/samples/*"):
        picture.unlink()
    archived.unlink()
    archive.write(archived.parent / "mine", archived)
    assert report([str(archived), "--format", "html"]) == 0
    page = archived.with_suffix(".html").read_text()
    assert tempfile.gettempdir() not in page.replace(str(archived.parent), "")
    assert 'href="mine/optimizer%3Dadam-' in page or 'href="mine/optimizer=adam-' in page


def zipped(path, entries) -> None:
    """Write a zip file with any names and contents; a value of type ZipInfo is an entry with the content `x`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries:
            file.writestr(name, content)


LINK = zipfile.ZipInfo("mine/cell/record.json")
LINK.external_attr = (stat.S_IFLNK | 0o777) << 16
HOSTILE = {
    "above": [("../evil.json", "x")],
    "inside above": [("mine/../../evil/record.json", "x")],
    "absolute": [("/tmp/evil/record.json", "x")],
    "backslash": [("mine\\..\\record.json", "x")],
    "drive": [("C:\\evil", "x")],
    "link": [(LINK, "/etc/passwd")],
    "twice": [("mine/sweep.json", "x"), ("mine/sweep.json", "y")],
    "two sweeps": [("mine/sweep.json", "x"), ("other/sweep.json", "y")],
    "file as folder": [("mine/sweep.json", "x"), ("mine/sweep.json/record.json", "y")],
    "empty": [],
    "nothing of ours": [("mine/code.py", "x"), ("mine/cell/checkpoint.pt", "y")],
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_is_refused_and_leaves_no_file(kind, tmp_path, monkeypatch, capsys):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    zipped(tmp_path / "bad.zip", HOSTILE[kind])
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match=r"bad.zip can't be read as an archive of gansweep results: "):
        load(tmp_path / "bad.zip")
    assert report([str(tmp_path / "bad.zip")]) == 2
    assert "bad.zip can't be read" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("is_damaged", [False, True])
def test_other_compressions_are_refused(is_damaged, tmp_path):
    path = tmp_path / "lzma.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("mine/cell/record.json", " ".join(map(str, range(999))))
    if is_damaged:
        content = bytearray(path.read_bytes())
        content[80:90] = bytes(10)
        path.write_bytes(content)
    with pytest.raises(ValueError, match="'mine/cell/record.json' is compressed by another method than deflate"):
        load(path)


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"no zip", b"PK\x03\x04damaged"])
def test_a_damaged_file_is_refused(content, tmp_path):
    (tmp_path / "bad.zip").write_bytes(content)
    with pytest.raises(ValueError, match="can't be read as an archive"):
        load(tmp_path / "bad.zip")


def test_a_damaged_entry_is_refused(archived):
    content = bytearray(archived.read_bytes())
    start = zipfile.ZipFile(archived).infolist()[1].header_offset + 120
    content[start : start + 8] = bytes(8)
    archived.write_bytes(content)
    with pytest.raises(ValueError, match="can't be read as an archive"):
        load(archived)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "LEAST_BYTES", 2**20)
    zipped(tmp_path / "bomb.zip", [("mine/sweep.json", bytes(8 * 2**20))])  # compressed to a thousandth
    assert (tmp_path / "bomb.zip").stat().st_size < 10_000
    with pytest.raises(ValueError, match="its files have more than 1048576 bytes"):
        load(tmp_path / "bomb.zip")


def test_a_declared_size_is_not_trusted(tmp_path, monkeypatch):
    """Mistake: the sum of the declared sizes is checked, and the stream has more."""
    monkeypatch.setattr(archive, "LEAST_BYTES", 2**20)
    buffer = io.BytesIO()
    zipped(buffer, [("mine/sweep.json", bytes(8 * 2**20))])
    content = buffer.getvalue().replace((8 * 2**20).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    (tmp_path / "bomb.zip").write_bytes(content)
    with pytest.raises(ValueError, match="can't be read as an archive"):
        load(tmp_path / "bomb.zip")


def test_too_many_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_FILES", 3)
    zipped(tmp_path / "many.zip", [(f"mine/{n}/record.json", "{}") for n in range(4)])
    with pytest.raises(ValueError, match="it has 4 files, expected at most 3"):
        load(tmp_path / "many.zip")


def test_a_directory_without_records_is_refused(tmp_path, capsys):
    (tmp_path / "x").mkdir()
    with pytest.raises(ValueError, match="contains no records"):
        archive.write(tmp_path / "x", tmp_path / "x.zip")
    assert main(["archive", str(tmp_path / "x")]) == 2
    assert not (tmp_path / "x.zip").exists()


@pytest.mark.parametrize("out", ["no/folder.zip", "file/x.zip", "bad\0name.zip", "."])
def test_a_wrong_file_is_refused_before_the_report_is_written(sweep, out, capsys):
    (sweep.parent / "file").touch()
    before = sorted(sweep.parent.rglob("*"))
    assert main(["archive", str(sweep), "--out", f"{sweep.parent}/{out}"]) == 2
    assert capsys.readouterr().err.startswith("--out ")
    assert sorted(sweep.parent.rglob("*")) == before


def test_an_archive_inside_the_sweep_belongs_to_it(sweep):
    archive.write(sweep, sweep / "copy.zip")
    assert set_aside(sweep) == sweep.with_name("mine.1")
