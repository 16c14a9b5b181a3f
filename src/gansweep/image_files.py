"""Reading of image files: selection in a folder, decoding, scaling of pixel values."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from gansweep.memory import available_bytes

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
# By their contents, whatever their suffixes. Not PostScript: Pillow runs Ghostscript, which
# executes it.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
MODES = {1: "L", 3: "RGB"}
EIGHT_BITS = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "LAB", "HSV"}
SIXTEEN_BITS = {"I;16", "I;16L", "I;16B", "I;16N"}
ACCEPTED = "expected 8 or 16 bits per channel, or floats in [0, 1]"
EXIF_ORIENTATION, TIFF_PHOTOMETRIC = 0x0112, 262
ERRORS = (
    *(OSError, SyntaxError, ValueError, EOFError, MemoryError),
    *(struct.error, zlib.error, Image.DecompressionBombError),
)


class LeftOut:
    """Skipped files and ignored file contents, counted by kind with one example of each."""

    def __init__(self) -> None:
        self._kinds: dict[str, list[str]] = {}

    def add(self, kind: str, name: str) -> None:
        """Count one more occurrence of a kind; `name` is the file."""
        self._kinds.setdefault(kind, []).append(name)

    def __str__(self) -> str:
        """Return a one-line summary, empty if nothing was skipped or ignored."""
        return "; ".join(f"{len(names)} {kind}, such as {min(names)}" for kind, names in sorted(self._kinds.items()))


class Picture(NamedTuple):
    """A decoded image.

    Args:
        pixels: (H, W, C) in 0 ... 255: uint8, or float32 where the file has more than 8 bits.
        left_out: descriptions of file contents that are not used.
    """

    pixels: np.ndarray
    left_out: tuple[str, ...]


def list_images(root: Path, left_out: LeftOut, *, recursive: bool, any_case: bool) -> list[Path]:
    """Return the image files in a folder, in no particular order.

    Symbolic links to files are followed, those to folders are not.

    Args:
        root: the folder.
        left_out: collects the files and folders that are not listed.
        recursive: include subfolders.
        any_case: accept suffixes in upper case as well.

    Raises:
        ValueError: the name of an image is not UTF-8.
    """
    images = []

    def unreadable(error: OSError) -> None:
        left_out.add("folders can't be read", printable(error.filename))

    for folder, folders, files in os.walk(root, onerror=unreadable):
        for name in [name for name in folders if not recursive or Path(folder, name).is_symlink()]:
            kind = "symbolic links to folders are not followed" if recursive else "folders are not entered"
            left_out.add(kind, printable(name))
        if not recursive:
            folders.clear()
        for path in (Path(folder, name) for name in files):
            suffix = path.suffix.lower() if any_case else path.suffix
            if suffix not in SUFFIXES or not path.is_file():
                left_out.add("files are not read as images", printable(path.name))
                continue
            if not _is_utf8(str(path)):
                raise ValueError(f"{printable(path)}: the name of the file is not UTF-8, rename it")
            images.append(path)
    return images


def read_image(path: Path, channels: int) -> Picture:
    """Decode the first frame of an image file.

    16-bit values are divided by 65535 / 255 and floats multiplied by 255, so that white is 255 in
    all files. Transparency is dropped, and an orientation in EXIF data is not applied.

    Args:
        path: the file.
        channels: 1 for grey or 3 for colour.

    Raises:
        ValueError: the file is damaged, not an image, or too large, or its values have no nominal range.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            width, height = image.size
            if width * height * channels > available_bytes():
                raise MemoryError(f"{width} x {height} pixels do not fit in memory")
            left_out = tuple(_unused(image))
            return Picture(_levels(image, channels), left_out)
    except ERRORS as error:
        reason = error if str(error) else type(error).__name__
        raise ValueError(f"{printable(path)} can't be read as a picture ({reason}): replace or remove it") from error


def is_deep(path: Path) -> bool:
    """Return True if an image file has more than 8 bits per channel and all of them are read."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            return image.mode not in EIGHT_BITS
    except ERRORS:
        return False  # reading the file raises the error


def resized_pixels(
    pixels: np.ndarray, size: tuple[int, int], box: tuple[int, int, int, int] | None = None
) -> np.ndarray:
    """Resize pixels (H, W, C) bilinearly, with anti-aliasing.

    Args:
        pixels: (H, W, C), uint8 or float32.
        size: width and height of the result.
        box: left, upper, right and lower edge of the region to resize; None for the whole image.
    """
    if pixels.dtype == np.uint8:
        image = Image.fromarray(pixels if pixels.shape[2] > 1 else pixels[..., 0])
        return np.array(image.resize(size, Image.Resampling.BILINEAR, box)).reshape(size[1], size[0], -1)
    channels = [Image.fromarray(np.ascontiguousarray(channel)) for channel in np.moveaxis(pixels, 2, 0)]
    resized_channels = [np.asarray(channel.resize(size, Image.Resampling.BILINEAR, box)) for channel in channels]
    return np.stack(resized_channels, 2).clip(0, 255)  # averages leave the range only by rounding errors


def printable(path: Path | str) -> str:
    r"""Return a path as printable text; bytes that are not UTF-8 are escaped, such as \xff."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _raw_mode(image: Image.Image) -> str:
    """Return the raw mode of the pixels in the file, such as `RGB;16B`."""
    for _, _, _, arguments in getattr(image, "tile", ())[:1]:
        return str(arguments[0] if isinstance(arguments, tuple) and arguments else arguments)
    return ""


def _unused(image: Image.Image) -> Iterator[str]:
    """Yield descriptions of file contents that are not used. Call it before the pixels are loaded."""
    if image.mode in EIGHT_BITS and ";16" in _raw_mode(image):
        yield "images have 16 bits per colour channel, of which the upper 8 are read"
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        yield "images have transparency, which is dropped"
    if image.getexif().get(EXIF_ORIENTATION, 1) != 1:
        yield "images have an EXIF orientation, which is not applied"
    if getattr(image, "n_frames", 1) > 1:
        yield "images have several frames, of which the first is read"


def _levels(image: Image.Image, channels: int) -> np.ndarray:
    """Return the pixels (H, W, channels) in 0 ... 255."""
    if image.mode in EIGHT_BITS:
        pixels = np.array(image.convert(MODES[channels]))
        return pixels.reshape(*pixels.shape[:2], channels)
    raw, tags = _raw_mode(image), getattr(image, "tag_v2", {})
    sixteen = image.mode in SIXTEEN_BITS or (image.mode == "I" and image.format in ("PNG", "PPM"))
    if tags.get(TIFF_PHOTOMETRIC) == 0:
        raise ValueError(f"0 is white and its mode is {image.mode}; {ACCEPTED}, with 0 for black")
    if sixteen and "12" not in raw:
        levels = np.asarray(image).astype(np.float32) / np.float32(257)
    elif image.mode == "F":
        values = np.asarray(image)
        if not (values.min() >= 0 and values.max() <= 1):
            raise ValueError(f"its values are floats from {values.min():g} to {values.max():g}; {ACCEPTED}")
        levels = values * np.float32(255)
    else:
        raise ValueError(f"its mode is {raw if '12' in raw else image.mode}; {ACCEPTED}")
    return np.repeat(levels[..., None], channels, 2)
