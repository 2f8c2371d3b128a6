"""Films of every kind become frames with their times, or one sentence says why not."""

import struct
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from tests.film.filming import write_film

from emorank.errors import ImageError
from emorank.film import decoder
from emorank.film.decode_film import turned
from emorank.film.decoder import Decoding
from emorank.film.films import Film

RED = (255, 0, 0)


def grey_frames(count: int, height: int = 64, width: int = 96) -> list[np.ndarray]:
    """Frames of rising grey with a red corner at the top left."""
    frames = [np.full((height, width, 3), 40 + number, np.uint8) for number in range(count)]
    for frame in frames:
        frame[:24, :24] = RED
    return frames


def decoding(path: Path, **options) -> Decoding:
    return Decoding(Film("film", path), **options)


@pytest.fixture(scope="session")
def plain(tmp_path_factory) -> Path:
    """Thirty frames, 25 a second, a key frame each ten."""
    folder = tmp_path_factory.mktemp("plain")
    return write_film(folder / "plain.mp4", grey_frames(30), g="10", bf="0")


def with_matrix(path: Path, out: Path, *matrix: int) -> Path:
    """The film with another display matrix in its header: a, b, c, d."""
    data = bytearray(path.read_bytes())
    header = data.find(b"tkhd")
    place = header + 4 + 4 + (20 if data[header + 4] == 0 else 32) + 16
    a, b, c, d = (65536 * value for value in matrix)
    data[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    out.write_bytes(data)
    return out


def test_frames_come_with_number_and_time(plain):
    film = decoding(plain)
    frames = list(film)
    assert [frame.number for frame in frames] == list(range(30))
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(30) / 25, atol=1e-6)
    assert frames[0].picture.shape == (64, 96, 3)
    assert film.about["frames"] == 30
    assert (film.end, film.early) == (30, None)


def test_only_each_nth_frame_from_a_start(plain):
    assert [frame.number for frame in decoding(plain, every=4, start=9)] == [12, 16, 20, 24, 28]


def test_a_variable_frame_rate_keeps_its_times(tmp_path):
    times = [0, 1, 2, 10, 11, 40]
    path = write_film(tmp_path / "variable.mkv", grey_frames(6), pts=times)
    np.testing.assert_allclose(
        [frame.time for frame in decoding(path)], np.array(times) / 25, atol=2e-3
    )


def test_times_always_rise(tmp_path):
    """A bare stream has no times; frames are as far apart as it says."""
    path = write_film(tmp_path / "bare.h264", grey_frames(5))
    times = [frame.time for frame in decoding(path)]
    assert len(times) == 5
    assert all(before < after for before, after in pairwise(times))


@pytest.mark.parametrize(
    ("matrix", "shape", "corner"),
    [
        ((1, 0, 0, 1), (64, 96), (0, 0)),
        ((0, 1, -1, 0), (96, 64), (0, -1)),  # a phone held upright: a quarter clockwise
        ((-1, 0, 0, -1), (64, 96), (-1, -1)),
        ((0, -1, 1, 0), (96, 64), (-1, 0)),
        ((-1, 0, 0, 1), (64, 96), (0, -1)),  # mirrored
    ],
)
def test_frames_are_turned_as_the_film_says(plain, tmp_path, matrix, shape, corner):
    path = with_matrix(plain, tmp_path / "turned.mp4", *matrix)
    (frame,) = decoding(path, every=100)
    assert frame.picture.shape[:2] == shape
    row, column = (5 if place == 0 else -5 for place in corner)
    assert frame.picture[row, column, 0] > 200
    assert frame.picture[row, column, 1] < 60


def test_no_matrix_turns_nothing():
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert turned(pixels, None) is pixels


def test_pixels_that_are_no_squares_become_squares(tmp_path):
    path = tmp_path / "wide.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = 2
        for pixels in grey_frames(2):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    assert next(iter(decoding(path))).picture.shape == (64, 192, 3)


