"""A rating project is opened again, wherever it is."""

import pytest

from emorank.errors import RatingError
from emorank.room.overview import answers
from emorank.room.project import open_project


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
