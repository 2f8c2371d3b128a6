"""Names: their natural order, what a short one means, which are refused."""

from pathlib import Path

import pandas as pd
import pytest

from emorank.answers.names import check_images, full_names, natural
from emorank.errors import VotesError


def test_numbers_in_names_count():
    """Runs of digits are numbers and come before letters; after equal ones the rest decides."""
    names = ["r10", "r2", "r2b", "r2a", "10", "9", "x", "r", "r02a1", "r2a1"]
    assert sorted(names, key=natural) == [
        *("9", "10", "r", "r2", "r2a", "r02a1", "r2a1", "r2b", "r10", "x"),
    ]


def test_a_name_without_folder_and_ending_means_the_only_such_image():
    """A full name means itself; a name of several images, or of none, stays as it is."""
    images = {"a/x.png", "b/x.png", "a/y.png", "z"}
    names = ["x", "y", "a/x.png", "z", "other"]
    assert full_names(names, images) == {
        "x": "x", "y": "a/y.png", "a/x.png": "a/x.png", "z": "z", "other": "other"
    }  # fmt: skip


def test_a_name_means_an_image_in_any_spelling():
    """Unless two files differ in nothing else."""
    images = {"happy/Zoe\u0308.jpg", "a b.jpg", "a%20b.jpg"}
    meant = {
        "happy\\Zo\u00eb.jpg": "happy/Zoe\u0308.jpg",
        "Zo\u00eb": "happy/Zoe\u0308.jpg",
        "https://h/a%20b.jpg": "a b.jpg",
        "a%20b.jpg": "a%20b.jpg",
    }
    assert full_names(meant, images) == meant
    assert full_names(["./x"], {"x", "X", ".//x"}) == {"./x": "./x"}


def test_unknown_images_are_named():
    """Each once, with an image that is expected; no image expected is said too."""
    path = Path("votes.csv")
    check_images(path, pd.Series(["a", "a"]), {"a", "b"})
    with pytest.raises(VotesError, match=r"votes\.csv.*such as 'a'\s+2 × unknown image: 'x'; 'y'$"):
        check_images(path, pd.Series(["y", "x", "x", "a"]), {"a", "b"})
    with pytest.raises(VotesError, match="such as ''"):
        check_images(path, pd.Series(["y"]), set())
