"""Named random streams."""

from __future__ import annotations

import torch

from gansweep.seeding import Streams


def numbers(streams: Streams, name: str, count: int = 4) -> list[float]:
    return torch.rand(count, generator=streams[name]).tolist()


def test_the_seed_of_a_stream_does_not_change():
    """With another hash, earlier runs could not be repeated."""
    assert Streams(0)["order"].initial_seed() == 5231958647509549229
    assert Streams(0).key("order") == (9058530940691550469, 11232348440696251990)


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


def test_keys_are_those_of_seed_name_and_prefix():
    keys = {Streams(seed, under=under).key(name) for seed in (0, 1) for under in ("", "a/") for name in ("b", "order")}
    assert len(keys) == 8


def test_parameters_data_order_and_noise_can_have_seeds_of_their_own():
    separate = Streams(1, seeds={"init": 2, "order": 3})
    assert numbers(separate, "init/generator") == numbers(Streams(2), "init/generator")
    assert separate.key("order") == Streams(3).key("order")
    assert separate.key("latents") == Streams(1).key("latents")
    assert Streams(1, seeds={"init": 1, "order": 1}).key("order") == Streams(1).key("order")
