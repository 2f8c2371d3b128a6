"""Films become tables: whole, through kills, with tracks, events and labels."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from pandas.testing import assert_frame_equal
from PIL import Image
from scipy.stats import spearmanr
from tests.film.filming import RATE, SAMPLE, STEPS, face, rise_and_fall, scene, write_film

import emorank
from emorank.cli import emorank as command_line
from emorank.errors import EmorankError, ImageError, PlanError, StudyError
from emorank.film import films, look
from emorank.film.tables import FIRST

ANN, BEN = "p01", "p05"


def crossing() -> list[np.ndarray]:
    """Two persons pass before each other, then a cut to one of them elsewhere."""
    ann, ben = face(ANN), face(BEN)
    frames = []
    for k in range(16):
        left, right = 10 + 12 * k, 210 - 12 * k
        frames.append(scene((ann, left, 60, 100), (ben, right, 80, 100)))
    return frames + [scene((ben, 30, 20, 180), grey=220)] * 6


@pytest.fixture(scope="session")
def film(tmp_path_factory) -> Path:
    """An expression that comes and goes, then nobody, then two persons crossing, then a cut."""
    happy = [scene((picture, 80, 40, 160)) for picture in rise_and_fall("p02", "surprise", 6)]
    nobody = [scene()] * 4
    return write_film(tmp_path_factory.mktemp("films") / "film.mp4", happy + nobody + crossing())


@pytest.fixture(scope="session")
def watched(film, tmp_path_factory):
    """The film, read at once."""
    (done,) = emorank.watch(
        film, tmp_path_factory.mktemp("watched") / "out", labels=["elan", "boris"]
    )
    return done


@pytest.fixture(scope="session")
def frames(watched) -> pd.DataFrame:
    return watched.frames()


def test_time_is_complete(frames, watched):
    assert frames["frame"].unique().tolist() == list(range(66 + 4 + 22))
    np.testing.assert_allclose(frames["time"], frames["frame"] / RATE, atol=1e-6)
    empty = frames[frames["face"].isna()]
    assert empty["frame"].tolist() == [66, 67, 68, 69]
    assert empty.drop(columns=["frame", "time", "shot", "image"]).isna().all(axis=None)
    assert watched.about["read"] == watched.about["frames"] == 92


def test_rows_are_those_of_rank(frames, film, tmp_path):
    """A frame that is read alone has the same numbers."""
    with_face = frames[frames["frame"] == 30].iloc[0]
    from emorank.film.decoder import Decoding

    (frame,) = (one for one in Decoding(films.Film("film", film)) if one.number == 30)
    row = emorank.read(frame.picture, heatmaps=False).to_frame().iloc[0]
    own = [name for name in row.index if name not in ("image", "face")]
    columns = frames.columns.to_list()
    assert tuple(columns[:5]) == FIRST
    assert columns[5 : 5 + len(row)] == row.index.to_list()
    measured = np.log(row["p_happy"] / row["p_neutral"])
    assert with_face["contrast_happy"] == pytest.approx(measured, abs=1e-3)
    for name in own:
        if isinstance(row[name], str):
            assert with_face[name] == row[name]
        else:
            assert with_face[name] == pytest.approx(row[name], rel=1e-4, abs=1e-4)
    eyes = with_face[["eye_right_x", "eye_right_y"]].to_numpy(float)
    eyes -= with_face[["eye_left_x", "eye_left_y"]].to_numpy(float)
    assert with_face["size"] == pytest.approx(np.hypot(*eyes), abs=0.2)


def test_persons_keep_their_tracks_through_crossing_and_cut(frames):
    crossed = frames[frames["frame"] >= 70].dropna(subset="track")
    first = crossed[crossed["frame"] == 70].sort_values("box_left")["track"].to_list()
    last = crossed[crossed["frame"] == 85].sort_values("box_left")["track"].to_list()
    assert len(set(first)) == 2
    assert first == last[::-1]
    assert crossed.loc[crossed["frame"] == 91, "track"].to_list() == [first[1]]
    assert frames["shot"].iloc[-1] > crossed["shot"].iloc[0]
    assert frames["sequence"].dropna().unique().tolist()[0] == "film/1"


def test_the_expression_is_an_event(watched):
    events = watched.events()
    surprise = events[events["emotion"] == "surprise"].iloc[0]
    assert surprise["onset"] < surprise["apex"] < surprise["offset"]
    assert abs(surprise["apex_frame"] - 33) <= 6  # the peak is shown from 30 to 36


def test_the_smooth_curve_follows_the_known_intensity(frames):
    own = frames[frames["frame"] < 66]
    steps = SAMPLE.table.set_index("sequence").loc["p02_surprise"].sort_values("frame")
    level = [0.0, *steps["intensity"]]
    shown = [level[k] for k in STEPS]
    known = np.interp(own["frame"] / 6, range(len(shown)), shown)
    measured = np.log(own["p_surprise"] / own["p_neutral"])
    smooth, raw = (
        spearmanr(curve, known).statistic for curve in (own["smooth_surprise"], measured)
    )
    assert smooth > 0.9
    assert smooth > raw


def test_a_blurred_face_has_less_sharpness():
    sharp = face(ANN)
    small = Image.fromarray(sharp).resize((40, 40)).resize((224, 224), Image.Resampling.BILINEAR)
    assert look.sharpness(np.asarray(small)) < look.sharpness(sharp) / 4
    assert look.sharpness(np.full((9, 9, 3), 7, np.uint8)) == pytest.approx(0)


def test_elan_gets_tiers_of_annotations_that_do_not_overlap(watched):
    table = pd.read_csv(watched.folder / "elan.csv")
    assert table.columns.to_list() == ["Tier", "Begin Time", "End Time", "Annotation"]
    assert (table["End Time"] > table["Begin Time"]).all()
    for _, tier in table.groupby("Tier"):
        ordered = tier.sort_values("Begin Time")
        ends = ordered["End Time"].to_numpy()[:-1]
        assert (ordered["Begin Time"].to_numpy()[1:] >= ends - 1e-6).all()
    assert "track 1 surprise" in set(table["Tier"])
    assert "track 1 level" in set(table["Tier"])


def test_boris_gets_pairs_of_state_events(watched):
    table = pd.read_csv(watched.folder / "boris.csv")
    assert table.columns.to_list() == ["time", "subject", "code", "modifier", "comment"]
    assert table["time"].is_monotonic_increasing
    assert (table.groupby(["subject", "code", "modifier"]).size() % 2 == 0).all()
    project = json.loads((watched.folder / "film.boris").read_text())
    (observation,) = project["observations"].values()
    assert observation["type"] == "MEDIA"
    codes = {about["code"] for about in project["behaviors_conf"].values()}
    names = {about["name"] for about in project["subjects_conf"].values()}
    for time_, subject, code, *_ in observation["events"]:
        assert time_ >= 0
        assert subject in names
        assert code in codes


def test_a_killed_command_goes_on_and_gives_the_same_tables(film, watched, tmp_path):
    command = [sys.executable, "-m", "emorank", "watch", str(film), "--out", str(tmp_path)]
    journal = tmp_path / "film" / "frames.partial"
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        if journal.exists() and journal.read_bytes().count(b"\n") > 20:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert journal.exists(), "the command had finished before it was killed"
    with journal.open("ab") as file:
        file.write(b'1234 {"frame": half')  # and the last line torn
    (again,) = emorank.watch(film, tmp_path, draw=False)
    assert not again.again
    assert not journal.exists()
    assert_frame_equal(again.frames(), watched.frames())
    assert_frame_equal(again.events(), watched.events())
    written = (tmp_path / "film" / "frames.parquet").stat().st_mtime_ns
    (same,) = emorank.watch(film, tmp_path, draw=False)
    assert same.again
    assert (tmp_path / "film" / "frames.parquet").stat().st_mtime_ns == written


def test_what_is_there_of_other_options_is_not_replaced(film, tmp_path):
    asked = {"every": 30, "progress": lambda *_: None}
    (first,) = emorank.watch(film, tmp_path, draw=False, **asked)
    before = first.frames()
    with pytest.raises(StudyError, match="with other options"):
        emorank.watch(film, tmp_path, draw=False, every=31)
    assert_frame_equal(first.frames(), before)
    (second,) = emorank.watch(film, tmp_path, draw=False, every=31, overwrite=True, format="csv")
    assert second.frames()["frame"].unique().tolist() == [0, 31, 62]
    assert not (second.folder / "frames.parquet").exists()
    os.utime(film)
    with pytest.raises(StudyError, match="changed since"):
        emorank.watch(film, tmp_path, draw=False, every=31, format="csv")


def test_a_folder_of_films_and_frames_goes_on_past_what_is_none(film, tmp_path):
    given = tmp_path / "given"
    (given / "S011" / "001").mkdir(parents=True)
    for number in (9, 10, 11):
        Image.fromarray(face(ANN)).save(given / "S011" / "001" / f"{number}.png")
    (given / "S011" / "001" / "10.png").write_bytes(b"no picture")
    (given / "empty.mp4").touch()
    (given / "notes.txt").write_text("no film")
    other = emorank.watch(given, tmp_path / "out", draw=False, fps=10, shard=(2, 2))
    assert not (tmp_path / "out" / "S011_001").exists()
    assert not other.films
    done = emorank.watch(given, tmp_path / "out", draw=False, fps=10)
    assert [one.name for one in done] == ["S011_001"]
    assert [Path(error.file).name for error in done.excluded] == ["empty.mp4"]
    table = done.films[0].frames()
    assert table["image"].map(lambda name: Path(name).name).to_list() == ["9.png", "11.png"]
    assert table["time"].to_list() == [0.0, 0.2]
    (broken,) = done.films[0].about["broken_frames"]
    assert broken["frame"] == 1
    assert not (tmp_path / "out" / "empty").exists()


def test_only_the_nearest_faces(film, tmp_path):
    told = []
    options = {"draw": False, "every": 75, "faces": 1}
    (done,) = emorank.watch(film, tmp_path, progress=lambda *said: told.append(said), **options)
    assert done.frames()["face"].to_list() == [1, 1]
    assert told[-1][:2] == (2, 2)
    assert "a second" in told[-1][2]


def test_several_ranks_have_columns_of_their_own(film, tmp_path):
    options = {"draw": False, "every": 80, "smooth": False}
    (done,) = emorank.watch(film, tmp_path, rank=["paper", "contrast"], **options)
    table = done.frames()
    assert table["smooth_fear"].to_list() == table["contrast_fear"].to_list()
    assert {"score", "contrast_score", "contrast_rank", "smooth_score"} <= set(table)
    assert {"n_1", "value_1"} <= set(table)


def test_the_terminal_says_what_came_of_each(film, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no film" * 1000)
    command = ["watch", str(film), str(tmp_path / "broken.mp4"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(command_line, [*command, "--every", "45"])
    assert done.exit_code == 0
    assert "film: 3 frames, " in done.output
    assert "broken.mp4: is no film that can be read" in done.output
    only = CliRunner().invoke(command_line, ["watch", command[2], "--out", str(tmp_path / "no")])
    assert isinstance(only.exception, ImageError)
    assert not list((tmp_path / "no").iterdir())
    both = [command[2], command[2], "--out", str(tmp_path / "no")]
    none = CliRunner().invoke(command_line, ["watch", *both])
    assert isinstance(none.exception, EmorankError)
    assert "none of the 2 films" in str(none.exception)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"every": 0}, "every=0: expected at least 1"),
        ({"faces": 0}, "faces=0: expected at least 1"),
        ({"fps": 0}, "fps=0: expected frames a second"),
        ({"format": "xlsx"}, "format='xlsx': expected parquet or csv"),
        ({"labels": "elam"}, "labels='elam': expected elan or boris"),
        ({"shard": (3, 2)}, "shard 3/2: expected I/N"),
        ({"rank": "happiness"}, "'happiness' is no rank"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, words, tmp_path):
    with pytest.raises(PlanError, match=words):
        emorank.watch("film.mp4", tmp_path, **{"every": 1} | options)
    assert not list(tmp_path.iterdir())


def test_the_extra_is_named_where_it_is_missing(film, tmp_path, monkeypatch):
    monkeypatch.setattr("emorank.film.decoder.find_spec", lambda name: None)
    with pytest.raises(EmorankError, match=r"emorank\[film\]"):
        emorank.watch(film, tmp_path, draw=False)


def test_a_folder_with_no_film_is_named(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ImageError, match="no film and no frame"):
        films.films_in([tmp_path])


def test_what_a_stopped_command_has_written_is_no_film(tmp_path):
    """Pictures of faces beside the films are not read as films of frames."""
    result = tmp_path / "watched" / "a"
    (result / "faces").mkdir(parents=True)
    Image.fromarray(face(ANN)).save(result / "faces" / "0000000_1.jpg")
    (result / films.UNFINISHED).touch()
    (tmp_path / "a.mp4").touch()
    assert [one.name for one in films.films_in([tmp_path])] == ["a"]


def test_films_of_one_name_get_folders_of_their_own(tmp_path):
    for name in ("a.mp4", "a.MOV", "b/a.avi", "b/(x) y.mkv"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert [one.name for one in films.films_in([tmp_path])] == ["a", "a_2", "b__x_y", "b_a"]
    assert [one.name for one in films.films_in([tmp_path / "a.mp4", tmp_path / "b/a.avi"])] == [
        "a",
        "a_2",
    ]
