"""Files that hold a checksum of themselves."""

import pytest

from emorank.seals import UNSEALED, checksum, is_damaged, seal


def test_a_sealed_file_is_damaged_by_any_other_byte(tmp_path):
    """Each byte counts, those of the checksum too; so does the length."""
    path = tmp_path / "a"
    path.write_bytes(b"before" + UNSEALED.encode() + b"after")
    seal(path)
    whole = path.read_bytes()
    assert not is_damaged(path)
    assert checksum(path).encode() in whole
    for place in (0, 5, len(whole) - 1, 20, 45, 50):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert is_damaged(path), place
    for cut in (len(whole) - 1, 30):
        path.write_bytes(whole[:cut])
        assert is_damaged(path), cut
    path.write_bytes(whole + b"!")
    assert is_damaged(path)


def test_a_file_without_a_seal_is_taken_to_be_whole(tmp_path):
    """Such as those of earlier versions, and empty ones; it cannot be sealed without a place."""
    path = tmp_path / "a"
    for content in (b"", b"old"):
        path.write_bytes(content)
        assert not is_damaged(path)
        with pytest.raises(ValueError, match="no place"):
            seal(path)
    assert len(checksum(path)) == 32
    other = tmp_path / "b"
    other.write_bytes(b"new")
    assert checksum(other) != checksum(path)
