"""Hashes of edited code and of the user's code."""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
import os
import runpy
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from gansweep import code_identity
from gansweep.code_identity import code_of

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = {"optimizer": {"_target_": "gansweep.optimizers.adam.Adam"}}
CONFIG = {"allow": ["mine"], "optimizer": {"_target_": "mine.rules.Rule", "of": {"name": "mine.inner.Inner"}}}
FILES = {
    "mine/__init__.py": "",
    "mine/rules.py": "from .shared import scale\nclass Rule:\n    lr = scale\n",
    "mine/shared.py": "import helpers\nscale = 1\n",
    "mine/inner.py": "class Inner:\n    def f(self):\n        from mine import late\n",
    "mine/late.py": "x = 1\n",
    "mine/unused.py": "x = 1\n",
    "helpers.py": "import numpy\n",
}


def forget() -> None:
    for function in vars(code_identity).values():
        if hasattr(function, "cache_clear"):
            function.cache_clear()
    importlib.invalidate_caches()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    forget()
    yield tmp_path
    forget()


def code(config) -> dict[str, str]:
    forget()
    return code_of(config)


def test_the_list_of_released_code_is_up_to_date():
    script = runpy.run_path(str(ROOT / "scripts/released_code.py"))
    listed = json.loads(code_identity.RELEASED.read_text())
    now = script["hashes"]()
    changed = [
        name for name in {**listed, **now} if listed.get(name, "?").split()[:1] != now.get(name, "?").split()[:1]
    ]
    assert not changed, "run python scripts/released_code.py, and raise NUMERICS if numbers change"


def test_released_code_has_no_hash(folder):
    assert code(SHIPPED) == {}
    assert code({**SHIPPED, "allow": ["torch"], "x": {"name": "torch.optim.RAdam"}}) == {}


def test_modules_of_the_user_and_their_imports_have_hashes(folder):
    assert set(code(CONFIG)) == {"mine", "mine.rules", "mine.shared", "mine.inner", "mine.late", "helpers"}


@pytest.mark.parametrize("name", [name for name in FILES if name not in ("mine/unused.py", "mine/__init__.py")])
def test_an_edit_changes_the_hash(folder, name):
    before = code(CONFIG)
    (folder / name).write_text('"""Doc."""\n' + FILES[name] + "\n# a comment\n")
    assert code(CONFIG) == before
    (folder / name).write_text(FILES[name] + "y = 2\n")
    after = code(CONFIG)
    assert [key for key in before if before[key] != after[key]] == [name.removesuffix(".py").replace("/", ".")]


@pytest.mark.parametrize("statement", ["from mine.stars import *", "def f():\n    import space.inner.code"])
def test_star_imports_and_namespace_packages_are_included(folder, statement):
    for name, text in {"mine/stars/__init__.py": "__all__ = ['code']", "mine/stars/code.py": ""}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "space/inner").mkdir(parents=True)
    (folder / "space/inner/code.py").write_text("")
    (folder / "mine/late.py").write_text(statement)
    assert {"mine.stars.code", "space.inner.code"} & set(code(CONFIG))


def test_modules_in_an_archive_are_included(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path / "mine.zip")
    found = []
    for text in ("x = 1", "x = 2"):
        with zipfile.ZipFile(tmp_path / "mine.zip", "w") as archive:
            archive.writestr("zipped/rules.py", "from zipped import shared\nclass Rule: ...")
            archive.writestr("zipped/__init__.py", "")
            archive.writestr("zipped/shared.py", text)
        sys.path_importer_cache.clear()
        found.append(code({"allow": ["zipped"], "optimizer": {"_target_": "zipped.rules.Rule"}}))
    assert set(found[0]) == {"zipped", "zipped.rules", "zipped.shared"}
    assert found[0] != found[1]
    forget()


def test_modules_that_are_not_imported_are_excluded(folder):
    before = code(CONFIG)
    (folder / "mine/unused.py").write_text("x = (")
    assert code(CONFIG) == before


def test_another_process_in_another_directory_computes_the_same_hashes(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(folder, elsewhere / "copy")
    program = (
        "import json, sys; from gansweep.code_identity import code_of;"
        "print(json.dumps(code_of(json.loads(sys.argv[1]))))"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(elsewhere / "copy"), str(ROOT / "src")])}
    found = subprocess.run(
        [sys.executable, "-c", program, json.dumps(CONFIG)], env=env, cwd=elsewhere, capture_output=True, check=True
    )
    assert json.loads(found.stdout) == code(CONFIG)


def test_nothing_is_executed(folder):
    (folder / "mine/late.py").write_text("raise RuntimeError\n")
    (folder / "mine/__init__.py").write_text("raise RuntimeError\n")
    assert "mine.late" in code(CONFIG)


def test_an_edited_module_of_gansweep_is_included_if_it_is_imported(folder, monkeypatch):
    names = [
        "gansweep.optimizers.adam",
        "gansweep.optimizers.mine",
        "gansweep.optimizers.adamw",
        "gansweep.layers.linear",
    ]
    monkeypatch.setattr(code_identity, "edited", lambda: {name: name[-4:] for name in names})
    every_training = {"gansweep.layers.linear": "near"}
    assert code_of({}) == every_training
    assert code_of({"model": {"_target_": "gansweep.models.mlp.MLP"}}) == every_training
    adam = {"gansweep.optimizers.adam": "adam"}
    assert code_of(SHIPPED) == adam | every_training
    adamw = {"optimizer": {"_target_": "gansweep.optimizers.adamw.AdamW"}}
    assert code_of(adamw) == adam | {"gansweep.optimizers.adamw": "damw"} | every_training


def test_a_file_of_gansweep_is_compared_with_the_release(folder, monkeypatch):
    listed = dict(code_identity.released())
    del listed["gansweep.optimizers.lion"]  # as if it were added
    listed["gansweep.batched.pack"] = "0 0"
    listed["gansweep.optimizers.adam"] = listed["gansweep.optimizers.adam"].split()[0] + " 0"  # a comment was edited
    monkeypatch.setattr(code_identity, "released", lambda: listed)
    assert set(code_identity.edited()) == {"gansweep.optimizers.lion", "gansweep.batched.pack"}
    assert set(code_of(SHIPPED)) == {"gansweep.batched.pack"}
    assert set(code_of({"optimizer": {"_target_": "gansweep.optimizers.lion.Lion"}})) == {
        "gansweep.batched.pack",
        "gansweep.optimizers.lion",
    }


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install a release of `mine` as pip does."""
    site = tmp_path / "site-packages"
    lines = []
    for name, text in FILES.items():
        (site / name).parent.mkdir(exist_ok=True, parents=True)
        (site / name).write_text(text)
        hash_ = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={hash_},{len(text)}")
    about = site / "my_package-1.2.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.2\n")
    (about / "RECORD").write_text("\n".join([*lines, "my_package-1.2.dist-info/METADATA,,"]) + "\n")
    monkeypatch.syspath_prepend(site)
    yield site
    forget()


def test_an_installed_package_is_represented_by_its_version_unless_edited(installed):
    assert code(CONFIG) == {"mine": "my-package==1.2"}
    (installed / "mine/late.py").write_text("x = 2\n")
    assert set(code(CONFIG)) == {"mine", "mine.rules", "mine.shared", "mine.inner", "mine.late"}
    assert not any("==" in hash_ for hash_ in code(CONFIG).values())
