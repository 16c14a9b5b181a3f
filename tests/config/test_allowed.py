"""What a configuration may reach."""

from __future__ import annotations

import pytest

from gansweep.config.allowed import NotAllowed, locate
from gansweep.optimizers.adam import Adam


def test_a_class_of_gansweep_is_found():
    assert locate("gansweep.optimizers.adam.Adam") is Adam


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "builtins.eval",
        "gansweepish.Thing",
        "gansweep.training.atomic.os.system",  # what a module imports is not the module's
        "gansweep.training.atomic.Path",
        "gansweep.training.atomic.write",  # a function
        "gansweep.optimizers.adam.Adams",
        "gansweep.no.such.Thing",
        "gansweep",
        "",
        None,
        3,
    ],
)
def test_anything_else_is_refused(target):
    with pytest.raises(NotAllowed):
        locate(target)


def test_a_module_that_is_not_allowed_is_not_even_imported(tmp_path, monkeypatch):
    (tmp_path / "burns.py").write_text("raise RuntimeError('was imported')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(NotAllowed, match=r"allow=\[burns\]"):
        locate("burns.Thing")


def test_the_user_allows_modules_of_their_own(tmp_path, monkeypatch):
    for name in ("mine_allowed", "mine_allowed_too"):
        (tmp_path / f"{name}.py").write_text("class Thing: pass")
    monkeypatch.syspath_prepend(tmp_path)
    assert locate("mine_allowed.Thing", ["mine_allowed"]).__name__ == "Thing"
    with pytest.raises(NotAllowed):
        locate("mine_allowed_too.Thing", ["mine_allowed"])
