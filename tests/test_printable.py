"""What is shown of names that nobody would choose."""

import pytest

from emorank.printable import printable


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("half\udcff.png", "half\\xff.png"),
        ("lone\ud83d.png", "lone\\ud83d.png"),
        ("a\nb\r\tc\0", "a\\nb\\r\\tc\\x00"),
        ("a\x1b[2Jb\x9b", "a\\x1b[2Jb\\x9b"),
        ("gnp.\u202eexe", "gnp.\\u202eexe"),
        ("\u2066a\u2069\u200f\u061c", "\\u2066a\\u2069\\u200f\\u061c"),
        ("a\u2028b\ufeff\u200b\u00ad", "a\\u2028b\\ufeff\\u200b\\xad"),
        ("flag\U000e0067", "flag\\U000e0067"),
    ],
)
def test_what_cannot_be_shown_is_escaped(name, shown):
    """Bytes that are not UTF-8, control characters, marks of direction, invisible characters."""
    assert printable(name) == shown
    shown.encode("utf-8")


@pytest.mark.parametrize(
    "name",
    ["Fran\u00e7ois.png", "\u0645\u06cc\u200c\u062e.png", "\U0001f469\u200d\U0001f467", "a\\nb",
     "Bild 10\u202f30.png", "\ue000", "[/b] :smile:"],
)  # fmt: skip
def test_other_names_stay_as_they_are(name):
    """Accents, other scripts, emoji, unusual spaces, backslashes."""
    assert printable(name) == name
