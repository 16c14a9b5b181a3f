"""Named random streams, derived from a member's seed."""

from __future__ import annotations

import hashlib

import torch


class Streams:
    """Named random streams of one member.

        generator of a name = torch.Generator seeded with sha256("<seed>/<name>")

    The streams are independent: the number of draws from one stream does not affect the others,
    so enabling a penalty does not change the data order.

    >>> a, b = Streams(0), Streams(0)
    >>> _ = torch.rand(3, generator=a["latents"])
    >>> torch.equal(torch.rand(1, generator=a["order"]), torch.rand(1, generator=b["order"]))
    True

    Args:
        seed: the member's seed.
        device: where the numbers are drawn. CPU and CUDA generators draw different numbers.
        under: prefix of every name, for a separate set of streams with the same names.
    """

    def __init__(self, seed: int, device: torch.device | str = "cpu", under: str = "") -> None:
        self.seed, self.device, self.under = seed, torch.device(device), under
        self._generators: dict[str, torch.Generator] = {}

    def __getitem__(self, name: str) -> torch.Generator:
        if name not in self._generators:
            digest = hashlib.sha256(f"{self.seed}/{self.under}{name}".encode()).digest()
            generator = torch.Generator(self.device)
            generator.manual_seed(int.from_bytes(digest[:8], "big") >> 1)
            self._generators[name] = generator
        return self._generators[name]
