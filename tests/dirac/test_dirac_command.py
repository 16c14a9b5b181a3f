"""python -m gansweep.dirac: its tables and figures, and arguments out of range."""

from __future__ import annotations

import pytest
from PIL import Image

from gansweep.dirac.__main__ import main
from gansweep.dirac.descent import Simultaneous
from gansweep.dirac.pictures import portraits
from gansweep.plot_style import panels, save_gif


def test_eigenvalues(tmp_path, capsys):
    main(["eigenvalues", "--out", str(tmp_path)])
    printed = capsys.readouterr().out
    assert "| `R1(gamma=0.3)` | -0.150000+0.476970j, -0.150000-0.476970j |" in printed
    assert (tmp_path / "eigenvalues.png").stat().st_size > 10_000


def test_atlas(tmp_path, capsys):
    main(["atlas", "--out", str(tmp_path), "--sheets", "ratio", "--width", "12", "--steps", "20"])
    assert "ratio: 864 games of 20 steps" in capsys.readouterr().out
    assert (tmp_path / "atlas_ratio.png").stat().st_size > 10_000


def test_a_portrait(tmp_path):
    portraits("simultaneous", Simultaneous(), 0.2, 5, tmp_path / "portrait.png")
    assert (tmp_path / "portrait.png").stat().st_size > 10_000


def test_an_animation_has_all_frames(tmp_path):
    figure, (axis,) = panels(1, 1, "", (1.0, 1.0))
    (line,) = axis.plot([0, 1], [0, 1])
    save_gif(figure, lambda frame: line.set_ydata([0, frame]), [0, 1, 2], tmp_path / "line.gif")
    with Image.open(tmp_path / "line.gif") as gif:
        assert gif.n_frames == 3


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
def test_a_value_out_of_range_is_refused_first(tmp_path, monkeypatch, capsys, command, option, value):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as error:
        main([command, f"{option}={value}"])
    assert error.value.code == 2
    text = capsys.readouterr().err
    assert f"argument {option}: " in text
    assert "expected a" in text
    assert not list(tmp_path.iterdir())


def test_out_must_not_be_a_file(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["convergence", "--out", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err.startswith(f"--out {tmp_path / 'file'}: ")
