"""Formats, modes and orientations against known pixels; bad files against their reasons."""

import io
import os
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from emorank import images, picture_formats
from emorank.errors import ImageError

HEIGHT, WIDTH = 24, 40


def _picture() -> np.ndarray:
    """Smooth, coloured, and different in every corner, so that a wrong turn cannot hide."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    red, green = 255 * x / (WIDTH - 1), 255 * y / (HEIGHT - 1)
    return np.stack([red, green, 255 - red / 2 - green / 2], axis=2).round().astype(np.uint8)


PICTURE = _picture()
GREY = PICTURE[:, :, 0]


def _encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


LOSSLESS = {
    "PNG": _encoded(Image.fromarray(PICTURE), "PNG"),
    "TIFF": _encoded(Image.fromarray(PICTURE), "TIFF"),
    "TIFF-LZW": _encoded(Image.fromarray(PICTURE), "TIFF", compression="tiff_lzw"),
    "BMP": _encoded(Image.fromarray(PICTURE), "BMP"),
    "WebP": _encoded(Image.fromarray(PICTURE), "WEBP", lossless=True),
    "PPM": _encoded(Image.fromarray(PICTURE), "PPM"),
    "AVIF": _encoded(Image.fromarray(PICTURE), "AVIF", quality=100, subsampling="4:4:4", speed=10),
}
JPEG = _encoded(Image.fromarray(PICTURE), "JPEG", quality=95, subsampling=0)
ALL = {**LOSSLESS, "JPEG": JPEG}


def _grey_rgb(grey: np.ndarray) -> np.ndarray:
    return np.repeat(grey[:, :, None], 3, axis=2)


@pytest.mark.parametrize("kind", LOSSLESS)
def test_lossless_formats_give_their_pixels(kind: str) -> None:
    """PNG, TIFF, BMP, WebP and PPM come back bit for bit; AVIF within three levels."""
    rgb = images.decode(LOSSLESS[kind], kind)
    assert rgb.dtype == np.uint8
    assert rgb.flags.writeable
    assert_allclose(rgb.astype(int), PICTURE, atol=3 if kind == "AVIF" else 0)


def test_jpeg_gives_nearly_its_pixels() -> None:
    """JPEG is lossy, but within a few grey levels at quality 95."""
    assert_allclose(images.decode(JPEG, "x").astype(float), PICTURE, atol=8)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "PPM", "JPEG"])
def test_eight_bit_grey_fills_three_channels(kind: str) -> None:
    """A grey file has three equal channels."""
    rgb = images.decode(_encoded(Image.fromarray(GREY), kind, quality=100), kind)
    assert_allclose(rgb.astype(float), _grey_rgb(GREY), atol=2 if kind == "JPEG" else 0)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "PPM"])
def test_one_bit_is_black_and_white(kind: str) -> None:
    """A 1-bit file has the values 0 and 255."""
    rgb = images.decode(_encoded(Image.fromarray(GREY > 127), kind), kind)
    assert_array_equal(rgb, _grey_rgb(np.where(GREY > 127, 255, 0).astype(np.uint8)))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_palette_is_looked_up(kind: str) -> None:
    """A palette file (as some of JAFFE's) gives the colours, not the indices."""
    indexed = Image.fromarray(PICTURE).quantize(16)
    assert indexed.mode == "P"
    rgb = images.decode(_encoded(indexed, kind), kind)
    assert_array_equal(rgb, np.asarray(indexed.convert("RGB")))
    assert len(np.unique(rgb.reshape(-1, 3), axis=0)) > 8


def test_palette_transparency_lies_on_white() -> None:
    """A palette entry that is transparent becomes white."""
    indexed = Image.fromarray((GREY > 127).astype(np.uint8), "P")
    indexed.putpalette([10, 20, 30, 200, 100, 50])
    rgb = images.decode(_encoded(indexed, "PNG", transparency=1), "x")
    expected = np.where((GREY > 127)[:, :, None], [255, 255, 255], [10, 20, 30])
    assert_array_equal(rgb, expected)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_alpha_lies_on_white(kind: str) -> None:
    """Alpha blends linearly with white: opaque keeps, half is half-way, none is white."""
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[:, 10:20], alpha[:, 20:] = 128, 255
    rgba = np.dstack([PICTURE, alpha])
    rgb = images.decode(_encoded(Image.fromarray(rgba), kind, lossless=True), kind)
    weight = alpha[:, :, None] / 255
    assert_allclose(rgb.astype(float), PICTURE * weight + 255 * (1 - weight), atol=1)


def test_grey_with_alpha_lies_on_white() -> None:
    """Grey with an alpha channel of zero is white."""
    image = Image.merge("LA", [Image.fromarray(GREY), Image.new("L", (WIDTH, HEIGHT), 0)])
    assert images.decode(_encoded(image, "PNG"), "x").min() == 255


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_sixteen_bit_grey_is_scaled_by_its_full_range(kind: str) -> None:
    """65535 becomes 255 and 257 g becomes g, whatever the picture's own range."""
    samples = (GREY.astype(np.uint16) // 2) * 257
    rgb = images.decode(_encoded(Image.fromarray(samples), kind), kind)
    assert_array_equal(rgb, _grey_rgb(GREY // 2))


def test_big_endian_sixteen_bit_tiff() -> None:
    """Motorola byte order gives the same picture as Intel."""
    image = Image.frombytes("I;16B", (WIDTH, HEIGHT), (GREY.astype(">u2") * 257).tobytes())
    assert_array_equal(images.decode(_encoded(image, "TIFF"), "x"), _grey_rgb(GREY))


def _patched_tiff(data: bytes, tag: int, value: int) -> bytes:
    """A little-endian TIFF with the (short) value of one tag overwritten."""
    at = data.index(struct.pack("<HHI", tag, 3, 1)) + 8
    return data[:at] + struct.pack("<H", value) + data[at + 2 :]


def test_sixteen_bit_tiff_whose_white_is_zero() -> None:
    """PhotometricInterpretation 0 turns black into white."""
    data = _encoded(Image.fromarray(GREY.astype(np.uint16) * 257), "TIFF")
    assert_array_equal(images.decode(_patched_tiff(data, 262, 0), "x"), _grey_rgb(255 - GREY))


def test_twelve_bit_tiff_is_scaled_by_twelve_bits() -> None:
    """Two 12-bit samples in three bytes; 4095 is white."""
    samples = GREY.astype(np.uint32) * 4095 // 255
    pairs = (samples[:, 0::2] << 12) | samples[:, 1::2]
    packed = pairs.astype(">u4").tobytes()
    packed = b"".join(packed[i + 1 : i + 4] for i in range(0, len(packed), 4))
    data = _encoded(Image.fromarray(np.full((HEIGHT, WIDTH), 0xAAAA, np.uint16)), "TIFF")
    start = data.index(b"\xaa" * (HEIGHT * WIDTH * 2))
    data = data[:start] + packed + data[start + len(packed) :]
    rgb = images.decode(_patched_tiff(data, 258, 12), "x")
    assert_allclose(rgb.astype(float), _grey_rgb(GREY), atol=1)


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_samples_without_a_white_are_refused(dtype: type) -> None:
    """A TIFF of measurements (float, 32 bits) is refused with the remedy."""
    data = _encoded(Image.fromarray(GREY.astype(dtype)), "TIFF")
    with pytest.raises(ImageError, match="save it as 8 or 16 bits"):
        images.decode(data, "x")


def test_sixteen_bit_colour_png() -> None:
    """A PNG of 3 × 16 bits keeps the upper bytes."""
    rows = b"".join(b"\0" + (row.astype(">u2") * 257).tobytes() for row in PICTURE)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header)
    data += _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")
    assert_array_equal(images.decode(data, "x"), PICTURE)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize(("mode", "kind"), [("CMYK", "JPEG"), ("CMYK", "TIFF"), ("YCbCr", "TIFF")])
def test_other_colour_spaces_become_rgb(mode: str, kind: str) -> None:
    """CMYK (Adobe's inverted JPEG as well) and YCbCr give back the colours, not their negative."""
    data = _encoded(Image.fromarray(PICTURE).convert(mode), kind, quality=98)
    assert_allclose(images.decode(data, "x").astype(float), PICTURE, atol=12)


def test_lab_becomes_rgb() -> None:
    """A CIELAB TIFF of neutral greys gives neutral greys, dark to light."""
    lightness = np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))
    neutral = np.zeros_like(lightness)
    lab = Image.frombytes(
        "LAB", (WIDTH, HEIGHT), np.dstack([lightness, neutral, neutral]).tobytes()
    )
    rgb = images.decode(_encoded(lab, "TIFF"), "x").astype(int)
    assert np.ptp(rgb, axis=2).max() <= 3
    assert rgb[0, 0, 0] <= 2
    assert rgb[0, -1, 0] >= 253
    assert (np.diff(rgb[0, :, 0]) >= 0).all()


TURNED = {  # how a camera stores PICTURE under each EXIF orientation
    1: PICTURE,
    2: PICTURE[:, ::-1],
    3: PICTURE[::-1, ::-1],
    4: PICTURE[::-1],
    5: PICTURE.transpose(1, 0, 2),
    6: np.rot90(PICTURE, 1),
    7: PICTURE[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90(PICTURE, -1),
}


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "TIFF-LZW", "AVIF"])
def test_exif_orientation_is_undone(orientation: int, kind: str, tmp_path: Path) -> None:
    """All eight orientations in every format that has them; `size` agrees with `read`."""
    stored = Image.fromarray(np.ascontiguousarray(TURNED[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    name, _, compression = kind.partition("-")
    options = {"compression": "tiff_lzw"} if compression else {"quality": 95, "lossless": True}
    file = tmp_path / "picture"
    file.write_bytes(_encoded(stored, name, exif=exif, **options))
    rgb = images.read(file)
    assert rgb.flags["C_CONTIGUOUS"]
    assert_allclose(rgb.astype(float), PICTURE, atol=16 if kind in ("JPEG", "AVIF") else 0)
    assert images.size(file) == (WIDTH, HEIGHT)


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0nonsense", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0"]
)
def test_damaged_exif_does_not_cost_the_picture(exif: bytes) -> None:
    """Nonsense in the metadata means no rotation, silently."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rgb = images.decode(_encoded(Image.fromarray(PICTURE), "JPEG", exif=exif), "x")
    assert rgb.shape == PICTURE.shape


@pytest.mark.parametrize("kind", ["TIFF", "WEBP", "PNG"])
def test_first_of_several_frames(kind: str) -> None:
    """Of pages and animations the first is read."""
    second = Image.new("RGB", (WIDTH, HEIGHT), "red")
    data = _encoded(
        Image.fromarray(PICTURE), kind, save_all=True, append_images=[second], lossless=True
    )
    assert_array_equal(images.decode(data, "x"), PICTURE)


def test_content_decides_and_not_the_extension(tmp_path: Path) -> None:
    """A BMP named .jpg is read."""
    file = tmp_path / "bitmap.jpg"
    file.write_bytes(LOSSLESS["BMP"])
    assert_array_equal(images.read(file), PICTURE)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>not found</html>", "web page"),
        (b"\n<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"Access denied.\n", "text file"),
        (b"GIF89a", "begins as a picture"),
        (b"\0\0\0\x18ftypheic" + bytes(50), "begins as a picture"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(50), "JPEG 2000"),
        ("F\u00e4lschung".encode() * 99, "text file"),
        (b"MZ" + bytes(50), "Windows program"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"%PDF-1.7", "PDF"),
        (bytes(100), "no image"),
        (b"\x89PNG\r\n\x1a\n", "truncated|damaged|no image"),
    ],
)
def test_disguised_files_are_named(content: bytes, reason: str, tmp_path: Path) -> None:
    """What only pretends to be an image is refused, and the message says what it is."""
    file = tmp_path / "face.jpg"
    file.write_bytes(content)
    with pytest.raises(ImageError, match=reason) as caught:
        images.read(file)
    assert caught.value.file == str(file)


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    """Missing, a folder, a pipe, a null character: an error each, and no waiting."""
    with pytest.raises(ImageError, match="No such file"):
        images.read(tmp_path / "missing.jpg")
    with pytest.raises(ImageError, match="folder"):
        images.read(tmp_path)
    with pytest.raises(ImageError, match="null"):
        images.read("a\0b.jpg")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.jpg")
        with pytest.raises(ImageError, match="pipe"):
            images.read(tmp_path / "pipe.jpg")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads anything")
def test_unreadable_file(tmp_path: Path) -> None:
    """Missing permission is a reason of its own."""
    file = tmp_path / "face.png"
    file.write_bytes(LOSSLESS["PNG"])
    file.chmod(0)
    with pytest.raises(ImageError, match="Permission"):
        images.read(file)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("part", [0.4, 0.7, 0.9])
def test_truncated_files_are_refused(kind: str, part: float) -> None:
    """A file that breaks off gives no half-grey picture."""
    data = ALL[kind]
    with pytest.raises(ImageError, match=r"truncated|damaged"):
        images.decode(data[: int(part * len(data))], "x")


def _png_header(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b"\0"))


@pytest.mark.parametrize(
    ("width", "height"),
    [(10_000, 9_000), (12_000, 12_000), (50_000, 50_000), (2**31 - 1, 2**31 - 1)],
)
def test_decompression_bombs_are_refused_by_their_header(width: int, height: int) -> None:
    """A few bytes that promise billions of pixels cost nothing and warn nobody."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageError, match=r"pixels allowed|damaged"):
            images.decode(_png_header(width, height), "x")


def test_text_bombs_are_refused() -> None:
    """A PNG comment that unpacks to megabytes is refused, not unpacked."""
    bomb = _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(50_000_000)))
    data = LOSSLESS["PNG"][:33] + bomb + LOSSLESS["PNG"][33:]
    with pytest.raises(ImageError, match="damaged"):
        images.decode(data, "x")


