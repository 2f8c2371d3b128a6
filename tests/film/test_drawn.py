"""What is drawn of a film: page and figure, films by option; again without reading."""

import json
import os
import shutil
from pathlib import Path
from urllib.parse import unquote

import av
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from tests.film.filming import RATE, face, rise_and_fall, scene, write_film

import emorank
from emorank.cli import emorank as command_line
from emorank.errors import ImageError, PlanError, StudyError
from emorank.film import alone, decoder, drawn, stills, webm
from emorank.film.films import Film, films_in

# One second, its frames at uneven times, in units of 1 / RATE.
TIMES = [k + (k > 11) * 3 for k in range(24)]
HOSTILE = "<img src=x onerror=boom()> & $x$.mp4"


def with_sound(silent: Path, path: Path, seconds: float) -> Path:
    """The film with a tone."""
    with av.open(str(silent)) as source, av.open(str(path), "w") as output:
        video = output.add_stream_from_template(source.streams.video[0])
        audio = output.add_stream("aac", rate=44_100)
        audio.layout = "mono"
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = video
                output.mux(packet)
        tone = np.sin(np.arange(int(seconds * 44_100)) * 2 * np.pi * 440 / 44_100)
        for start in range(0, len(tone) - 1024, 1024):
            part = (0.1 * tone[None, start : start + 1024]).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 44_100, start
            output.mux(audio.encode(frame))
        output.mux(audio.encode(None))
    return path


@pytest.fixture(scope="session")
def film(tmp_path_factory) -> Path:
    """A face that looks surprised and calm again, with a tone; its name is no plain one."""
    folder = tmp_path_factory.mktemp("drawn")
    pictures = [scene((one, 80, 40, 160)) for one in rise_and_fall("p02", "surprise", 3)]
    silent = write_film(folder / "silent.mp4", pictures[4:28], pts=TIMES)
    return with_sound(silent, folder / HOSTILE, 27 / RATE)


@pytest.fixture(scope="session")
def watched(film, tmp_path_factory):
    """All that can be drawn of it."""
    out = tmp_path_factory.mktemp("drawn") / "out"
    (done,) = emorank.watch(film, out, annotate=True, heatmaps=True)
    return done


