"""Read image files within limits as upright 8-bit RGB arrays, or raise an error that says why not.

Of every picture the first frame is used; grey of more than eight bits is scaled by its full range;
transparency becomes white; then the picture becomes RGB and is turned as its EXIF orientation says.
Colour profiles are not applied. The content decides the format, not the ending of the name: a JPEG
named `.png` is read, a web page named `.jpg` is refused, and the error says that it is one.

No admissible picture takes more than 600 MB at once, from its file to the framed face: headers say
what decoding costs, pixels are converted a band at a time, and no second copy of all is made.
"""

import hashlib
import io
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageFile, UnidentifiedImageError

from emorank import picture_formats
from emorank.errors import ImageError

File = io.BufferedReader | io.BytesIO

# The array operations that turn each EXIF orientation upright (EXIF 2.32, tag 0x0112): whether to
# transpose, then to flip vertically, then to flip horizontally.
_TURNS: dict[int, tuple[bool, bool, bool]] = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}
_ORIENTATION, _BITS, _PHOTOMETRIC, _WHITE_IS_ZERO = 0x0112, 258, 262, 0
_KIND, _PREVIEW = 254, 1

# torchvision resizes the shorter side to the first and cuts out a square of the second.
_RESIZED, _CROPPED = 256, 224

# warnings.catch_warnings changes the whole process, so only one thread may use it at a time.
_WARNINGS = threading.Lock()


@dataclass(frozen=True)
class Limits:
    """Limits on the size of a picture.

    Attributes:
        bytes: greatest size of the file.
        pixels: greatest width × height, read from the header before anything is decoded. Pillow
            itself refuses more than 179 million.
        side: least width and height in pixels.
        memory: greatest number of bytes that pixels, codec and result take together.
    """

    bytes: int = 100_000_000
    pixels: int = 80_000_000
    side: int = 16
    memory: int = 575_000_000


