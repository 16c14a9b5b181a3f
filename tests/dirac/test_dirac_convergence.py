"""The nine rows by measurement, and the atlas against eigenvalues."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from gansweep.dirac import atlas, convergence
from gansweep.dirac.__main__ import main
from gansweep.dirac.atlas import ATLAS, GAMMA, RATE, Sheet
from gansweep.dirac.convergence import ROWS, markdown, measure
from gansweep.dirac.descent import Alternating, Simultaneous, pair
from gansweep.dirac.fields.gan import GAN
from gansweep.dirac.fields.r1 import R1
from gansweep.dirac.fields.wgan import WGAN
from gansweep.dirac.rules.adam import Adam


@pytest.fixture(scope="module")
def rows():
    """At larger rates it takes fewer steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convergence, "RATES", np.array([0.2, 0.3]))
        return convergence.measured_rows(num_steps=600)


def test_measured_is_printed_but_for_one(rows):
    """DRAGAN's tick needs a discriminator that is not flat at the equilibrium; there is none."""
    differing = []
    for general, on_points, _, between in rows:
        assert on_points.converges is general.converges.general
        if between.converges is not general.converges.absolutely_continuous:
            differing.append(general.label)
    assert differing == ["DRAGAN"]


def test_measured_factors_are_the_moduli(rows):
    for general, on_points, smooth, between in rows:
        for field, found in ((general, on_points), (smooth, between)):
            if found.by_eigenvalues:
                np.testing.assert_allclose(found.factor, found.predicted, atol=6e-3, err_msg=repr(field))


def test_rows_are_the_papers():
    printed = [tuple(general.converges) for general, _ in ROWS]
    assert printed == [(True, False), (False, False), (False, False), (True, False)] + [(True, True)] * 5


def test_the_table_shows_both(rows):
    lines = markdown(rows).splitlines()
    assert len(lines) == 11
    assert lines[2].startswith("| unregularised | yes | yes | -0.25 |")
    assert lines[2].endswith("| yes |")
    assert [line.split("|")[1].strip() for line in lines[2:] if "no: a.c." in line] == ["DRAGAN"]


def test_a_verdict_needs_both_halves():
    """After ten steps nothing has shrunk, whatever the eigenvalues say."""
    assert measure(R1(0.3), num_steps=10).converges is None
    assert measure(WGAN(), num_steps=10).converges is False


@pytest.mark.parametrize("figure", ATLAS)
def test_played_factors_are_the_moduli(figure):
    for sheet in ATLAS[figure][1]():
        x, y = sheet.points(9, 8)
        played, largest = sheet.measure(x, y, num_steps=150), sheet.largest_modulus(x, y)
        assert played.shape == x.shape
        if largest is None or figure == "basin":
            continue
        decades = np.log10(largest)
        clear = np.abs(decades) > 0.02
        assert ((played < 0) == (decades < 0))[clear].all(), sheet.title
        gentle = (decades < 0) & (decades > -0.2)
        np.testing.assert_allclose(played[gentle], decades[gentle], atol=0.02, err_msg=sheet.title)


def test_blocks_do_not_show(monkeypatch):
    sheet = Sheet("", RATE, GAMMA, lambda x, y: (R1(y), Alternating(), x))
    x, y = sheet.points(9, 5)
    whole = sheet.measure(x, y, num_steps=5)
    monkeypatch.setattr(atlas, "BLOCK", 7)
    np.testing.assert_allclose(sheet.measure(x, y, num_steps=5), whole, rtol=1e-12)


def test_single_precision_says_the_same():
    sheet = Sheet("", RATE, GAMMA, lambda x, y: (R1(y), Alternating(), (x, 2 * x)))
    x, y = sheet.points(9, 8)
    single, double = (sheet.measure(x, y, 50, dtype=dtype) for dtype in (np.float32, np.float64))
    np.testing.assert_array_equal(single < 0, double < 0)
    reached = np.isfinite(single) & (double < 0) & (double > -0.5)
    np.testing.assert_allclose(single[reached], double[reached], atol=1e-4)
    assert (single != double).any()


def test_circling_with_unequal_rates_has_a_factor_of_one():
    sheet = Sheet("", RATE, GAMMA, lambda x, y: (GAN(), Alternating(), (x, y)))
    played = sheet.measure(np.full(1, 1e-3), np.array([0.1]), num_steps=333)
    assert abs(played[0]) < 5e-5


def test_a_sheet_without_a_matrix_has_no_boundary():
    sheet = Sheet("", RATE, GAMMA, lambda x, y: (R1(y), Simultaneous(Adam()), x))
    assert sheet.largest_modulus(*sheet.points(3, 3)) is None


def test_pair():
    assert pair(0.2) == (0.2, 0.2)
    assert pair((0.1, 0.2)) == (0.1, 0.2)


def test_command_of_the_eigenvalues(tmp_path, capsys):
    main(["eigenvalues", "--out", str(tmp_path)])
    told = capsys.readouterr().out
    assert "| `R1(gamma=0.3)` | -0.150000+0.476970j, -0.150000-0.476970j |" in told
    assert (tmp_path / "eigenvalues.png").stat().st_size > 10_000


def test_command_of_the_atlas(tmp_path, capsys):
    main(["atlas", "--out", str(tmp_path), "--sheets", "ratio", "--width", "12", "--steps", "20"])
    assert "ratio: 864 games of 20 steps" in capsys.readouterr().out
    assert (tmp_path / "atlas_ratio.png").stat().st_size > 10_000


def test_a_portrait(tmp_path):
    from gansweep.dirac.pictures import portraits

    portraits("simultaneous", Simultaneous(), 0.2, 5, tmp_path / "one.png")
    assert (tmp_path / "one.png").stat().st_size > 10_000


def test_an_animation_has_every_frame(tmp_path):
    from gansweep.plot_style import panels, save_gif

    figure, (axis,) = panels(1, 1, "", (1.0, 1.0))
    (line,) = axis.plot([0, 1], [0, 1])
    save_gif(figure, lambda frame: line.set_ydata([0, frame]), [0, 1, 2], tmp_path / "line.gif")
    with Image.open(tmp_path / "line.gif") as gif:
        assert gif.n_frames == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["atlas", "--width", "1"], "--width: 1: expected a whole number from 2 to 4000"),
        (["portraits", "--steps", "0"], "--steps: 0: expected a whole number from 1 to 1000000"),
    ],
)
def test_command_names_what_is_wrong(arguments, message, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--out", str(tmp_path)])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
