"""Mistakes: a torn file that is read, another key's file that is taken, a cache that must be writable."""

from __future__ import annotations

import numpy as np
import pytest

from gansweep.metrics import cache

KEY = {"data": "abc", "n": 5}


def only_file(folder):
    (path,) = folder.iterdir()
    return path


def test_what_is_kept_comes_back_from_the_folder():
    assert cache.recall(KEY) is None
    cache.keep(KEY, {"mean": np.arange(3.0), "count": 7})
    cache.forget()
    found = cache.recall(KEY)
    assert found is not None
    assert found["mean"].tolist() == [0, 1, 2]
    assert int(found["count"]) == 7
    assert cache.recall(KEY | {"n": 6}) is None


@pytest.mark.parametrize(
    "tear", [lambda b: b[:-20], lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"no archive"]
)
def test_a_torn_file_is_not_read_and_is_replaced(own_cache, tear):
    cache.keep(KEY, {"mean": np.arange(300.0)})
    path = only_file(own_cache)
    path.write_bytes(tear(path.read_bytes()))
    cache.forget()
    assert cache.recall(KEY) is None
    cache.keep(KEY, {"mean": np.ones(2)})
    cache.forget()
    found = cache.recall(KEY)
    assert found is not None
    assert found["mean"].tolist() == [1, 1]


def test_a_flipped_bit_is_noticed(own_cache):
    cache.keep(KEY, {"mean": np.zeros(300)})
    path = only_file(own_cache)
    content = bytearray(path.read_bytes())
    content[content.index(bytes(800)) + 400] ^= 1
    path.write_bytes(content)
    cache.forget()
    assert cache.recall(KEY) is None


def test_the_file_of_another_key_is_not_taken(own_cache):
    cache.keep(KEY, {"mean": np.zeros(3)})
    mine = only_file(own_cache)
    cache.keep({"data": "other"}, {"mean": np.ones(3)})
    (other,) = [path for path in own_cache.iterdir() if path != mine]
    mine.write_bytes(other.read_bytes())
    cache.forget()
    assert cache.recall(KEY) is None


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GANSWEEP_CACHE", str(tmp_path / "file" / "cache"))
    cache.keep(KEY, {"mean": np.zeros(3)})
    assert cache.recall(KEY) is not None
    cache.forget()
    assert cache.recall(KEY) is None


def test_nothing_unfinished_is_left(own_cache, monkeypatch):
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
