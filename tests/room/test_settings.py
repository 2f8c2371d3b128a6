"""`rating.toml`: what is written is read, and only its owner may read it."""

import stat

import pytest

from emorank.errors import RatingError
from emorank.room.settings import is_project, read_settings, write_settings


@pytest.mark.parametrize(
    ("url", "schema", "expected"),
    [
        (None, None, ("", None)),
        ("postgresql+psycopg://me:secret@host/name", "rating_1",
         ("postgresql+psycopg://me:secret@host/name", "rating_1")),
    ],
)  # fmt: skip
def test_what_is_written_is_read(tmp_path, url, schema, expected):
    """By its name a folder is a project."""
    assert not is_project(tmp_path)
    write_settings(tmp_path, url, schema)
    assert is_project(tmp_path)
    assert read_settings(tmp_path) == expected
    assert stat.S_IMODE((tmp_path / "rating.toml").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"database = [", b"schema = 'x'", b"\xff"])
def test_damaged_settings_are_refused(tmp_path, content):
    """Not TOML, without the database, not UTF-8."""
    (tmp_path / "rating.toml").write_bytes(content)
    with pytest.raises(RatingError, match="damaged"):
        read_settings(tmp_path)


def test_a_folder_without_settings_is_no_project(tmp_path):
    """The message says how to make one."""
    with pytest.raises(RatingError, match="make one with: emorank rate new"):
        read_settings(tmp_path)
