"""Read image files within limits as upright 8-bit RGB arrays, or raise an error that says why not.

Of every picture the first frame is used; grey of more than eight bits is scaled by its full range;
transparency becomes white; then the picture becomes RGB and is turned as its EXIF orientation says.
Colour profiles are not applied. The content decides the format, not the ending of the name: a JPEG
named `.png` is read, a web page named `.jpg` is refused, and the error says that it is one.
"""

import hashlib
import io
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageFile, UnidentifiedImageError

from emorank.errors import ImageError

# The only decoders that may read the content; Pillow has forty more.
FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP", "PPM")

EXTENSIONS = frozenset(
    {".jpg", ".jpeg", ".jpe", ".png", ".tif", ".tiff", ".bmp", ".webp", ".pgm", ".ppm", ".pbm"}
)
"""Endings of image files, in lower case; other files of a folder are not read as images."""

# Formats that are not read, by bytes at an offset from the start of the file.
_DISGUISES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"GIF8", "a GIF"),
    (4, b"ftypavif", "an AVIF image"),
    (4, b"ftyphe", "a HEIC image"),
    (4, b"ftypmif1", "a HEIF image"),
    (4, b"ftyp", "an MP4 or QuickTime file"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 image"),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL image"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"%PDF", "a PDF"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"\x1f\x8b", "a gzip file"),
    (0, b"MZ", "a Windows program"),
    (0, b"\x7fELF", "a Linux program"),
    (0, b"version https://git-lfs", "a Git LFS pointer whose picture was not fetched"),
)

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
    """

    bytes: int = 100_000_000
    pixels: int = 80_000_000
    side: int = 16


LIMITS = Limits()


def read(path: Path | str, limits: Limits = LIMITS) -> UInt8[np.ndarray, "height width 3"]:
    """Read an image file as upright 8-bit RGB.

    Raises:
        ImageError: the file is missing, unreadable, truncated, malformed or beyond the limits, or
            is no JPEG, PNG, TIFF, BMP, WebP or PNM.
    """
    return decode(_bytes_of(path, limits), str(path), limits)


def decode(data: bytes, name: str, limits: Limits = LIMITS) -> UInt8[np.ndarray, "height width 3"]:
    """Decode the content of an image file as upright 8-bit RGB; `name` is for error messages.

    Raises:
        ImageError: as `read`.
    """
    image = _open(data, name, limits)
    try:
        image.load()
        # Read after loading: Pillow turns a TIFF itself and then drops its orientation.
        turn = _orientation(image)
        rgb = _rgb(image, name)
    except ImageError:
        raise
    except Exception as error:  # Pillow raises a dozen unrelated types on malformed content
        raise ImageError(name, _reason(error)) from error
    transposed, vertical, horizontal = _TURNS[turn]
    if transposed:
        rgb = rgb.transpose(1, 0, 2)
    # A copy, because Pillow's memory is read-only, and PyTorch warns of that.
    return np.array(rgb[:: -1 if vertical else 1, :: -1 if horizontal else 1], order="C")


def size(path: Path | str, limits: Limits = LIMITS) -> tuple[int, int]:
    """Width and height in pixels as `read` would return them, from the header where possible.

    Raises:
        ImageError: as `read`, but damage after the header is not noticed.
    """
    image = _open(_bytes_of(path, limits), str(path), limits)
    # Pillow gives the size of a TIFF as turned. In a PNG, EXIF may follow the pixels; to read it,
    # Pillow decodes them.
    transposed = image.format != "TIFF" and _TURNS[_orientation(image)][0]
    return (image.height, image.width) if transposed else (image.width, image.height)


def resize(
    rgb: UInt8[np.ndarray, "height width 3"], side: int
) -> UInt8[np.ndarray, "{side} {side} 3"]:
    """Stretch to a square of one size, bilinear and antialiased: the paper's section III-C.

    Proportions are not kept, as in the paper; square crops lose nothing by it.
    """
    if rgb.shape == (side, side, 3):
        return rgb
    return np.array(Image.fromarray(rgb).resize((side, side), Image.Resampling.BILINEAR))


def center(
    rgb: UInt8[np.ndarray, "height width 3"], side: int
) -> UInt8[np.ndarray, "{side} {side} 3"]:
    """The middle of a picture, proportions kept, as torchvision's weights expect it.

    The shorter side is resized to 256/224 of `side`, bilinear and antialiased, and a square is cut
    from the middle; for 224, each pixel equals that of torchvision's `ImageClassification` for a
    Pillow image. An eighth of the shorter side is cut off.
    """
    short = min(rgb.shape[:2])
    # Without this cut, resizing a strip of 16 by five million pixels would need 60 GB.
    rgb = _middle(rgb, min(rgb.shape[0], 64 * short), min(rgb.shape[1], 64 * short))
    height, width = (int(_RESIZED * side / _CROPPED * length / short) for length in rgb.shape[:2])
    resized = Image.fromarray(rgb).resize((width, height), Image.Resampling.BILINEAR)
    return np.ascontiguousarray(_middle(np.asarray(resized), side, side))


def _middle(
    rgb: UInt8[np.ndarray, "height width 3"], height: int, width: int
) -> UInt8[np.ndarray, "{height} {width} 3"]:
    top, left = round((rgb.shape[0] - height) / 2), round((rgb.shape[1] - width) / 2)
    return rgb[top : top + height, left : left + width]


def digest(rgb: UInt8[np.ndarray, "height width 3"]) -> str:
    """SHA-256 of shape and pixels, in hex: equal for equal pictures, whatever the file format."""
    shape = np.asarray(rgb.shape, dtype="<i8").tobytes()
    return hashlib.sha256(shape + np.ascontiguousarray(rgb).tobytes()).hexdigest()


def _bytes_of(path: Path | str, limits: Limits) -> bytes:
    path = Path(path)
    try:
        if path.is_dir():
            raise ImageError(path, "is a folder, not an image file")
        if path.exists() and not path.is_file():  # opening a pipe would wait for ever
            raise ImageError(path, "is a pipe, socket or device, not an image file")
        with path.open("rb") as file:
            data = file.read(limits.bytes + 1)
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ImageError(path, f"cannot be read: {reason}") from error
    if len(data) > limits.bytes:
        raise ImageError(path, f"is larger than the {limits.bytes:,} bytes allowed")
    return data


def _open(data: bytes, name: str, limits: Limits) -> ImageFile.ImageFile:
    """Read the header and compare it with the limits; no pixel is decoded."""
    if not data:
        raise ImageError(name, "is empty (0 bytes)")
    if len(data) > limits.bytes:
        raise ImageError(name, f"is larger than the {limits.bytes:,} bytes allowed")
    try:
        with _WARNINGS, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            if image.format != "PNG":  # its EXIF may follow the pixels
                _orientation(image)
    except Image.DecompressionBombError as error:
        raise ImageError(name, f"has more than the {limits.pixels:,} pixels allowed") from error
    except UnidentifiedImageError as error:
        raise ImageError(name, _disguise(data)) from error
    except Exception as error:  # Pillow raises a dozen unrelated types on malformed content
        raise ImageError(name, _reason(error)) from error
    width, height = image.size
    if width * height > limits.pixels:
        raise ImageError(
            name, f"is {width}×{height} px, more than the {limits.pixels:,} pixels allowed"
        )
    if min(width, height) < limits.side:
        raise ImageError(
            name, f"is {width}×{height} px; both sides must have {limits.side} px or more"
        )
    return image


def _orientation(image: ImageFile.ImageFile) -> int:
    """EXIF orientation, 1 to 8; 1 if the tag is missing or has another value."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # files of old cameras often have damaged metadata and intact pixels
        return 1
    return value if isinstance(value, int) and value in _TURNS else 1


