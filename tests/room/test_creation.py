"""A rating project is made whole or not at all."""

import os
import stat

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import text
from tests.rooms import ORIGIN, images, noise

from emorank.errors import ImageError, RatingError, StorageError
from emorank.room.creation import Setup, create_project
from emorank.room.database import Database
from emorank.room.overview import answers, log


def test_pictures_have_random_names_and_no_camera_data(make_room):
    """Upright JPEGs of at most 1024 px, without EXIF, under ids that say nothing."""
    room = make_room(count=6, read=lambda _: np.zeros((1500, 2000, 3), np.uint8))
    files = sorted((room.project.folder / "images").iterdir())
    assert len(files) == 6
    for file in files:
        with Image.open(file) as picture:
            assert picture.format == "JPEG"
            assert picture.size == (1024, 768)
            assert not picture.getexif()
        assert not {"happy", "fear", "p1"} & set(file.stem.lower().split("/"))


def test_all_of_it_is_for_its_owner_only(make_room):
    """Folders, pictures, the settings with a password perhaps, the database and its log."""
    before = os.umask(0)
    try:
        room = make_room()
        room.vote_all("r1")
    finally:
        os.umask(before)
    found = {path: stat.S_IMODE(path.stat().st_mode) for path in room.project.folder.rglob("*")}
    assert len(found) > 12
    assert {mode for path, mode in found.items() if path.is_file()} == {0o600}
    assert {mode for path, mode in found.items() if path.is_dir()} == {0o700}
    assert stat.S_IMODE(room.project.folder.stat().st_mode) == 0o700


def test_images_that_cannot_be_read_are_listed(make_room):
    """Left out with a reason, and never shown."""

    def read(name):
        if name.endswith("p3.png"):
            raise ImageError(name, "is damaged")
        return noise(name)

    room = make_room(count=8, read=read, repeats=0)
    assert len(room.showings("r1")) == 7
    listed = (room.project.folder / "excluded.csv").read_text().splitlines()
    assert listed[1:] == ["fear/p3.png,is damaged"]


def test_a_seed_gives_the_same_orders(make_room):
    """On another machine, with other ids: the same images in the same order for each rater."""

    def order(room, name):
        room.vote_all(name)
        given = answers(room.project)
        return given.loc[given["rater"] == name, ["image", "repeat"]].to_numpy().tolist()

    rooms = [make_room(count=30, name=f"room{i}", seed=i // 2) for i in range(3)]
    first, same, other = (order(room, "r1") for room in rooms)
    assert first == same != other
    assert order(rooms[0], "r2") != first


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"question": "How strong?"}, "expected {emotion} in it once"),
        ({"repeats": 0.5}, "expected a share"),
        ({"seed": -1}, "expected a number"),
        ({"face_size": 99}, "expected 100 to 1024"),
        ({"face_size": 1025}, "expected 100 to 1024"),
        ({"background": "grey"}, "expected one such as #808080"),
        ({"background": "#80808 "}, "expected one such as #808080"),
        ({"raters": ()}, "0 raters"),
        ({"raters": ("a", "a")}, "a name of their own"),
        ({"raters": ("a", " a")}, "a name of their own"),
        ({"raters": ("a", " ")}, "a name of their own"),
        ({"database": "mysql://x/y"}, "is no database for emorank"),
        ({"database": "nonsense"}, "no address of a database"),
    ],
)
def test_what_is_impossible_is_refused(make_room, tmp_path, changes, says):
    """With a message, and without a trace."""
    with pytest.raises(RatingError, match=says):
        make_room(**changes)
    assert list(tmp_path.glob("*room*")) == []


def test_a_folder_in_use_is_left_alone(make_room, tmp_path):
    """Whatever lies in it."""
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "thesis.txt").write_text("x")
    with pytest.raises(RatingError, match="in use"):
        make_room()
    assert (tmp_path / "room" / "thesis.txt").read_text() == "x"


def test_a_database_that_cannot_be_reached_leaves_nothing(tmp_path):
    """The folder is not made."""
    setup = Setup(database="postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(StorageError, match="does not answer"):
        create_project(tmp_path / "room", images(4), noise, ["r1"], setup)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_on_the_way_leaves_no_schema(postgresql, tmp_path, monkeypatch):
    """PostgreSQL has no schema of a project that was not made."""

    def fail(*_):
        raise RuntimeError

    monkeypatch.setattr("emorank.room.enrolment.showing_order", fail)
    with pytest.raises(RuntimeError):
        create_project(tmp_path / "r", images(4), noise, ["r1"], Setup(database=postgresql.url))
    database = Database(postgresql.url)
    with database.reading() as connection:
        query = (
            "SELECT count(*) FROM pg_namespace WHERE nspname NOT IN (SELECT nspname FROM "
            "pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid) AND nspname LIKE 'rating%'"
        )
        assert connection.scalar(text(query)) == 0
    database.close()
    assert list(tmp_path.iterdir()) == []


def test_the_base_url_is_kept(room):
    """Links that are printed later begin as the first ones did."""
    assert room.project.about().base_url == ORIGIN


def test_the_bounds_themselves_are_possible(make_room):
    """A thousand raters, three in ten images twice, the greatest seed; beyond is refused."""
    many = [f"r{number}" for number in range(1000)]
    room = make_room(count=2, raters=many, repeats=0.3, seed=2**31 - 1)
    assert len(room.raters) == 1000
    for changes in ({"raters": [*many, "one more"]}, {"seed": 2**31}, {"repeats": 0.31}):
        with pytest.raises(RatingError):
            make_room(name="beyond", **changes)


def test_a_path_that_is_a_file_is_in_use(make_room, tmp_path):
    """It stays as it is; an empty folder is used."""
    (tmp_path / "room").write_text("x")
    with pytest.raises(RatingError, match="in use"):
        make_room()
    (tmp_path / "empty").mkdir()
    assert len(make_room(name="empty").showings("r1")) == 13


def test_sqlite_has_no_url(make_room):
    """A file elsewhere could not be moved with the project."""
    with pytest.raises(RatingError, match="leave it out for a file of SQLite"):
        make_room(database="sqlite:///elsewhere.db")


def test_without_an_image_there_is_no_project(make_room, tmp_path):
    """The message has the first reason."""

    def fail(name):
        raise ImageError(name, "is damaged")

    with pytest.raises(RatingError, match=r"none of 4 images .*happy/p0\.png: is damaged"):
        make_room(count=4, read=fail)
    assert not (tmp_path / "room").exists()


def test_small_pictures_keep_their_size(make_room):
    """Only those above 1024 px shrink, by their longer side."""
    room = make_room(count=1, read=lambda _: np.zeros((1024, 30, 3), np.uint8))
    (file,) = (room.project.folder / "images").iterdir()
    with Image.open(file) as picture:
        assert picture.size == (30, 1024)


def test_progress_is_called_for_every_picture(tmp_path):
    """From none to all."""
    calls = []
    project = create_project(
        tmp_path / "r", images(3), noise, ["a"], progress=lambda *call: calls.append(call)
    )
    project.database.close()
    assert calls == [(number, 3, "pictures") for number in range(4)]


def test_orders_do_not_depend_on_the_order_of_images(make_room):
    """Names are sorted as people count: p2 before p10."""
    orders = []
    for number, shown in enumerate((images(12), images(12)[::-1])):
        room = make_room(shown=shown, name=f"room{number}")
        room.vote_all("r1")
        orders.append(answers(room.project)["image"].tolist())
    assert orders[0] == orders[1]
    assert log(room.project)["kind"].tolist()[0] == "new"
