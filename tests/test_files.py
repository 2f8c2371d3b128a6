"""Files are there whole or not at all."""

import pytest

from emorank.files import replacing, unfinished


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_replacing_puts_the_whole_file_in_place(tmp_path):
    """Until the block ends the old content is there; folders above are made."""
    path = tmp_path / "a" / "b.txt"
    with replacing(path) as partial:
        partial.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert names(path.parent) == ["b.txt"]


def test_a_failure_while_writing_leaves_the_old_file(tmp_path):
    """Half a file is thrown away, the earlier one stays."""
    path = tmp_path / "b.txt"
    path.write_text("old")
    with pytest.raises(OSError, match="full"), replacing(path) as partial:  # noqa: PT012 - as used
        partial.write_text("half")
        raise OSError("disk full")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["b.txt"]


def test_what_a_kill_leaves_is_known_by_its_name(tmp_path):
    """The temporary file is recognised, the finished one is not."""
    with replacing(tmp_path / "a.txt") as partial:
        partial.write_text("half")
        assert unfinished(partial)
    assert not unfinished(tmp_path / "a.txt")
