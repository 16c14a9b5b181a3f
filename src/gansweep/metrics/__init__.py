"""Metrics of generated samples; here, which of them accept samples of a given shape."""

from __future__ import annotations

POINTS = ("wasserstein1", "sliced_wasserstein1")  # (2,); mode_coverage also requires modes
GREY = ("digits", "mnist", "kid_digits", "kid_mnist", "fd_infinity", "coverage", "inception_score")  # (1, H, W)
IMAGES = ("inception", "kid_inception", "epfl", "inception_score_imagenet", "thumbnail")  # (1 or 3, H, W)
TEXTURES = ("kid_texture",)  # (1 or 3, H, W) not smaller than a filter of texture_features
LEAST_SIDE = 15


def suggested_metrics(sample_shape: tuple[int, ...]) -> str:
    """Return a sentence that lists the metrics for samples of this shape.

    >>> suggested_metrics((2,)), suggested_metrics((3, 32, 32))[:36]
    ('choose metric=wasserstein1 or sliced_wasserstein1', 'choose metric=inception, kid_incepti')
    """
    names = _names(sample_shape)
    if not names:
        return "expected points (2,), or images (C, H, W) of 1 or 3 channels"
    return f"choose metric={', '.join(names[:-1])} or {names[-1]}"


def check_images(network: str, sample_shape: tuple[int, ...]) -> None:
    """Raise ValueError unless samples are images of 1 or 3 channels, which the named feature network reads."""
    if len(sample_shape) != 3 or sample_shape[0] not in (1, 3):
        raise ValueError(
            f"the network {network} reads images (C, H, W), these samples are {sample_shape}: "
            f"{suggested_metrics(sample_shape)}"
        )


def _names(sample_shape: tuple[int, ...]) -> tuple[str, ...]:
    match sample_shape:
        case (_,):
            return POINTS
        case (1 | 3 as channels, *sides) if len(sides) == 2:
            textures = TEXTURES if min(sides) >= LEAST_SIDE else ()
            return (GREY if channels == 1 else ()) + IMAGES + textures
    return ()
