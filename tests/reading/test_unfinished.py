"""What a stopped command has kept of many images."""

import pytest

from emorank.reading.unfinished import Unfinished


def rows_of(images):
    return [{"image": str(image), "score": 0.1} for image in images]


def test_images_are_kept_when_all_of_their_rows_are_there(tmp_path):
    """An image that was not finished is done again, and so is one that has changed or is torn."""
    images = [tmp_path / name for name in "abcd"]
    for image in images:
        image.write_text("x")
    kept = Unfinished(tmp_path / "out.csv", "key")

    def stopped():
        yield from rows_of([images[0], images[0], images[1], images[2]])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept.add(stopped())
    assert kept.lacking(images) == images[2:]
    assert list(kept.rows(images)) == rows_of([images[0], images[0], images[1]])
    images[1].write_text("changed")
    assert kept.lacking(images) == images[1:]
    with kept.path.open("a") as file:
        file.write('{"image": "torn')
    assert kept.lacking(images) == images[1:]
    kept.add(rows_of(images[1:]))
    assert kept.lacking(images) == []
    assert list(kept.rows(images)) == rows_of([images[0], *images])
    assert list(kept.rows(images[2:])) == rows_of(images[2:])
    whole = kept.path.read_bytes()
    kept.path.write_bytes(whole.replace(b"0.1", b"0.7", 1))  # a flipped bit
    assert kept.lacking(images) == images[:1]
    kept.discard()
    assert not kept.path.exists()


def test_another_command_is_told_apart(tmp_path):
    """By the key in the first line; nothing there, or nothing whole, is of nobody."""
    kept = Unfinished(tmp_path / "out.csv", "one")
    assert not kept.of_another
    kept.add(rows_of("a"))
    assert not kept.of_another
    assert Unfinished(tmp_path / "out.csv", "two").of_another
