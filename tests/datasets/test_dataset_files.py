"""Walking data folders."""

import os

import pytest

from emorank.datasets import files
from emorank.errors import DatasetError


def test_walk_is_sorted_and_skips_what_is_no_image(tmp_path, picture):
    """Image files of any case, folder by folder; no hidden files, no Mac leftovers."""
    for name in ("b/2.JPG", "b/1.png", "a.TIFF", ".hidden.png", "__MACOSX/x.png", "skipme/y.png"):
        picture(tmp_path / name)
    (tmp_path / "readme.txt").write_text("no image")
    (tmp_path / "folder.png").mkdir()
    assert list(files.walk(tmp_path, skip=("SkipMe",))) == ["a.TIFF", "b/1.png", "b/2.JPG"]


def test_links_are_listed_and_not_followed(tmp_path, picture):
    """A link to a folder, even to its own parent, and a file outside are told, not read."""
    picture(tmp_path / "outside.png")
    root = tmp_path / "root"
    picture(root / "a.png")
    (root / "loop").symlink_to(root, target_is_directory=True)
    (root / "b.png").symlink_to(tmp_path / "outside.png")
    (root / "c.png").symlink_to(root / "a.png")
    assert list(files.walk(root)) == ["a.png", "c.png"]
    assert [problem.file for problem in files.passed_over(root)] == ["b.png", "loop"]


def test_names_are_found_in_any_case(tmp_path):
    """`child` and `somewhere` find a path of names; a missing one is None."""
    (tmp_path / "Outer" / "EmoLabel").mkdir(parents=True)
    assert files.child(tmp_path, "outer", "emolabel") == tmp_path / "Outer" / "EmoLabel"
    assert files.somewhere(tmp_path, "EMOLABEL") == tmp_path / "Outer" / "EmoLabel"
    assert files.child(tmp_path, "emolabel") is None
    assert files.somewhere(tmp_path, "nothing") is None


def test_a_root_must_be_a_folder_with_content(tmp_path):
    """Missing, a file and empty have a message each; hidden files do not count as content."""
    file = tmp_path / "file.txt"
    file.write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".DS_Store").write_text("x")
    for root, words in (
        (tmp_path / "no", "no such folder"),
        (file, "is a file"),
        (tmp_path / "empty", "is empty"),
    ):
        with pytest.raises(DatasetError, match=words):
            files.require_folder(root, "X")


def test_names_that_no_table_can_hold_are_told(tmp_path, picture):
    """Line breaks and undecodable bytes; the odd spaces of screenshots are fine."""
    picture(tmp_path / "fine\u202fname.png")
    picture(tmp_path / "line\nbreak.png")
    (tmp_path / os.fsdecode(b"half\xff.png")).write_bytes(b"")
    assert list(files.walk(tmp_path)) == ["fine\u202fname.png"]
    told = files.passed_over(tmp_path)
    assert [problem.file for problem in told] == ["half\\udcff.png", "line\\nbreak.png"]
    assert all("rename it" in problem.reason for problem in told)


def test_links_that_lead_nowhere_do_not_stop_the_walk(tmp_path, picture):
    """Links in a circle are told; one to a missing file is left to whoever reads it."""
    picture(tmp_path / "a.png")
    (tmp_path / "b.png").symlink_to("c.png")
    (tmp_path / "c.png").symlink_to("b.png")
    (tmp_path / "d.png").symlink_to("gone.png")
    assert list(files.walk(tmp_path)) == ["a.png", "d.png"]
    assert [problem.file for problem in files.passed_over(tmp_path)] == ["b.png", "c.png"]
