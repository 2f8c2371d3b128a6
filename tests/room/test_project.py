"""A rating project: made whole or not at all, opened again, read by a study."""

import stat
import sys

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import text
from tests.rooms import ORIGIN, images, noise

from emorank.answers.answers_table import answers_table
from emorank.answers.interchange import write_answers
from emorank.errors import ImageError, MissingExtraError, RatingError, StorageError, VotesError
from emorank.room.creation import Setup, create_project
from emorank.room.database import Database
from emorank.room.intake import import_answers
from emorank.room.invites import invite
from emorank.room.overview import answers, log, progress
from emorank.room.project import open_project
from emorank.room.sources import read_answers, read_votes


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


def test_the_settings_are_for_their_owner_only(room):
    """They may hold the password of a database."""
    mode = (room.project.folder / "rating.toml").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


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
        ({"raters": ()}, "0 raters"),
        ({"raters": ("a", "a")}, "a name of their own"),
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

    monkeypatch.setattr("emorank.room.creation.showing_order", fail)
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


def test_opening_what_is_no_project(tmp_path):
    """Nothing there, damaged settings, the database gone: each with a way out."""
    with pytest.raises(RatingError, match="emorank rate new"):
        open_project(tmp_path)
    (tmp_path / "rating.toml").write_text("database = [")
    with pytest.raises(RatingError, match="damaged"):
        open_project(tmp_path)
    (tmp_path / "rating.toml").write_text('database = ""')
    with pytest.raises(RatingError, match="missing"):
        open_project(tmp_path)


def test_a_project_can_be_moved(make_room, tmp_path):
    """Nothing in it says where it was."""
    room = make_room()
    room.vote_all("r1")
    moved = tmp_path / "elsewhere"
    room.project.database.close()
    room.project.folder.rename(moved)
    again = open_project(moved)
    assert len(answers(again)) == 13
    again.database.close()


def test_a_study_reads_the_votes_of_a_project(room):
    """Ranks of the first showing; None and Skip are blanks; unknown images are refused."""
    words = iter(["Minimal", "Strong", "None", "Skip"] + ["Average"] * 20)
    room.vote_all("r1", lambda showing: next(words))
    votes = read_votes(room.project.folder)
    assert list(votes.columns) == ["image", "rater", "rank"]
    assert set(votes["rank"]) == {"Minimal", "Average", "Strong"}
    assert len(votes) + votes.attrs["blank"] == 12
    with pytest.raises(VotesError, match="9 × unknown image"):
        read_votes(room.project.folder, {"happy/p0.png"})


def test_out_and_in_again(make_room, tmp_path):
    """Exported answers, imported into a new project of the same images, are the same answers."""
    one, two = make_room(repeats=0.2), make_room(name="second", repeats=0.2)
    words = ("Minimal", "Average", "Strong", "None", "Skip")
    for name in ("r1", "r2"):
        one.vote_all(name, lambda showing: words[showing.position % 5])
    given = answers(one.project)
    write_answers(given, tmp_path / "votes.csv")
    assert import_answers(two.project, read_answers(tmp_path / "votes.csv")) == len(given)
    key = ["image", "emotion", "rater", "repeat"]
    came = answers(two.project)
    columns = [*key, "answer", "reaction_ms", "hidden_ms"]
    left, right = (t.sort_values(key, ignore_index=True)[columns] for t in (given, came))
    assert left.equals(right)
    assert (log(two.project)["kind"] == "import").sum() == len(given)
    with pytest.raises(RatingError, match="already"):
        import_answers(two.project, given)
    assert len(answers(two.project)) == len(given)


def test_import_adds_raters_and_refuses_unknown_images(room):
    """A rater that is not there is added; an image that is not there stops all of it."""
    table = answers(room.project)
    row = {"image": "happy/p0.png", "emotion": "happy", "rater": "guest", "answer": "Strong"}
    with pytest.raises(RatingError, match="does not have"):
        import_answers(room.project, answers_table([row, row | {"image": "other.png"}]))
    assert answers(room.project).equals(table)
    assert import_answers(room.project, answers_table([row | {"emotion": None}])) == 1
    assert [person.name for person in progress(room.project)] == ["r1", "r2", "guest"]


def test_progress_tells_how_far_and_whether_links_are_used(room):
    """Answers, median time, and the state of the link."""
    invite(room.project, room.raters["r1"])
    room.vote("r1", {showing.id: "Strong" for showing in room.showings("r1")[:5]})
    first, second = progress(room.project)
    assert (first.answered, first.total, first.median_ms, first.link) == (5, 13, 800, "open")
    assert (second.answered, second.median_ms, second.link) == (0, None, "none")


def test_without_the_extra_the_message_names_it(room, monkeypatch):
    """Whoever has not installed the web part is told how."""
    monkeypatch.setitem(sys.modules, "emorank.room.overview", None)
    monkeypatch.delitem(sys.modules, "emorank.room.overview")
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    monkeypatch.delitem(sys.modules, "emorank.room.project")
    with pytest.raises(MissingExtraError, match=r"pip install 'emorank\[web\]'"):
        read_votes(room.project.folder)


def test_the_base_url_is_kept(room):
    """Links that are printed later begin as the first ones did."""
    assert room.project.about().base_url == ORIGIN