def test_limits_are_the_callers() -> None:
    """Each bound can be changed, and its error gives the number."""
    data = LOSSLESS["PNG"]
    with pytest.raises(ImageError, match="100 bytes"):
        images.decode(data, "x", images.Limits(bytes=100))
    with pytest.raises(ImageError, match="40×24 px, more than the 500 pixels"):
        images.decode(data, "x", images.Limits(pixels=500))
    with pytest.raises(ImageError, match="both sides must have 25 px"):
        images.decode(data, "x", images.Limits(side=25))
    assert images.decode(data, "x", images.Limits(side=24)).shape == PICTURE.shape


def test_file_larger_than_allowed(tmp_path: Path) -> None:
    """A file beyond the bound is refused after the bound was read, not the whole."""
    file = tmp_path / "big.png"
    file.write_bytes(LOSSLESS["PNG"])
    with pytest.raises(ImageError, match="larger than the 50 bytes"):
        images.read(file, limits=images.Limits(bytes=50))


def test_memory_running_out_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """No memory for one picture is that picture's error."""

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Image.Image, "convert", fail)
    with pytest.raises(ImageError, match="memory"):
        images.decode(LOSSLESS["PNG"], "x")


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from(sorted(ALL)),
    edits=st.lists(
        st.tuples(st.floats(0, 1), st.binary(min_size=0, max_size=6), st.integers(0, 6)), max_size=6
    ),
    kept=st.floats(0.05, 1),
)
def test_mutated_files_give_a_picture_or_an_image_error(
    kind: str, edits: list[tuple[float, bytes, int]], kept: float
) -> None:
    """Whatever is done to a valid file, nothing but a picture, or an ImageError, comes out."""
    data = bytearray(ALL[kind])
    for where, new, removed in edits:
        # Squared, so that headers, where the lies are told, are hit most often.
        at = int(where**2 * len(data))
        data[at : at + removed] = new
    data = data[: int(kept * len(data))] if kept < 0.5 else data
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            rgb = images.decode(bytes(data), kind, images.Limits(pixels=1_000_000))
        except ImageError:
            return
    assert rgb.dtype == np.uint8
    assert rgb.ndim == 3
    assert rgb.shape[2] == 3


