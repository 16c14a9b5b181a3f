"""Mistakes: a damped buffer, a rate that moves the buffer, a formula of the wrong root."""

from __future__ import annotations

import pytest
import torch

from gansweep.optimizers.adam import Adam
from gansweep.optimizers.sgd import SGD
from gansweep.quadratic.closed_form import best_heavy_ball, best_rate, gradient_descent, momentum, roots
from gansweep.quadratic.comparison import markdown, rows
from gansweep.quadratic.paths import height, paths


@pytest.mark.parametrize(
    ("eps", "eta", "r", "x", "y"),
    [
        (0.01, 1.0, 100, 0.3660323413, 0.0),
        (0.01, 1.9, 100, 0.1468590579, 2.656139889e-5),
        (0.01, best_rate(0.01), 100, 0.1353262606, 0.1353262606),
        (0.001, 1.9, 1000, 0.1492985495, 1.747871e-46),
        (0.1, 1.5, 50, 2.957646638e-4, 8.881784e-16),
    ],
)
def test_gradient_descent_to_the_printed_digits(eps, eta, r, x, y):
    by_formula = gradient_descent(eps, eta, r), gradient_descent(1.0, eta, r)
    trained = paths(SGD(), [eta], eps, r)[0, -1].tolist()
    assert by_formula == pytest.approx([x, y], rel=1e-6, abs=1e-300)
    assert trained == pytest.approx(by_formula, rel=1e-9, abs=1e-300)


def test_momentum_by_formula_is_momentum_step_by_step():
    for eta, mu in ((0.1, 0.9), (0.1, 0.0), best_heavy_ball(0.01), (1.0, 0.5)):
        path = paths(SGD(momentum=mu), [eta], 0.01, 100)[0]
        for r in (0, 1, 2, 3, 10, 100):
            expected = [momentum(lam, eta, mu, r) for lam in (0.01, 1.0)]
            # at the double root the formula that divides by the difference would have half the digits
            assert path[r].tolist() == pytest.approx(expected, rel=1e-7, abs=1e-12)
    printed = {1: (0.999, 0.9), 2: (0.997101, 0.72), 3: (0.994394799, 0.486), 10: (0.9589790578, -0.5887893888)}
    for r, expected in printed.items():
        assert [momentum(lam, 0.1, 0.9, r) for lam in (0.01, 1.0)] == pytest.approx(expected, abs=1e-10)


def test_roots_and_the_best_heavy_ball():
    assert [z.real for z in roots(0.01, 0.1, 0.9)] == pytest.approx([0.9888732, 0.9101268], abs=1e-7)
    assert roots(1.0, 0.1, 0.9)[0] == pytest.approx(0.9 + 0.3j)
    eta, mu = best_heavy_ball(0.01)
    assert (mu, eta) == pytest.approx((0.6694215, 3.3057851), abs=1e-7)
    for lam in (0.01, 1.0):
        assert max(abs(z) for z in roots(lam, eta, mu)) == pytest.approx(0.8181818, abs=1e-6)


def test_rates_side_by_side_are_the_rates_alone():
    together = paths(Adam(), [0.1, 0.01, 0.3], 0.01, 50)
    for k, rate in enumerate((0.1, 0.01, 0.3)):
        assert torch.equal(together[k], paths(Adam(), [rate], 0.01, 50)[0])
    assert height(together[:, 0], 0.01).tolist() == [0.505] * 3


def test_the_table_agrees_with_the_closed_forms():
    found = list(rows())
    assert {row.rule for row in found} == {"gradient descent", "momentum", "Adam"}
    assert max(row.error for row in found if row.rule != "Adam") < 1e-14
    assert max(row.error for row in found) < 5e-9  # Adam's numbers have eight digits
    assert "0.3686285999, 0.003738733311 | 0.3686285999" in markdown(found)


def test_the_command_writes_a_table_and_a_picture(tmp_path, capsys):
    from gansweep.quadratic.__main__ import main

    main(["--out", str(tmp_path / "q"), "--steps", "20"])
    assert (tmp_path / "q" / "quadratic.png").stat().st_size > 20_000
    assert (tmp_path / "q" / "quadratic.md").read_text().strip() in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--eps", "0"])
