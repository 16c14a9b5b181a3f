"""Number of halvings from the image size to the smallest map."""

from __future__ import annotations

from typing import NamedTuple

SMALLEST = (4, 5, 6, 7)  # accepted sides of the smallest map, next to the fully connected layer


class Halving(NamedTuple):
    """Channels of an image, side of the smallest map, and number of doublings from it to the image."""

    channels: int
    smallest: int
    times: int


def square(sample_shape: tuple[int, ...], model: str) -> tuple[int, int]:
    """Return channels and side of a square image; `model` is the name in the error message.

    Raises:
        ValueError: the samples are not square images.
    """
    if len(sample_shape) != 3 or sample_shape[1] != sample_shape[2]:
        raise ValueError(f"{model} makes square images (C, H, H); samples of the data have shape {sample_shape}")
    return sample_shape[:2]


def halving(sample_shape: tuple[int, ...], model: str) -> Halving:
    """Return the number of halvings of a square image to a map of 4 to 7 pixels.

    Raises:
        ValueError: the samples are not square images, or their size is not supported.
    """
    channels, side = square(sample_shape, model)
    smallest, times = side, 0
    while smallest % 2 == 0 and smallest > max(SMALLEST):
        smallest, times = smallest // 2, times + 1
    if smallest not in SMALLEST or times == 0:
        raise ValueError(
            f"{model} makes images of 4 to 7 pixels doubled once or more, "
            f"such as 8, 16, 28, 32 and 64; samples of the data have shape {sample_shape}"
        )
    return Halving(channels, smallest, times)