@given(data=st.binary(max_size=200))
def test_random_bytes_are_refused(data: bytes) -> None:
    """Noise is no picture."""
    with pytest.raises(ImageError):
        images.decode(data, "noise")


def test_resize_stretches_with_antialiasing() -> None:
    """A fine chequerboard shrinks to its mean instead of to an alias."""
    board = _grey_rgb((np.indices((256, 128)).sum(axis=0) % 2 * 255).astype(np.uint8))
    small = images.resize(board, 32)
    assert small.shape == (32, 32, 3)
    assert_allclose(small.astype(float), 127.5, atol=3)


def test_resize_to_the_same_size_changes_nothing() -> None:
    """A square picture of the right size is left alone."""
    square = PICTURE[:, :HEIGHT]
    assert_array_equal(images.resize(square, HEIGHT), square)


def test_digest_is_of_pixels_and_shape() -> None:
    """Equal pictures in different files agree; another shape of the same bytes does not."""
    png, bmp = (images.decode(LOSSLESS[kind], kind) for kind in ("PNG", "BMP"))
    assert images.digest(png) == images.digest(bmp)
    assert images.digest(png) != images.digest(png.transpose(1, 0, 2).reshape(HEIGHT, WIDTH, 3))
    assert images.digest(png) != images.digest(png.reshape(WIDTH, HEIGHT, 3))
    assert images.digest(png[:, ::-1]) == images.digest(png[:, ::-1].copy())
    assert images.digest(np.zeros((1, 1, 3), np.uint8)).startswith("efa66c72")


