"""Division of parameter rows into chunks."""

from __future__ import annotations

import pytest
import torch
from tests.training.small import small_mlp

from gansweep.batched import parameter_chunks
from gansweep.batched.parameter_chunks import ALIGNMENT, Chunks
from gansweep.models.mlp import MLP

NETWORK = small_mlp().discriminator((1, 6, 6))
MODES = {"cached": {}, "whole": {"whole": True}, "aligned": {"aligned": True}}


def rows(count=3):
    return torch.arange(1.0, count * NETWORK.num_parameters + 1).view(count, -1)


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES.keys())
def test_join_is_the_inverse_of_divide(mode):
    division = Chunks(NETWORK, **mode)
    chunks = division.divide(rows())
    assert torch.equal(division.join(chunks), rows())
    assert torch.equal(division.join([chunk[1] for chunk in chunks]), rows()[1])
    for found, expected in zip(division.params(chunks), NETWORK.cut(rows()), strict=True):
        assert torch.equal(found, expected)
        assert found.untyped_storage().data_ptr() in {chunk.untyped_storage().data_ptr() for chunk in chunks}, "a copy"
    one = rows()[2]
    assert torch.equal(division.join_state(division.divide_state(one)), one)
    assert division.join_state(division.divide_state(torch.tensor(5.0))) == 5
    for slots, chunk in zip(division.slots, chunks, strict=True):
        assert sum(torch.Size(slot.shape).numel() for slot in slots) == chunk.shape[1]


def test_aligned_slots_begin_at_multiples():
    (chunk,) = Chunks(NETWORK, aligned=True).divide(rows())
    starts = [p.storage_offset() for p in Chunks(NETWORK, aligned=True).params([chunk])]
    assert [start % ALIGNMENT for start in starts] == [0] * len(starts)
    assert chunk.shape[1] % ALIGNMENT == 0


@pytest.mark.parametrize("most", [0, 24])
def test_gradients_of_an_aligned_chunk(most, monkeypatch):
    """Few are given as they are, many in one tensor."""
    monkeypatch.setattr(parameter_chunks, "MOST_PIECES", most)
    division = Chunks(NETWORK, aligned=True)
    of_slots = [part.flatten(1) for part in NETWORK.cut(rows())]
    pieces = division.gradients(of_slots)
    assert len(pieces) == (len(of_slots) if most else 1)
    (expected,) = division.divide(rows())
    assert torch.equal(parameter_chunks.concatenate_with_gaps(pieces, division.gaps_of(pieces)), expected)
    assert torch.equal(division.whole_gradients(pieces)[0], expected)


def test_a_large_slot_is_a_chunk():
    network = MLP().discriminator((1, 28, 28))
    assert [span.stop - span.start for span in Chunks(network).spans] == [1, 1, 1, 5]
