"""Named random streams, derived from a member's seed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch


class Streams:
    """Named random streams of one member.

        digest of a name = sha256("<seed>/<name>")
        key of a name = last 16 bytes of the digest, for the numbers of the training steps (`batched.philox`)
        generator of a name = torch.Generator seeded with the first 63 bits, for all others, such as parameters

    The streams are independent: the number of draws from one stream does not affect the others,
    so enabling a penalty does not change the data order.

    >>> a, b = Streams(0), Streams(0)
    >>> _ = torch.rand(3, generator=a["evaluation"])
    >>> torch.equal(torch.rand(1, generator=a["init/generator"]), torch.rand(1, generator=b["init/generator"]))
    True

    Args:
        seed: the member's seed.
        device: where generators draw. CPU and CUDA generators draw different numbers.
        under: prefix of every name, for a separate set of streams with the same names.
        seeds: other seeds for the streams whose names begin with a word and a slash, or are that word:
            `init` for initial parameters, `order` for the order of the data.
    """

    def __init__(
        self,
        seed: int,
        device: torch.device | str = "cpu",
        under: str = "",
        seeds: Mapping[str, int] | None = None,
    ) -> None:
        self.seed, self.device, self.under, self.seeds = seed, torch.device(device), under, seeds or {}
        self._generators: dict[str, torch.Generator] = {}

    def __getitem__(self, name: str) -> torch.Generator:
        if name not in self._generators:
            generator = torch.Generator(self.device)
            generator.manual_seed(int.from_bytes(self._digest(name)[:8], "big") >> 1)
            self._generators[name] = generator
        return self._generators[name]

    def key(self, name: str) -> tuple[int, int]:
        """Return the key of a name, two unsigned integers of 64 bits."""
        digest = self._digest(name)
        return int.from_bytes(digest[16:24], "big"), int.from_bytes(digest[24:], "big")

    def _digest(self, name: str) -> bytes:
        seed = self.seeds.get(name.partition("/")[0], self.seed)
        return hashlib.sha256(f"{seed}/{self.under}{name}".encode()).digest()