def pictures_of(path: Path) -> tuple[list[float], list[np.ndarray]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [float(f.pts * f.time_base) for f in frames], [
        f.to_ndarray(format="rgb24") for f in frames
    ]


def test_everything_is_there_and_the_film_beside_it(watched, film):
    names = {path.name for path in watched.drawn}
    assert names == {
        "index.html",
        "timeline.png",
        "timeline.pdf",
        "annotated.webm",
        "heatmaps.webm",
    }
    assert watched.page.samefile(watched.folder / "index.html")
    assert (watched.folder / "original.mp4").samefile(film)
    assert Image.open(watched.folder / "timeline.png").width > 1000
    kept = {path.name for path in watched.folder.iterdir()}
    assert not [name for name in kept if name.endswith(".partial")]


@pytest.mark.parametrize("name", ["annotated.webm", "heatmaps.webm"])
def test_films_keep_their_times_and_their_sound(watched, name):
    times, pictures = pictures_of(watched.folder / name)
    np.testing.assert_allclose(times, np.array(TIMES) / RATE, atol=0.0015)
    assert pictures[0].shape == (240, 320, 3)
    with av.open(str(watched.folder / name)) as container:
        assert container.streams.video[0].codec_context.name == "vp9"
        heard = np.concatenate([f.to_ndarray()[0] for f in container.decode(audio=0)])
    loud = np.abs(np.fft.rfft(heard[::2] if len(heard) > 60_000 else heard))
    assert 0.9 < len(heard) / 48_000 < 2.4
    assert loud.max() > 20 * np.median(loud)


def test_the_annotated_film_shows_box_words_and_bar(watched):
    rows = watched.frames().set_index("frame")
    number = int(watched.events()["apex_frame"].iloc[0])
    row = rows.loc[number]
    _, before = pictures_of(watched.folder / "original.mp4")
    _, after = pictures_of(watched.folder / "annotated.webm")
    changed = np.abs(after[number].astype(int) - before[number]).max(axis=2) > 60
    left, top, right, bottom = (
        int(row[f"box_{side}"]) for side in ("left", "top", "right", "bottom")
    )
    assert changed[top + 5 : bottom - 5, left - 1 : left + 2].mean() > 0.3
    assert changed[top - 15 : top - 2, left + 5 : left + 60].mean() > 0.5
    assert changed[bottom + 2 : bottom + 6, left + 5 : right - 5].mean() > 0.5
    assert changed[top + 30 : bottom - 30, left + 30 : right - 30].mean() < 0.02


def test_the_heatmap_lies_on_the_face(watched):
    """Within what the network sees the face is grey and coloured; the rest stays as it was."""
    rows = watched.frames().set_index("frame")
    number = int(watched.events()["apex_frame"].iloc[0])
    _, pictures = pictures_of(watched.folder / "heatmaps.webm")
    eye = rows.loc[number][["eye_left_x", "eye_left_y"]].to_numpy(float).round().astype(int)
    mouth = rows.loc[number][["mouth_left_x", "mouth_right_x"]].mean()
    inside = pictures[number][eye[1] - 30 : eye[1] + 60, int(mouth) - 40 : int(mouth) + 40]
    spread = np.ptp(inside.astype(int), axis=2)
    assert np.median(spread) < 25  # grey
    assert (spread > 80).sum() > 20  # coloured
    assert np.ptp(pictures[number][2:8, 2:8].astype(int), axis=2).max() < 12


def test_a_film_on_another_disk_is_named_where_it_is(watched, film, monkeypatch, tmp_path):
    """Where the film cannot have a second name, the page leads to its first one."""

    def refuse(*_):
        raise OSError("another device")

    monkeypatch.setattr(os, "link", refuse)
    address = drawn._beside(films_in([film])[0], tmp_path)
    assert (tmp_path / unquote(address)).resolve() == film.resolve()
    assert not any(mark in address for mark in '<>"&$ ')
    odd = tmp_path / os.fsdecode(b"\xff.mp4")
    odd.write_bytes(b"a film")
    assert drawn._beside(Film("odd", odd), tmp_path) == "%FF.mp4"


def test_the_page_plays_the_film_and_jumps(watched, chromium):
    """In Chromium, from the disk: a click on an event moves the film there; nothing is asked."""
    page = chromium.new_page()
    complaints, asked = [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(watched.page.as_uri())
    assert page.inner_text("h1") == HOSTILE
    assert page.locator("#versions option").count() == 3
    page.select_option("#version", label="annotated")  # any Chromium plays it
    for _ in range(200):
        if page.evaluate("document.getElementById('video').readyState") > 1:
            break
        page.wait_for_timeout(50)
    page.locator("#events tbody button").first.click()
    apex = watched.events()["apex"].iloc[0]
    at = page.evaluate("document.getElementById('video').currentTime")
    assert at == pytest.approx(apex, abs=0.01)
    assert page.locator("#still").is_hidden()
    folder = watched.folder.as_uri()
    assert [url for url in asked if not url.startswith((folder, "data:", "blob:"))] == []
    assert complaints == []
    page.close()


def test_it_is_drawn_again_without_reading_or_decoding(watched, monkeypatch):
    """Page and figure come from tables and stills; films that are there stay."""
    names = ("index.html", "timeline.png")
    before = {name: (watched.folder / name).read_bytes() for name in names}
    times = {p.name: p.stat().st_mtime_ns for p in watched.folder.glob("*.webm")}
    (watched.folder / "timeline.png").unlink()
    monkeypatch.setattr(decoder, "_start", None)
    again = emorank.draw_film(watched.folder, annotate=True)
    assert {p.name for p in again} == {p.name for p in watched.drawn}
    assert {name: (watched.folder / name).read_bytes() for name in names} == before
    assert {p.name: p.stat().st_mtime_ns for p in watched.folder.glob("*.webm")} == times


def test_the_same_command_again_draws_nothing(film, watched):
    stamps = {path: path.stat().st_mtime_ns for path in watched.drawn}
    (again,) = emorank.watch(film, watched.folder.parent, annotate=True, heatmaps=True)
    assert again.again
    assert {path: path.stat().st_mtime_ns for path in again.drawn} == stamps


def test_pictures_of_other_tables_are_removed(film, tmp_path):
    """A film that is read with other options has no annotated film of the options before."""
    (done,) = emorank.watch(film, tmp_path, every=9, annotate=True)
    assert (done.folder / "annotated.webm").exists()
    (done,) = emorank.watch(film, tmp_path, every=12, overwrite=True, draw=False)
    assert done.drawn == []
    assert not (done.folder / "annotated.webm").exists()
    assert not (done.folder / "stills").exists()
    assert not done.page.exists()


def test_so_many_faces_and_frames_are_kept(watched, monkeypatch, tmp_path):
    """The strongest faces, and frames evenly apart; those of the figure are always there."""
    folder = Path(shutil.copytree(watched.folder, tmp_path / "copy"))
    shutil.rmtree(folder / "stills")
    monkeypatch.setattr(drawn, "FACES", 0)
    monkeypatch.setattr(stills, "FRAMES", 3)
    emorank.draw_film(folder)
    kept = [path.name for path in (folder / "stills").glob("*.jpg")]
    assert sum(name.startswith("frame_") for name in kept) == 3
    assert len(kept) - 3 == len(watched.events())


def test_one_process_at_a_time_draws(watched, monkeypatch):
    monkeypatch.setattr(alone, "_PATIENCE", 0.1)
    with alone.alone_in(watched.folder), pytest.raises(StudyError, match="another process"):
        emorank.draw_film(watched.folder)


def test_results_below_the_films_are_no_films(film, watched, tmp_path):
    """Neither the film beside the page nor the stills are read when its folder is given."""
    own = tmp_path / "films"
    own.mkdir()
    os.link(film, own / "film.mp4")
    (own / "watched").symlink_to(watched.folder.parent)
    assert [one.name for one in films_in([own])] == ["film"]
    (own / "watched").unlink()
    (copy := own / "watched" / "film").mkdir(parents=True)
    for path in watched.folder.iterdir():
        if path.is_file():
            os.link(path, copy / path.name)
    assert [one.name for one in films_in([own])] == ["film"]
    (copy / "film.json").unlink()
    assert len(films_in([own])) > 1


def test_a_film_without_a_face_has_a_page(tmp_path):
    empty = write_film(tmp_path / "nobody.mp4", [scene()] * 4)
    (done,) = emorank.watch(empty, tmp_path / "out", annotate=True, heatmaps=True, format="csv")
    assert len(done.drawn) == 5
    assert "no face was found" in done.page.read_text()
    assert "frames.csv" in done.page.read_text()


def test_a_folder_of_frames_has_a_page_with_single_frames(tmp_path):
    frames = tmp_path / "S011_001"
    frames.mkdir()
    for number, picture in enumerate(rise_and_fall("p05", "happy", 1)[:6]):
        Image.fromarray(picture).save(frames / f"{number}.png")
    (frames / "6.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    result = CliRunner().invoke(
        command_line,
        ["watch", str(frames), "--fps", "10", "--out", str(tmp_path / "out"), "--annotate"],
    )
    assert result.exit_code == 0, result.output
    assert "to look at:" in result.output
    folder = tmp_path / "out" / "S011_001"
    assert "annotated.webm" in folder.joinpath("index.html").read_text()
    assert len(pictures_of(folder / "annotated.webm")[0]) == 6
    emorank.draw_film(folder, heatmaps=True)
    assert len(pictures_of(folder / "heatmaps.webm")[0]) == 6


def test_a_film_that_is_gone_cannot_be_annotated(film, tmp_path):
    """Its second name does; without it an error says what is missing, and what was drawn stays."""
    own = tmp_path / "film.mp4"
    own.write_bytes(film.read_bytes())
    (done,) = emorank.watch(own, tmp_path / "out", every=9)
    own.unlink()
    assert done.folder / "annotated.webm" in emorank.draw_film(done.folder, annotate=True)
    assert "<h1>film.mp4</h1>" in done.page.read_text()
    (done.folder / "annotated.webm").unlink()
    (done.folder / "original.mp4").unlink()
    with pytest.raises(ImageError, match="No such file"):
        emorank.draw_film(done.folder, annotate=True)
    assert not list(done.folder.glob("*annotated*"))
    assert done.page.exists()
    left = done.folder / ".annotated.webm.1.partial"
    left.touch()  # by a process that was killed
    emorank.draw_film(done.folder)
    assert not left.exists()
    with pytest.raises(PlanError, match="folder of a film that was read"):
        emorank.draw_film(tmp_path)


def test_only_an_empty_cell_of_a_table_is_missing(film, tmp_path):
    """In CSV the level None is a level."""
    (done,) = emorank.watch(film, tmp_path, every=8, format="csv", draw=False)
    assert done.frames()["smooth_rank"].notna().all()
    assert json.loads((done.folder / "film.json").read_text())["read"] == 3


def test_a_film_whose_sound_cannot_be_read_is_silent(tmp_path):
    """The process that joins them may fail: the pictures are kept, and nothing is left over."""
    (tmp_path / "noise.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(99))
    pictures = [(0.04 * k, np.full((48, 64, 3), 9 * k, np.uint8)) for k in range(5)]
    assert not webm.write_webm(tmp_path / "a.webm", iter(pictures), tmp_path / "noise.mp4")
    assert len(pictures_of(tmp_path / "a.webm")[0]) == 5
    assert {path.name for path in tmp_path.iterdir()} == {"a.webm", "noise.mp4"}


def test_large_and_odd_pictures_become_films(tmp_path):
    """Sides are even and at most so long; the size of the first counts for all; times rise."""
    pictures = [(0.0, np.zeros((101, 2401, 3), np.uint8)), (0.0, np.zeros((50, 50, 3), np.uint8))]
    assert not webm.write_webm(tmp_path / "a.webm", iter(pictures))
    times, made = pictures_of(tmp_path / "a.webm")
    assert made[1].shape == (80, 1920, 3)
    assert times == [0.0, 0.001]
    with pytest.raises(ImageError, match="no picture"):
        webm.write_webm(tmp_path / "b.webm", iter(()))
    assert [path.name for path in tmp_path.iterdir()] == ["a.webm"]


def test_stills_are_cut_within_the_picture():
    picture = scene((face("p01"), 0, 0, 100))
    assert stills.cut(picture, [-10, -10, 60, 80]).shape == (stills.SIDE, stills.SIDE, 3)
    assert stills.cut(picture, [0, 0, 5000, 5000]).shape == (stills.SIDE, stills.SIDE, 3)
    assert stills.spaced(np.arange(10), 4).tolist() == [0, 2, 5, 7]
    assert stills.spaced(np.arange(2), 4).tolist() == [0, 1]
    assert stills.small(picture, 64).shape == (48, 64, 3)