def test_gif_and_heic(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GIF's first frame; HEIC with its extra, else what to install.

    The HEIC is one of pi-heif's own test pictures (BSD-3-Clause).
    """
    frames = [Image.fromarray(PICTURE).quantize(64), Image.new("P", (WIDTH, HEIGHT))]
    gif = _encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert_array_equal(images.decode(gif, "x"), np.asarray(frames[0].convert("RGB")))
    heic = (Path(__file__).parent / "grey.heic").read_bytes()
    pytest.importorskip("pi_heif")
    rgb = images.decode(heic, "x")
    assert rgb.shape == (128, 128, 3)
    assert rgb.std() > 5
    monkeypatch.setattr(picture_formats, "reads_heic", lambda: False)
    monkeypatch.setattr(picture_formats, "decoders", lambda: picture_formats.READ)
    with pytest.raises(ImageError, match=r"pip install 'emorank\[heic\]'"):
        images.decode(heic, "x")


def test_no_other_decoder_looks_at_a_file() -> None:
    """Formats that Pillow can read and that are not in the list are refused by name."""
    for kind, words in (
        ("ICO", "an icon"),
        ("EPS", "PostScript"),
        ("PDF", "a PDF"),
        ("TGA", "no image"),
    ):
        with pytest.raises(ImageError, match=words):
            images.decode(_encoded(Image.fromarray(PICTURE), kind), "x")


def test_a_preview_is_not_taken_for_the_picture() -> None:
    """The first page of cameras' raw files is a small preview."""
    data = _encoded(Image.fromarray(PICTURE), "TIFF", tiffinfo={254: 1})
    with pytest.raises(ImageError, match="begins with a preview"):
        images.decode(data, "x")


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"progressive": True, "subsampling": 0}),
        ("WEBP", {}),
        ("AVIF", {"speed": 10}),
        ("TIFF", {"compression": "tiff_lzw", "tiffinfo": {278: 24}}),
    ],
)
def test_what_a_codec_holds_counts(kind: str, options: dict[str, object]) -> None:
    """The memory that is allowed holds 7 bytes of each pixel, and more of some codecs."""
    image = Image.new("RGBA" if kind == "TIFF" else "RGB", (40, 24))
    plain = images.Limits(memory=7 * 40 * 24)
    assert images.decode(_encoded(image, "BMP"), "x", plain).shape == PICTURE.shape
    with pytest.raises(ImageError, match=f"pixels of such a {kind} allowed"):
        images.decode(_encoded(image, kind, **options), "x", plain)
    images.decode(_encoded(image, kind, **options), "x", images.Limits(memory=30_000))


