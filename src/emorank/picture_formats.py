"""Which pictures are read, how a file is recognised by its first bytes, and what decoding costs.

Content may be hostile, so `READ` is the whole list of Pillow's decoders that may look at it. Pillow
has forty more (EPS, PDF, PSD, WMF, FITS, JPEG 2000, icons, …); none of them is ever tried. HEIC
needs libheif, which the extra `heic` brings.
"""

import codecs
import re
from functools import cache
from importlib.util import find_spec
from pathlib import PurePath
from typing import Any

READ = ("JPEG", "PNG", "GIF", "TIFF", "BMP", "WEBP", "AVIF", "PPM")
HEIC = "HEIF"  # Pillow's word for it
HEAD = 512
"""So many first bytes of a file are enough for `kind` and `explain`."""

EXTENSIONS = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".tif", ".tiff", ".bmp", ".dib", ".webp"}
    | {".avif", ".pgm", ".ppm", ".pbm", ".pnm"}
)
"""Endings of pictures, in lower case. Whoever reads such a file says if it is none."""

# First bytes of the formats in `READ`.
_READ = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|II[*+]\0|MM\0[*+]|BM.{12}[\x0c-\x7c]\0\0\0"
    rb"|RIFF....WEBP|....ftyp(?:....){0,8}?avi[fs]|P[1-6][\s#]",
    re.DOTALL,
)
_HEIC = re.compile(rb"....ftyp(?:he[iv][cxms]|mif1|msf1)", re.DOTALL)

_ENDINGS = (
    (rb"\xff\xd8\xff", ".jpg"),
    (rb"\x89PNG", ".png"),
    (rb"GIF8", ".gif"),
    (rb"II|MM", ".tif"),
    (rb"BM", ".bmp"),
    (rb"RIFF", ".webp"),
    (rb"....ftyp(?:....){0,8}?avi[fs]", ".avif"),
    (rb"P[1-6]", ".pnm"),
)

# Pictures and films that are not read: listed one by one, because somebody may miss them.
_PICTURES: tuple[tuple[int, bytes, str], ...] = (
    (8, b"CR\x02\x00", "a camera's raw file"),
    (4, b"ftypcrx ", "a camera's raw file"),
    (0, b"FUJIFILMCCD-RAW", "a camera's raw file"),
    (0, b"IIRO", "a camera's raw file"),
    (0, b"IIU\x00", "a camera's raw file"),
    (4, b"ftyp", "an MP4 or QuickTime file"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 image"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL image"),
    (0, b"\xff\x0a", "a JPEG XL image"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"gimp xcf", "a GIMP file"),
    (0, b"\x00\x00\x01\x00", "an icon"),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR image"),
    (0, b"DDS ", "a DDS texture"),
    (0, b"qoif", "a QOI image"),
    (0, b"SIMPLE  =", "a FITS image"),
    (128, b"DICM", "a DICOM image"),
    (0, b"%!PS", "a PostScript file"),
    (0, b"\xc5\xd0\xd3\xc6", "a PostScript file"),
    (8, b"AVI ", "an AVI film"),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM film"),
    (0, b"FLV", "a Flash film"),
)
# Files of other kinds.
_OTHERS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF", "a PDF"),
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"\x1f\x8b", "a gzip file"),
    (0, b"MZ", "a Windows program"),
    (0, b"\x7fELF", "a Linux program"),
    (0, b"version https://git-lfs", "a Git LFS pointer whose picture was not fetched"),
)
_EXPECTED = "expected JPEG, PNG, GIF, TIFF, BMP, WebP, AVIF, PNM, or HEIC with the extra 'heic'"


@cache
def decoders() -> tuple[str, ...]:
    """Names of the decoders that may read a file, by Pillow's words."""
    if not reads_heic():
        return READ
    import pi_heif

    pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
    return (*READ, HEIC)


@cache
def reads_heic() -> bool:
    """Whether the extra `heic` is installed."""
    return find_spec("pi_heif") is not None


def named_as_picture(name: str) -> bool:
    """Whether a file name has an ending of `EXTENSIONS`, and more than the ending."""
    return PurePath(name).suffix.lower() in EXTENSIONS


def readable(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a picture that is read."""
    return bool(_READ.match(head) or (reads_heic() and _HEIC.match(head)))


def ending(head: bytes) -> str:
    """The usual ending of a picture that is read, by its first bytes."""
    return next((word for start, word in _ENDINGS if re.match(start, head, re.DOTALL)), ".heic")


def is_picture(head: bytes) -> bool:
    """Whether the first bytes are those of any picture or film, read or not."""
    known = (head.startswith(magic, offset) for offset, magic, _ in _PICTURES)
    return bool(_READ.match(head) or _HEIC.match(head)) or any(known)


def explain(head: bytes) -> str:
    """Say what a file is that cannot be read, if its first bytes show it, and what is read."""
    return f"{what(head)}; {_EXPECTED}"


def what(head: bytes) -> str:
    """The same without what is read: "is a text file"."""
    if not head:
        return "is empty (0 bytes)"
    if readable(head):
        return "is damaged: it begins as a picture, but its header cannot be read"
    if _HEIC.match(head):
        return "is a HEIC image, which needs the extra 'heic': pip install 'emorank[heic]'"
    for offset, magic, name in (*_PICTURES, *_OTHERS):
        if head.startswith(magic, offset):
            return f"is {name}"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        return "is a web page, XML or SVG"
    if _is_text(head):
        return "is a text file"
    return "is no image that can be read, or its header is damaged"


def _is_text(head: bytes) -> bool:
    """Whether bytes are UTF-8 without control characters; the last character may be cut in two."""
    try:
        words = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return all(character >= " " or character in "\t\n\r\f" for character in words)


def most_pixels(image: Any, length: int, memory: int) -> int:
    """So many pixels such a picture may have, so that reading it takes `memory` bytes at most.

    Pillow's pixels take four bytes each, the array three, and some codecs hold more at once: it was
    measured with each (Pillow 13.0; 2026-11-29).

    Args:
        image: a `PIL.ImageFile.ImageFile` whose header alone was read.
        length: of the file, in bytes.
        memory: bytes.
    """
    channels, each = len(image.getbands()), _CODEC.get(image.format, 0.0)
    held = 2 * length if each else 0
    if image.format in ("JPEG", "MPO") and "progressive" in image.info:
        each = 4.0 + 2 * channels  # all coefficients, of 16 bits
    elif image.format == "TIFF" and image.tag_v2.get(_COMPRESSION, 1) != 1:
        rows = min(image.tag_v2.get(_ROWS, image.height), image.height)
        each = 4.0 + sum(image.tag_v2.get(_BITS, (8,))) / 8 * rows / image.height
        held = 2 * length
    elif image.format == HEIC and channels == 4:
        each += 4
    return max(0, int((memory - held) / max(7.0, each)))


# Bytes for each pixel in codecs that hold the file and all pixels at once.
_CODEC = {"WEBP": 16.2, "AVIF": 18.0, HEIC: 11.0}
_COMPRESSION, _ROWS, _BITS = 259, 278, 258  # tags of TIFF