def test_a_broken_frame_is_named_and_the_others_go_on(plain, tmp_path):
    with av.open(str(plain)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data = bytearray(plain.read_bytes())
    place, size = packets[14]
    data[place : place + size] = bytes(size)
    path = tmp_path / "broken.mp4"
    path.write_bytes(data)
    frames = list(decoding(path))
    broken = [frame.number for frame in frames if frame.picture is None]
    assert 14 in broken
    assert all(14 <= number < 20 for number in broken)
    assert all(frame.reason for frame in frames if frame.picture is None)
    assert [frame.number for frame in frames] == list(range(30))


def test_a_film_that_is_cut_off_ends_early(tmp_path):
    """Half of a Matroska film: its header says how long it was."""
    noise = np.random.default_rng(0).integers(0, 255, (100, 64, 96, 3), np.uint8)
    whole = write_film(tmp_path / "whole.mkv", list(noise), g="10")
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    film = decoding(cut)
    frames = [frame for frame in film if frame.picture is not None]
    assert 20 < len(frames) < 80
    assert "missing at its end" in film.early


def sound(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def picture(path: Path) -> Path:
    Image.fromarray(grey_frames(1)[0]).save(path, "PNG")
    return path


def text(path: Path, words: str) -> Path:
    path.write_text(words)
    return path


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: text(path, ""), "is empty"),
        (lambda path: text(path, "no film\n" * 500), "is no film that can be read"),
        (lambda path: text(path, "#EXTM3U\n#EXTINF:9,\nfile:///etc/hosts\n"), "is no film"),
        (picture, "is a picture; expected a film"),
        (sound, "holds only sound; expected a film"),
        (lambda path: write_film(path, grey_frames(1, 8, 8)), "8×8 px, too small"),
        (lambda path: path, "No such file"),
    ],
)
def test_what_is_no_film_is_named(make, reason, tmp_path):
    path = tmp_path / "other.mp4"
    make(path)
    with pytest.raises(ImageError, match=reason):
        list(decoding(path))


def test_a_film_cut_before_its_header_is_named(plain, tmp_path):
    path = tmp_path / "cut.mp4"
    path.write_bytes(plain.read_bytes()[:-2000])  # an MP4 has its header at its end
    with pytest.raises(ImageError, match="is no film that can be read"):
        list(decoding(path))


CRASHING = """
import os, signal, sys
sys.path.insert(0, {root!r})
from emorank.film import decode_film
whole = decode_film._upright
def upright(frame, stream):
    if frame.pts and frame.time > {after}:
        {how} or None
    return whole(frame, stream)
decode_film._upright = upright
decode_film.main()
"""


@pytest.fixture
def instead(monkeypatch, tmp_path):
    """Let the process that decodes do something else after some seconds of the film."""

    def set_up(how: str, after: float) -> None:
        program = tmp_path / "program.py"
        root = str(Path(decoder.__file__).parents[2])
        program.write_text(CRASHING.format(root=root, how=how, after=after))
        monkeypatch.setattr(decoder, "PROGRAM", (str(program),))

    return set_up


def test_a_crash_of_ffmpeg_ends_the_film_and_not_the_program(plain, instead):
    instead("os.kill(os.getpid(), signal.SIGSEGV)", 0.5)
    film = decoding(plain)
    assert [frame.number for frame in film] == list(range(13))
    assert "SIGSEGV" in film.early


def test_a_crash_before_the_first_frame_is_an_error(plain, instead):
    instead("os.kill(os.getpid(), signal.SIGSEGV)", -1)
    with pytest.raises(ImageError, match="SIGSEGV"):
        list(decoding(plain, every=2, start=1))


def test_a_film_that_hangs_ends(plain, instead):
    instead("__import__('time').sleep(60)", 0.5)
    film = decoding(plain, seconds=2.0)
    assert len(list(film)) == 13
    assert "no frame came within 2 s" in film.early


def test_memory_is_bounded(plain, instead):
    instead("bytearray(8_000_000_000)", -1)
    with pytest.raises(ImageError, match="more memory than a film may take"):
        list(decoding(plain, start=1))


def test_frames_beyond_the_limit_are_refused(plain, instead):
    instead("0", 1000)
    program = Path(*decoder.PROGRAM)
    small = "decode_film.LIMITS = __import__('emorank.images').images.Limits(pixels=1000)"
    program.write_text(
        program.read_text().replace("decode_film.main()", f"{small}\ndecode_film.main()")
    )
    with pytest.raises(ImageError, match="96×64 px; expected at most 1,000 pixels"):
        list(decoding(plain))


def test_a_folder_of_frames_is_a_film(tmp_path):
    for number, pixels in enumerate(grey_frames(3)):
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    (tmp_path / "1.png").write_bytes(b"")
    paths = tuple(tmp_path / f"{number}.png" for number in range(3))
    film = Decoding(Film("frames", tmp_path, paths, 10.0))
    frames = list(film)
    assert [frame.time for frame in frames] == [0.0, 0.1, 0.2]
    assert frames[0].rgb().shape == (64, 96, 3)
    with pytest.raises(ImageError):
        frames[1].rgb()
    assert film.end == 3
