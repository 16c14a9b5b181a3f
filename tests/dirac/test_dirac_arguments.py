"""Wrong arguments of python -m gansweep.dirac are refused before its directory is made."""

from __future__ import annotations

import pytest

from gansweep.dirac.__main__ import main


@pytest.mark.parametrize(
    ("command", "option", "value"),
    [
        *(("portraits", "--rate", value) for value in ("nan", "inf", "-1", "abc")),
        *(("portraits", "--steps", value) for value in ("0", "-1", "1.5", "1000000000000")),
        *(("atlas", "--width", value) for value in ("1", "1000000000")),
        ("atlas", "--steps", "1000000000000"),
        ("convergence", "--out", ""),
    ],
)
def test_a_value_out_of_range(tmp_path, monkeypatch, capsys, command, option, value):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main([command, f"{option}={value}"])
    assert end.value.code == 2
    assert f"argument {option}: " in (text := capsys.readouterr().err)
    assert "expected a" in text
    assert not list(tmp_path.iterdir())


def test_a_file_in_the_place_of_the_directory(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["convergence", "--out", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err.startswith(f"--out {tmp_path / 'file'}: ")
