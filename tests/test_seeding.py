"""Named random streams."""

from __future__ import annotations

import torch

from gansweep.seeding import Streams


def numbers(streams: Streams, name: str, count: int = 4) -> list[float]:
    return torch.rand(count, generator=streams[name]).tolist()


def test_the_seed_of_a_stream_does_not_change():
    """With another hash, earlier runs could not be repeated."""
    assert Streams(0)["order"].initial_seed() == 5231958647509549229


def test_names_and_seeds_give_different_streams():
    values = {
        tuple(numbers(Streams(seed), name)) for seed in (0, 1, 2**40, -1) for name in ("a", "b", "init/generator")
    }
    assert len(values) == 12


def test_seed_and_name_are_separated_in_the_hash():
    assert numbers(Streams(1), "1/a") != numbers(Streams(11), "/a")
    assert numbers(Streams(1), "2") != numbers(Streams(12), "")


def test_drawing_from_a_stream_does_not_change_the_others():
    used, unused = Streams(3), Streams(3)
    numbers(used, "latents", 100)
    assert numbers(used, "order") == numbers(unused, "order")
