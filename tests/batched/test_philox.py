"""Philox4x64-10 by numpy, by operations of PyTorch and by the Triton kernel."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from gansweep import device as devices
from gansweep.batched.philox import DeviceWords, HostWords, kernel, philox, words_of

CPU = torch.device("cpu")
KEYS = [(0, 0), (2**64 - 1, 5), (0x123456789ABCDEF0, 2**63)]
DONE, SIZES = [0, 7, 2**40], [3, 1, 70]
# kat_vectors of Random123 for philox4x64 with 10 rounds: counter, key, words
KNOWN = [
    (
        (0, 0, 0, 0),
        (0, 0),
        (0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B),
    ),
    (
        (2**64 - 1,) * 4,
        (2**64 - 1,) * 2,
        (0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0),
    ),
    (
        (0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89),
        (0x452821E638D01377, 0xBE5466CF34E90C6C),
        (0xA528F45403E61D95, 0x38C72DBD566E9788, 0xA5A1610E72FD18B5, 0x57BD43B5E52B7FE6),
    ),
]


def signed(*words):
    return torch.from_numpy(np.array(words, dtype=np.uint64).view(np.int64))


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_known_answers(counter, key, words):
    """The fourth word of our counters is 0, so that only the first vector can be one of ours."""
    before = (sum(word << 64 * n for n, word in enumerate(counter)) - 1) % 2**256
    start = [before >> 64 * n & (2**64 - 1) for n in range(4)]
    bits = np.random.Philox(key=np.array(key, dtype=np.uint64), counter=np.array(start, dtype=np.uint64))
    assert tuple(int(word) for word in bits.random_raw(4)) == words
    c0, c1, c2, c3 = signed(*counter).unbind()
    if not c3:
        assert torch.equal(philox(signed(*key)[None], c1[None], c0[None], c2[None])[0, 0], signed(*words))


def test_words_are_those_of_numpy_in_one_line():
    words = words_of([(1, 2)], [1] * 6 + [2], CPU)([5], torch.tensor([5]), slice(6, 7))
    expected = np.random.Philox(key=np.array([1, 2], dtype=np.uint64), counter=[0, 5, 6, 0]).random_raw(8)
    assert torch.equal(words[0], torch.from_numpy(expected.view(np.int64)))


@pytest.mark.parametrize("pieces", [slice(None), slice(1, 3), slice(0, 1)], ids=str)
@pytest.mark.parametrize("rows", [slice(None), slice(1, 3)], ids=str)
def test_operations_of_torch_equal_numpy(pieces, rows):
    step = torch.tensor(DONE)
    host, device = HostWords(KEYS, SIZES, CPU), DeviceWords(KEYS, SIZES, CPU)
    words = host(DONE[rows], step[rows], pieces, rows)
    assert words.shape == (len(DONE[rows]), 4 * sum(SIZES[pieces]))
    assert torch.equal(device(DONE[rows], step[rows], pieces, rows), words)


def test_words_depend_on_member_step_and_piece():
    words = HostWords(KEYS, [1, 1], CPU)
    drawn = torch.stack([words([at] * 3, torch.full((3,), at), slice(None)) for at in range(3)])
    assert len(drawn.unique()) == drawn.numel() == 3 * 3 * 8


INTERPRETED = """
import torch
from tests.batched.test_philox import CPU, DONE, KEYS, SIZES, DeviceWords, HostWords
from gansweep.batched.philox_triton import philox_triton
device, step = DeviceWords(KEYS, SIZES, CPU), torch.tensor(DONE)
device.compute = philox_triton
for pieces in (slice(None), slice(1, 3)):
    assert torch.equal(device(DONE, step, pieces), HostWords(KEYS, SIZES, CPU)(DONE, step, pieces))
print("equal")
"""


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="Triton is not installed")
def test_the_triton_kernel_equals_numpy_in_tritons_interpreter():
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    line = [sys.executable, "-c", INTERPRETED]
    finished = subprocess.run(line, capture_output=True, text=True, env=environment, check=False)
    assert finished.stdout == "equal\n", finished.stderr


@pytest.mark.gpu
@pytest.mark.parametrize("sizes", [[1], SIZES, [100_000, 3]], ids=str)
def test_on_a_gpu_one_kernel_equals_numpy(sizes):
    pytest.importorskip("triton")
    device = devices.resolve("cuda")
    assert kernel(device) is not philox
    words = words_of(KEYS, sizes, device)(DONE, torch.tensor(DONE, device=device), slice(None))
    assert torch.equal(words.cpu(), HostWords(KEYS, sizes, CPU)(DONE, torch.tensor(DONE), slice(None)))
