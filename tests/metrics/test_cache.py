"""Cache.

Mistakes: a truncated file is read, the file of another key is used, the folder must be writable.
"""

from __future__ import annotations

import numpy as np
import pytest

from gansweep.metrics import cache

KEY = {"data": "abc", "n": 5}


def only_file(folder):
    (path,) = folder.iterdir()
    return path


def test_stored_arrays_are_read_from_disk():
    assert cache.recall(KEY) is None
    cache.keep(KEY, {"mean": np.arange(3.0), "count": 7})
    cache.forget()
    arrays = cache.recall(KEY)
    assert arrays is not None
    assert arrays["mean"].tolist() == [0, 1, 2]
    assert int(arrays["count"]) == 7
    assert cache.recall(KEY | {"n": 6}) is None


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-20], lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"no archive"]
)
def test_damaged_file_is_replaced(own_cache, damage):
    cache.keep(KEY, {"mean": np.arange(300.0)})
    path = only_file(own_cache)
    path.write_bytes(damage(path.read_bytes()))
    cache.forget()
    assert cache.recall(KEY) is None
    cache.keep(KEY, {"mean": np.ones(2)})
    cache.forget()
    arrays = cache.recall(KEY)
    assert arrays is not None
    assert arrays["mean"].tolist() == [1, 1]


def test_flipped_bit_is_detected(own_cache):
    cache.keep(KEY, {"mean": np.zeros(300)})
    path = only_file(own_cache)
    content = bytearray(path.read_bytes())
    content[content.index(bytes(800)) + 400] ^= 1
    path.write_bytes(content)
    cache.forget()
    assert cache.recall(KEY) is None


def test_file_of_another_key_is_not_used(own_cache):
    cache.keep(KEY, {"mean": np.zeros(3)})
    mine = only_file(own_cache)
    cache.keep({"data": "other"}, {"mean": np.ones(3)})
    (other,) = [path for path in own_cache.iterdir() if path != mine]
    mine.write_bytes(other.read_bytes())
    cache.forget()
    assert cache.recall(KEY) is None


def test_folder_that_is_not_writable(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GANSWEEP_CACHE", str(tmp_path / "file" / "cache"))
    cache.keep(KEY, {"mean": np.zeros(3)})
    assert cache.recall(KEY) is not None
    cache.forget()
    assert cache.recall(KEY) is None


def test_no_temporary_file_remains_after_a_failed_write(own_cache, monkeypatch):
    def full(*args, **kwargs):
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", full)
    cache.keep(KEY, {"mean": np.zeros(3)})
    assert list(own_cache.iterdir()) == []


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(cache, "BYTES_IN_MEMORY", 100)
    for n in range(30):
        cache.keep({"n": n}, {"value": np.full(5, n)})
    assert len(cache._memory) == 2
    assert cache._memory[cache._text({"n": 29})]["value"][0] == 29