LIMITS = Limits()
SMALL = Limits(memory=LIMITS.memory // 4)
"""Of pictures that several threads may decode at once: about 15 to 20 megapixels."""
_BAND, _RESIZED_BAND = 2**20, 2**24  # pixels that are converted and resized at once


def read(path: Path | str, *, limits: Limits = LIMITS) -> UInt8[np.ndarray, "height width 3"]:
    """Read an image file as upright 8-bit RGB.

    Raises:
        ImageError: the file is missing, unreadable, truncated, malformed or beyond the limits, or
            in no format that is read (`picture_formats`).
    """
    with _opened(path, limits) as file:
        return _decode(file, str(path), limits)


def decode(data: bytes, name: str, limits: Limits = LIMITS) -> UInt8[np.ndarray, "height width 3"]:
    """Decode the content of an image file as upright 8-bit RGB; `name` is for error messages.

    Raises:
        ImageError: as `read`.
    """
    return _decode(io.BytesIO(data), name, limits)


def from_pillow(
    image: Image.Image, name: str, limits: Limits = LIMITS
) -> UInt8[np.ndarray, "height width 3"]:
    """The pixels of an open PIL image as upright 8-bit RGB; `name` is for error messages.

    Raises:
        ImageError: as `read`; or its samples have 32 bits, whose white is unknown.
    """
    if image.width * image.height > limits.pixels or 0 in image.size:
        raise ImageError(
            name, f"is {image.width}×{image.height} px; expected 1 to {limits.pixels:,} pixels"
        )
    if image.format is None and image.mode in ("I", "F"):
        raise ImageError(name, "has 32-bit samples, whose white is unknown; convert it to 8 bits")
    return _upright(image, name)


def size(path: Path | str, limits: Limits = LIMITS) -> tuple[int, int]:
    """Width and height in pixels as `read` would return them, from the header where possible.

    Raises:
        ImageError: as `read`, but damage after the header is not noticed.
    """
    with _opened(path, limits) as file:
        image = _open(file, str(path), limits)
        # Pillow gives the size of a TIFF as turned. In a PNG, EXIF may follow the pixels; to read
        # it, Pillow decodes them.
        transposed = image.format != "TIFF" and _TURNS[_orientation(image)][0]
        return (image.height, image.width) if transposed else (image.width, image.height)


def check(path: Path | str, limits: Limits = LIMITS) -> None:
    """Look at the header of an image file, and decode nothing.

    Raises:
        ImageError: as `read`, but damage after the header is not noticed.
    """
    with _opened(path, limits) as file:
        _open(file, str(path), limits)


def is_small(path: Path | str) -> bool:
    """Whether an image file can be read and is within `SMALL`, by its header."""
    try:
        check(path, SMALL)
    except ImageError:
        return False
    return True


def _decode(file: File, name: str, limits: Limits) -> UInt8[np.ndarray, "height width 3"]:
    return _upright(_open(file, name, limits), name)


def _upright(image: Image.Image, name: str) -> UInt8[np.ndarray, "height width 3"]:
    try:
        image.load()
        # Read after loading: Pillow turns a TIFF itself and then drops its orientation.
        turn = _orientation(image)
        rgb = _rgb(image, name)
    except ImageError:
        raise
    except Exception as error:  # Pillow raises a dozen unrelated types on malformed content
        raise ImageError(name, _reason(error)) from error
    del image  # its pixels, before those of the turned copy
    transposed, vertical, horizontal = _TURNS[turn]
    if transposed:
        rgb = rgb.transpose(1, 0, 2)
    return np.ascontiguousarray(rgb[:: -1 if vertical else 1, :: -1 if horizontal else 1])


def resize(
    rgb: UInt8[np.ndarray, "height width 3"], size: int
) -> UInt8[np.ndarray, "{size} {size} 3"]:
    """Stretch to a square of one size, bilinear and antialiased: the paper's section III-C.

    Proportions are not kept, as in the paper; square crops lose nothing by it.
    """
    if rgb.shape == (size, size, 3):
        return rgb
    return _resized(rgb, (size, size), (0, 0, rgb.shape[1], rgb.shape[0]))


def center(
    rgb: UInt8[np.ndarray, "height width 3"], size: int
) -> UInt8[np.ndarray, "{size} {size} 3"]:
    """The middle of a picture, proportions kept, as torchvision's weights expect it.

    The shorter side is resized to 256/224 of `size`, bilinear and antialiased, and a square is cut
    from the middle; for 224, each pixel equals that of torchvision's `ImageClassification` for a
    Pillow image. An eighth of the shorter side is cut off.
    """
    short = min(rgb.shape[:2])
    # Without this cut, resizing a strip of 16 by five million pixels would need 60 GB.
    cut = [min(length, 64 * short) for length in rgb.shape[:2]]
    top, left = _middle(rgb.shape[:2], cut)
    height, width = (int(_RESIZED * size / _CROPPED * length / short) for length in cut)
    resized = _resized(rgb, (width, height), (left, top, left + cut[1], top + cut[0]))
    top, left = _middle((height, width), (size, size))
    return np.ascontiguousarray(resized[top : top + size, left : left + size])


def _middle(shape: Sequence[int], inner: Sequence[int]) -> tuple[int, int]:
    """Top and left of a rectangle in the middle of another; each is (height, width)."""
    return round((shape[0] - inner[0]) / 2), round((shape[1] - inner[1]) / 2)


def shrink(
    rgb: UInt8[np.ndarray, "height width 3"], size: tuple[int, int]
) -> UInt8[np.ndarray, "small_height small_width 3"]:
    """Resize to (width, height), bilinear and antialiased; where that is far smaller, in two steps.

    First whole pixels are merged, then the rest is resized: as good, and faster. It is Pillow's
    `resize` with a `reducing_gap` of 3.
    """
    height, width = rgb.shape[:2]
    across, down = max(1, int(width / size[0] / 3)), max(1, int(height / size[1] / 3))
    return _resized(reduce(rgb, across, down), size, (0, 0, width / across, height / down))


def _resized(
    rgb: UInt8[np.ndarray, "height width 3"],
    size: tuple[int, int],
    box: Sequence[int | float],
) -> UInt8[np.ndarray, "new_height new_width 3"]:
    """The part of a picture in `box` (left, top, right, bottom) resized to (width, height).

    A large picture is resized a band at a time, because Pillow takes a copy of all that it resizes.
    """
    left, top, right, bottom = box
    step = (bottom - top) / size[1]
    reach = 2 * max(1.0, step) + 1  # of the filter, and more
    rows = max(1, int(_RESIZED_BAND / (rgb.shape[1] * step)))
    bands = []
    for start in range(0, size[1], rows):
        end = min(start + rows, size[1])
        first = max(0, int(top + start * step - reach))
        last = min(len(rgb), int(top + end * step + reach) + 1)
        within = (left, top + start * step - first, right, min(top + end * step, bottom) - first)
        part = Image.fromarray(rgb[first:last])
        new = part.resize((size[0], end - start), Image.Resampling.BILINEAR, within)
        bands.append(np.asarray(new))
    return np.concatenate(bands)  # also a copy that can be written to


def reduce(
    rgb: UInt8[np.ndarray, "height width 3"], across: int, down: int
) -> UInt8[np.ndarray, "small_height small_width 3"]:
    """Merge blocks of `across` × `down` pixels into their mean; the last ones may be smaller."""
    if across == down == 1:
        return rgb
    rows = down * max(1, _BAND // (rgb.shape[1] * down))
    bands = (rgb[top : top + rows] for top in range(0, len(rgb), rows))
    return np.concatenate([np.asarray(Image.fromarray(b).reduce((across, down))) for b in bands])


def digest(rgb: UInt8[np.ndarray, "height width 3"]) -> str:
    """SHA-256 of shape and pixels, in hex: equal for equal pictures, whatever the file format."""
    shape = np.asarray(rgb.shape, dtype="<i8").tobytes()
    return hashlib.sha256(shape + np.ascontiguousarray(rgb).tobytes()).hexdigest()


@contextmanager
def _opened(path: Path | str, limits: Limits) -> Iterator[File]:
    """An image file, open; never a pipe, which would wait for ever."""
    path = Path(path)
    try:
        if path.is_dir():
            raise ImageError(path, "is a folder, not an image file")
        if path.exists() and not path.is_file():
            raise ImageError(path, "is a pipe, socket or device, not an image file")
        file = path.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ImageError(path, f"cannot be read: {reason}") from error
    with file:
        yield file


def _open(file: File, name: str, limits: Limits) -> ImageFile.ImageFile:
    """Read the header and compare it with the limits; no pixel is decoded."""
    try:
        length = file.seek(0, io.SEEK_END)
        if length > limits.bytes:
            raise ImageError(name, f"is larger than the {limits.bytes:,} bytes allowed")
        file.seek(0)
        head = file.read(picture_formats.HEAD)
        file.seek(0)
    except OSError as error:
        raise ImageError(name, f"cannot be read: {error.strerror}") from error
    if not head:
        raise ImageError(name, picture_formats.what(head))
    try:
        with _WARNINGS, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(file, formats=picture_formats.decoders())
            if image.format != "PNG":  # its EXIF may follow the pixels
                _orientation(image)
            most = picture_formats.most_pixels(image, length, limits.memory)
    except Image.DecompressionBombError as error:
        raise ImageError(name, f"has more than the {limits.pixels:,} pixels allowed") from error
    except UnidentifiedImageError as error:
        raise ImageError(name, picture_formats.explain(head)) from error
    except Exception as error:  # Pillow raises a dozen unrelated types on malformed content
        raise ImageError(name, _reason(error)) from error
    _check_size(image, min(limits.pixels, most), name, limits)
    _check_samples(image, name)
    return image


def _check_size(image: ImageFile.ImageFile, most: int, name: str, limits: Limits) -> None:
    width, height = image.size
    if width * height > most:
        of = f" of such a {image.format}" if most < limits.pixels else ""
        raise ImageError(name, f"is {width}×{height} px, more than the {most:,} pixels{of} allowed")
    if min(width, height) < limits.side:
        raise ImageError(
            name, f"is {width}×{height} px; both sides must have {limits.side} px or more"
        )


def _check_samples(image: Image.Image, name: str) -> None:
    if image.mode == "F" or (image.mode == "I" and image.format == "TIFF"):
        # Such samples are measurements; the file does not say which value is white.
        raise ImageError(
            name, "has 32-bit or signed samples, whose white is unknown; save it as 8 or 16 bits"
        )
    # The first page of many cameras' raw files is a preview of 160 by 120 pixels.
    if image.format == "TIFF" and image.tag_v2.get(_KIND, 0) == _PREVIEW:  # type: ignore[attr-defined]
        raise ImageError(
            name, "begins with a preview, as cameras' raw files do; save it as JPEG, PNG or TIFF"
        )


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 if the tag is missing or has another value."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # files of old cameras often have damaged metadata and intact pixels
        return 1
    return value if isinstance(value, int) and value in _TURNS else 1


def _rgb(image: Image.Image, name: str) -> UInt8[np.ndarray, "height width 3"]:
    """The pixels as RGB, converted a band at a time: a band is all that is there twice."""
    _check_samples(image, name)
    scale = _grey_scale(image) if image.mode.startswith("I") else None
    rgb = np.empty((image.height, image.width, 3), np.uint8)
    rows = max(1, _BAND // image.width)
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(top + rows, image.height)))
        if scale is not None:
            rgb[top : top + rows] = _grey(band, *scale)[:, :, None]
            continue
        if band.has_transparency_data:
            layer = band.convert("RGBA")
            band = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
        rgb[top : top + rows] = np.asarray(band.convert("RGB"))
    return rgb


def _grey_scale(image: Image.Image) -> tuple[int, bool]:
    """The greatest sample of grey of 9 to 16 bits, and whether it is black."""
    if image.format != "TIFF":
        return 65535, False  # Pillow brings PNG and PNM of any depth to 16 bits
    tags = image.tag_v2  # type: ignore[attr-defined]  # only TIFF has it
    return 2 ** int(tags.get(_BITS, (16,))[0]) - 1, tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO


def _grey(image: Image.Image, top: int, inverted: bool) -> UInt8[np.ndarray, "height width"]:
    """Scale grey of 9 to 16 bits by its full range.

    The full range is used, not the minimum and maximum of the picture, so that the exposure stays
    the same and two pictures of one camera can be compared.
    """
    samples = np.clip(np.asarray(image), 0, top).astype(np.uint32)
    grey: np.ndarray = ((samples * 255 + top // 2) // top).astype(np.uint8)
    return 255 - grey if inverted else grey


def _reason(error: Exception) -> str:
    """Make a reason, the second half of a sentence about the file, from a decoder's exception."""
    text = str(error).strip().rstrip(".") or type(error).__name__
    if "truncated" in text.lower() or isinstance(error, EOFError):
        return f"is truncated: {text}"
    if isinstance(error, MemoryError):
        return "needs more memory than there is"
    return f"is damaged and cannot be decoded: {text}"