def test_bands_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large pictures are converted, reduced and resized a band at a time."""
    rgb = np.random.default_rng(0).integers(0, 256, (300, 200, 3), np.uint8)
    rgb = np.asarray(Image.fromarray(rgb).resize((400, 500)))
    small, square = images.shrink(rgb, (60, 45)), images.resize(rgb, 64)
    middle, merged = images.center(rgb, 64), images.reduce(rgb, 3, 4)
    monkeypatch.setattr(images, "_BAND", 1000)
    monkeypatch.setattr(images, "_RESIZED_BAND", 5000)
    assert_array_equal(images.decode(_encoded(Image.fromarray(rgb), "PNG"), "x"), rgb)
    assert_array_equal(images.reduce(rgb, 3, 4), merged)
    assert_allclose(images.shrink(rgb, (60, 45)).astype(int), small, atol=1)
    assert_allclose(images.resize(rgb, 64).astype(int), square, atol=1)
    assert_allclose(images.center(rgb, 64).astype(int), middle, atol=1)
    gap = Image.fromarray(rgb).resize((60, 45), Image.Resampling.BILINEAR, reducing_gap=3.0)
    assert_array_equal(small, np.asarray(gap))


def test_a_header_is_checked_and_nothing_decoded(tmp_path: Path) -> None:
    """A file that breaks off passes; one that is no picture does not."""
    file = tmp_path / "a.png"
    file.write_bytes(LOSSLESS["PNG"][:200])
    images.check(file)
    file.write_bytes(b"<html>")
    with pytest.raises(ImageError, match="web page"):
        images.check(file)


_PEAK = """
import sys
from pathlib import Path
import numpy as np
from emorank import faces
from emorank.framing import Views
def bytes_of(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(field))
faces.find(np.zeros((64, 64, 3), np.uint8))  # loads the detector
for name in sys.argv[1:]:
    Path("/proc/self/clear_refs").write_text("5")  # VmHWM starts from here
    before = bytes_of("VmRSS")
    views = Views(name, 224, "face")
    assert not list(views)
    assert views.excluded[0].reason == "no face was found", views.excluded
    print((bytes_of("VmHWM") - before) // 1_000_000)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux counts the memory")
def test_no_picture_takes_more_than_600_megabytes(tmp_path: Path) -> None:
    """A strip, a panorama, and an RGBA picture of 79 MP, from the file to the search for faces."""
    sizes = {"strip": ("RGB", (60_000, 16)), "wide": ("RGB", (12_000, 3000)),
             "rgba": ("RGBA", (10_000, 7900))}  # fmt: skip
    for name, (mode, size) in sizes.items():
        Image.new(mode, size, "teal").save(tmp_path / name, "PNG", compress_level=1)
    command = [sys.executable, "-c", _PEAK, *(str(tmp_path / name) for name in sizes)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    peaks = dict(zip(sizes, map(int, done.stdout.split()), strict=True))
    assert peaks["strip"] < 100
    assert peaks["wide"] < 300
    assert peaks["rgba"] < 600