def _rgb(image: ImageFile.ImageFile, name: str) -> UInt8[np.ndarray, "height width 3"]:
    if image.mode == "F" or (image.mode == "I" and image.format == "TIFF"):
        # Such samples are measurements; the file does not say which value is white.
        raise ImageError(
            name, "has 32-bit or signed samples, whose white is unknown; save it as 8 or 16 bits"
        )
    if image.mode.startswith("I"):
        return np.repeat(_grey(image)[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return np.asarray(Image.alpha_composite(white, layer).convert("RGB"))
    return np.asarray(image.convert("RGB"))


def _grey(image: ImageFile.ImageFile) -> UInt8[np.ndarray, "height width"]:
    """Scale grey of 9 to 16 bits by its full range.

    The full range is used, not the minimum and maximum of the picture, so that the exposure stays
    the same and two pictures of one camera can be compared.
    """
    top, inverted = 65535, False  # Pillow brings PNG and PNM of any depth to 16 bits
    if image.format == "TIFF":
        tags = image.tag_v2  # type: ignore[attr-defined]  # only TIFF has it
        top = 2 ** int(tags.get(_BITS, (16,))[0]) - 1
        inverted = tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    samples = np.clip(np.asarray(image), 0, top).astype(np.uint32)
    grey: np.ndarray = ((samples * 255 + top // 2) // top).astype(np.uint8)
    return 255 - grey if inverted else grey


def _disguise(data: bytes) -> str:
    """Say what a file is that is none of `FORMATS`, if its first bytes show it."""
    expected = "expected JPEG, PNG, TIFF, BMP, WebP or PNM"
    for offset, magic, what in _DISGUISES:
        if data.startswith(magic, offset):
            return f"is {what}; {expected}"
    head = data[:512]
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        return f"is a web page, XML or SVG; {expected}"
    if all(byte in b"\t\n\r\f" or 32 <= byte < 127 for byte in head):
        return f"is a text file; {expected}"
    return f"is no image that can be read, or its header is damaged; {expected}"


def _reason(error: Exception) -> str:
    """Make a reason, the second half of a sentence about the file, from a decoder's exception."""
    text = str(error).strip().rstrip(".") or type(error).__name__
    if "truncated" in text.lower() or isinstance(error, EOFError):
        return f"is truncated: {text}"
    if isinstance(error, MemoryError):
        return "needs more memory than there is"
    return f"is damaged and cannot be decoded: {text}"
