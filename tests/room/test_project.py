"""A rating project is opened again, wherever it is."""

import stat

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


def test_opening_closes_a_project_to_others(make_room, caplog):
    """One that everybody could read, as projects were once made; it says so, and only then."""
    room = make_room()
    room.project.database.close()
    pictures = room.project.folder / "images"
    for path in (room.project.folder, pictures):
        path.chmod(0o755)
    for path in (picture := next(pictures.iterdir()), room.project.folder / "excluded.csv"):
        path.chmod(0o644)
    open_project(room.project.folder).database.close()
    assert "4 files and folders could be read by others" in caplog.text
    assert stat.S_IMODE(pictures.stat().st_mode) == 0o700
    assert stat.S_IMODE(picture.stat().st_mode) == 0o600
    caplog.clear()
    open_project(room.project.folder).database.close()
    assert not caplog.text


def test_a_project_of_somebody_else_is_opened_with_a_warning(room, caplog, monkeypatch):
    """Where rights cannot be changed, the work goes on."""

    def refuse(_):
        raise PermissionError("not yours")

    monkeypatch.setattr("emorank.room.project.make_private", refuse)
    open_project(room.project.folder).database.close()
    assert "others may be able to read this project (not yours)" in caplog.text
