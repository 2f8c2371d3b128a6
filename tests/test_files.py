"""Files are there whole or not at all."""

import errno
import os
import stat

import pytest

from emorank.files import make_private, naming, private, replacing, room_for, unfinished


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


def modes(folder):
    return {path.name: stat.S_IMODE(path.lstat().st_mode) for path in folder.rglob("*")}


def test_what_is_made_in_private_is_the_owners_alone(tmp_path):
    """Whatever the umask is, which is as before afterwards."""
    before = os.umask(0)
    try:
        with private():
            (tmp_path / "a").mkdir()
            (tmp_path / "a" / "b").write_text("")
        (tmp_path / "c").write_text("")
    finally:
        os.umask(before)
    assert modes(tmp_path) == {"a": 0o700, "b": 0o600, "c": 0o666}


def test_a_folder_is_closed_to_others(tmp_path):
    """All that is in it; what links lead to is somebody else's affair."""
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    for path in (outside, folder / "in"):
        path.mkdir(parents=True)
        (path / "file").write_text("")
        (path / "file").chmod(0o664)
        path.chmod(0o755)
    (folder / "link").symlink_to(outside)
    folder.chmod(0o755)
    assert make_private(folder) == 3
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {name: mode for name, mode in modes(folder).items() if name != "link"} == {
        "in": 0o700, "file": 0o600,
    }  # fmt: skip
    assert modes(outside) == {"file": 0o664}
    assert make_private(folder) == 0


def test_errors_of_the_system_name_the_file(tmp_path):
    """One without a name, or with the temporary one; that of another file keeps its own."""
    path = tmp_path / "a.txt"
    full = OSError(errno.ENOSPC, "No space left on device")
    for error, name in (
        (full, path),
        (OSError("No space left on device"), path),
        (OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "other")), "other"),
    ):
        with pytest.raises(OSError, match=f"No space left .*{name}"), naming(path):
            raise error
    with pytest.raises(FileNotFoundError) as raised, replacing(path) as partial:
        partial.read_bytes()
    assert raised.value.filename == str(path)


def test_room_is_held_and_given_back(tmp_path):
    """Within the block the disk has so much less; without room the file is named."""
    path = tmp_path / "model"
    with room_for(path, 1 << 16):
        (held,) = tmp_path.iterdir()
        assert held.stat().st_size == 1 << 16
        assert unfinished(held)
    assert names(tmp_path) == []
    with pytest.raises(OSError, match="model") as raised, room_for(path, 1 << 60):
        pass
    assert raised.value.errno in {errno.ENOSPC, errno.EFBIG}
    assert names(tmp_path) == []
