"""One picture in every form that people hold it in gives the same pixels."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import emorank
from emorank.errors import EmorankError, ImageError
from emorank.framing import Views
from emorank.given_pictures import each_of, is_one, name_of, rgb_of


@pytest.fixture
def rgb():
    """A picture."""
    return np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)


@pytest.fixture
def file(rgb, tmp_path):
    """The same, as a file."""
    path = tmp_path / "picture.png"
    Image.fromarray(rgb).save(path)
    return path


def test_every_form_gives_the_same_pixels(rgb, file):
    """Name, path, bytes, open file, PIL image; arrays of bytes and of floats; with alpha."""
    data = file.read_bytes()
    opaque = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
    forms = [str(file), file, data, bytearray(data), memoryview(data), io.BytesIO(data), rgb,
             Image.fromarray(rgb), Image.open(file), rgb / 255, (rgb / 255).astype(np.float32),
             opaque, np.asfortranarray(rgb)]  # fmt: skip
    for form in forms:
        assert is_one(form)
        np.testing.assert_array_equal(rgb_of(form, "x"), rgb)
    with file.open("rb") as opened:
        np.testing.assert_array_equal(rgb_of(opened, "x"), rgb)
        assert name_of(opened, 0) == str(file)


def test_grey_becomes_rgb_and_what_is_transparent_white(rgb):
    """By shape (height, width) or (height, width, 1)."""
    grey = rgb[:, :, 0]
    for form in (grey, grey[:, :, None], Image.fromarray(grey)):
        np.testing.assert_array_equal(rgb_of(form, "x"), np.dstack([grey] * 3))
    clear = np.dstack([rgb, np.zeros(rgb.shape[:2], np.uint8)])
    assert (rgb_of(clear, "x") == 255).all()
    assert (rgb_of(Image.fromarray(clear), "x") == 255).all()


def test_a_pil_image_is_turned_as_its_camera_was_held(rgb):
    """EXIF orientation 6: the top of the picture is at its right."""
    buffer = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(rgb).save(buffer, "PNG", exif=exif)
    turned = rgb_of(Image.open(io.BytesIO(buffer.getvalue())), "x")
    np.testing.assert_array_equal(turned, np.rot90(rgb, -1))


def test_a_text_is_one_file_and_never_its_characters(rgb, file):
    """A stack of arrays and a list are many; a number is none."""
    assert list(each_of("a.png")) == ["a.png"]
    assert len(list(each_of(np.stack([rgb, rgb])))) == 2
    assert len(list(each_of([file, rgb]))) == 2
    with pytest.raises(ImageError, match="or any number of them; got int"):
        each_of(3)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (Image.new("I", (20, 20)), "32-bit samples"),
        (Image.new("F", (20, 20)), "32-bit samples"),
        (b"no picture", "is a text file; expected JPEG"),
        (object(), "expected a picture .* got object"),
        (np.zeros((9000, 9000), np.uint8), "more than the 80,000,000 pixels"),
    ],
)
def test_what_is_no_picture_is_refused_by_name_and_shape(given, words):
    """Nothing is guessed."""
    with pytest.raises(ImageError, match=words):
        rgb_of(given, "x")


def test_pictures_without_a_name_get_one(rgb, file):
    """Their place, or what the caller says."""
    views = Views([rgb, file, rgb], 32, "none")
    assert [view.image.name for view in views] == ["0", "picture.png", "2"]
    named = Views([rgb, rgb], 32, "none", names=["a", "b"])
    assert [view.image for view in named] == [Path("a"), Path("b")]


def test_a_second_pass_reads_again_or_says_why_not(rgb):
    """A list is read twice, and lists what it leaves out once; an iterator is used up."""
    views = Views([rgb, np.zeros(3)], 32, "none")
    assert [len(list(views)) for _ in range(2)] == [1, 1]
    assert len(views.excluded) == 1
    once = Views(iter([rgb]), 32, "none")
    assert len(list(once)) == 1
    with pytest.raises(EmorankError, match="give them as a list"):
        list(once)


def test_results_are_a_table_and_have_no_length_before_they_are_read(rgb):
    """`to_frame` has a row a face."""
    faces = emorank.read([rgb, rgb], crop="none", heatmaps=False, names=["a", "b"])
    assert faces.to_frame()["image"].to_list() == ["a", "b"]
    with pytest.raises(TypeError, match=r"len\(list"):
        len(faces)


def test_faces_are_sought_in_any_form(file):
    """There is none in noise, however it is held."""
    for form in (file, str(file), file.read_bytes(), Image.open(file)):
        assert emorank.find_faces(form) == ()
