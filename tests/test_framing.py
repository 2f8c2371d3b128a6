"""What a network sees of a photograph: middle, whole, faces; files that fail are listed."""

import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from emorank import images
from emorank.cores import threads_of
from emorank.errors import ImageError
from emorank.framing import View, Views


def torchvisions(image: Image.Image) -> np.ndarray:
    """`ImageClassification(crop_size=224, resize_size=256)` on a Pillow image, torchvision 0.20.

    From its functional.py: `_compute_resized_output_size`, `resize`, `center_crop`.
    """
    width, height = image.size
    short, long = min(width, height), max(width, height)
    new_long = int(256 * long / short)
    new = (256, new_long) if width <= height else (new_long, 256)
    resized = image.resize(new, Image.Resampling.BILINEAR)
    top = int(round((resized.height - 224) / 2.0))  # noqa: RUF046 - as it is written there
    left = int(round((resized.width - 224) / 2.0))  # noqa: RUF046
    return np.asarray(resized.crop((left, top, left + 224, top + 224)))


@settings(max_examples=30)
@given(st.integers(16, 400), st.integers(16, 400))
def test_the_middle_is_torchvisions(width, height):
    """Pixel for pixel, for any proportions up to 1:64, of which 1:25 occur here."""
    random = np.random.default_rng(width * height)
    rgb = random.integers(0, 256, (height, width, 3), dtype=np.uint8)
    np.testing.assert_array_equal(images.center(rgb, 224), torchvisions(Image.fromarray(rgb)))


@pytest.mark.parametrize("side", [16, 64, 224, 299])
def test_the_middle_of_a_long_strip_needs_little_memory(side):
    """A strip that would be 100 million pixels when resized whole; what is kept is its middle."""
    rgb = np.zeros((16, 400_000, 3), np.uint8)
    rgb[:, 199_000:201_000] = 200
    found = images.center(rgb, side)
    assert found.shape == (side, side, 3)
    assert (found == 200).all()


def test_the_middle_loses_an_eighth():
    """The border of a square image is cut off, a sixteenth of it at each side."""
    rgb = np.full((256, 256, 3), 90, np.uint8)
    rgb[:16] = rgb[-16:] = rgb[:, :16] = rgb[:, -16:] = 0
    assert (images.center(rgb, 224) == 90).all()


def saved(folder, name, shape=(40, 60)):
    Image.fromarray(np.full((*shape, 3), 90, np.uint8)).save(folder / name)
    return folder / name


@pytest.mark.parametrize("crop", ["center", "none"])
def test_files_become_views_in_order(crop, tmp_path):
    """One view of each image, of the size asked for; broken ones are listed."""
    (tmp_path / "broken.png").write_bytes(b"no image")
    paths = [saved(tmp_path, "a.png"), tmp_path / "broken.png", saved(tmp_path, "b.png")]
    excluded: list[ImageError] = []
    found = list(Views(paths, 32, crop, excluded))
    assert [view.image.name for view in found] == ["a.png", "b.png"]
    assert all(view.pixels.shape == (32, 32, 3) and view.box is None for view in found)
    assert [error.file for error in excluded] == [str(tmp_path / "broken.png")]
    with pytest.raises(ImageError, match=r"broken\.png"):
        list(Views(paths, 32, crop, [], strict=True))


def test_an_image_without_a_face_is_listed(tmp_path):
    """Grey is no face."""
    excluded: list[ImageError] = []
    assert list(Views([saved(tmp_path, "a.png")], 32, "face", excluded)) == []
    assert "no face was found" in str(excluded[0])


@pytest.mark.parametrize("small", [images.SMALL, images.Limits(pixels=3000)])
def test_pictures_of_a_list_are_read_ahead_and_nothing_changes(tmp_path, monkeypatch, small):
    """Every form, large and small, good and bad: the same views and errors in the same order."""
    rgb = np.random.default_rng(0).integers(0, 256, (70, 50, 3), np.uint8)
    (tmp_path / "broken.png").write_bytes(b"no image")
    picture = Image.fromarray(rgb)
    given = [
        *(saved(tmp_path, f"{number}.png", (40 + 8 * number, 60)) for number in range(6)),
        *(rgb, picture, tmp_path / "broken.png", picture, np.zeros(3), rgb[:16], "absent.jpg"),
        *((tmp_path / "3.png").read_bytes(), View(Path("framed"), 1, rgb[:32, :32])),
        *(np.zeros((40, 40, 5)), tmp_path / "5.png"),
    ]
    monkeypatch.setattr(images, "SMALL", small)
    seen = []
    for threads in ("1", "2"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        views = Views(given, 32, "none")
        seen.append(
            (
                [(view.image, view.number, view.pixels.tobytes()) for view in views],
                list(map(str, views.excluded)),
            )
        )
    assert seen[0] == seen[1]
    assert [len(part) for part in seen[0]] == [13, 4]


def test_small_pictures_are_read_beside_others_and_large_ones_alone(tmp_path, monkeypatch):
    """Two small files wait for each other; a large one waits for both, and both for it."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setattr(images, "SMALL", images.Limits(pixels=3000))
    names = [saved(tmp_path, f"small{number}.png") for number in range(6)]
    names[3:3] = [saved(tmp_path, "large.png", (60, 60))]
    read, at_work, together = images.read, set(), {}
    meeting = threading.Barrier(2, timeout=5 if threads_of(1) > 1 else 0)

    def watched(path):
        at_work.add(path)
        with suppress(threading.BrokenBarrierError):
            if path in names[1:3]:
                meeting.wait()
        together[path] = set(at_work)
        at_work.remove(path)
        return read(path)

    monkeypatch.setattr(images, "read", watched)
    assert len(list(Views(names, 32, "none"))) == 7
    assert together[names[3]] == {names[3]}
    assert meeting.broken == (threads_of(1) == 1)


def test_batches_are_read_when_they_are_needed(tmp_path, monkeypatch):
    """Two at a time; the third image is not opened for the first batch."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    path, taken = saved(tmp_path, "a.png"), []

    def endless():
        while True:
            taken.append(path)
            yield path

    batches = Views(endless(), 32, "none", []).batches(2)
    assert len(next(batches)) == 2
    assert len(taken) == 2


@pytest.mark.parametrize(
    ("error", "reason"),
    [(MemoryError(), "needs more memory than there is"), (ValueError("odd"), "ValueError: odd")],
)
def test_whatever_one_image_does_the_others_go_on(tmp_path, monkeypatch, error, reason):
    """Memory that runs out, and an error of a library that nobody expected."""
    resize = images.resize

    def fails_once(rgb, side):
        if rgb.shape[0] == 41:
            raise error
        return resize(rgb, side)

    monkeypatch.setattr(images, "resize", fails_once)
    paths = [saved(tmp_path, "a.png"), saved(tmp_path, "b.png", (41, 60)), saved(tmp_path, "c.png")]
    views = Views(paths, 32, "none")
    assert [view.image for view in views] == [paths[0], paths[2]]
    (left_out,) = views.excluded
    assert left_out.file == str(paths[1])
    assert left_out.__traceback__ is left_out.__context__ is None  # they would hold the pixels
    assert reason in left_out.reason
    with pytest.raises(ImageError, match=reason):
        list(Views(paths, 32, "none", strict=True))
