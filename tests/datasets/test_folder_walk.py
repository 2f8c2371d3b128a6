"""Walking data folders."""

import io
import os
from pathlib import Path

import pytest
from PIL import Image

from emorank import picture_formats
from emorank.datasets import folder_walk
from emorank.errors import DatasetError, ImageError


def test_walk_is_sorted_and_skips_what_is_no_image(tmp_path, picture):
    """Image files of any case, folder by folder; no hidden files, no Mac leftovers."""
    for name in ("b/2.JPG", "b/1.png", "a.TIFF", ".hidden.png", "__MACOSX/x.png", "skipme/y.png"):
        picture(tmp_path / name)
    (tmp_path / "readme.txt").write_text("no image")
    (tmp_path / "folder.png").mkdir()
    assert list(folder_walk.images(tmp_path, skip=("SkipMe",))) == ["a.TIFF", "b/1.png", "b/2.JPG"]


def test_links_are_listed_and_not_followed(tmp_path, picture):
    """A link to a folder, even to its own parent, and a file outside are told, not read."""
    picture(tmp_path / "outside.png")
    root = tmp_path / "root"
    picture(root / "a.png")
    (root / "loop").symlink_to(root, target_is_directory=True)
    (root / "b.png").symlink_to(tmp_path / "outside.png")
    (root / "c.png").symlink_to(root / "a.png")
    assert list(folder_walk.images(root)) == ["a.png", "c.png"]
    files, problems = folder_walk.survey(root)
    assert files == ["a.png", "c.png"]
    assert [problem.file for problem in problems] == ["b.png", "loop"]


def test_names_are_found_in_any_case(tmp_path):
    """`child` and `somewhere` find a path of names; a missing one is None."""
    (tmp_path / "Outer" / "EmoLabel").mkdir(parents=True)
    assert folder_walk.child(tmp_path, "outer", "emolabel") == tmp_path / "Outer" / "EmoLabel"
    assert folder_walk.find(tmp_path, "EMOLABEL") == tmp_path / "Outer" / "EmoLabel"
    assert folder_walk.child(tmp_path, "emolabel") is None
    assert folder_walk.find(tmp_path, "nothing") is None


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
            folder_walk.require_folder(root, "X")


def test_names_that_no_table_can_hold_are_told(tmp_path, picture):
    """Line breaks and undecodable bytes; the odd spaces of screenshots are fine."""
    picture(tmp_path / "fine\u202fname.png")
    picture(tmp_path / "line\nbreak.png")
    (tmp_path / os.fsdecode(b"half\xff.png")).write_bytes(b"")
    assert list(folder_walk.images(tmp_path)) == ["fine\u202fname.png"]
    _, told = folder_walk.survey(tmp_path)
    assert [problem.file for problem in told] == ["half\\xff.png", "line\\nbreak.png"]
    assert all("rename it" in problem.reason for problem in told)


def test_links_that_lead_nowhere_do_not_stop_the_walk(tmp_path, picture):
    """Links in a circle are told; one to a missing file is left to whoever reads it."""
    picture(tmp_path / "a.png")
    (tmp_path / "b.png").symlink_to("c.png")
    (tmp_path / "c.png").symlink_to("b.png")
    (tmp_path / "d.png").symlink_to("gone.png")
    assert list(folder_walk.images(tmp_path)) == ["a.png", "d.png"]
    assert [problem.file for problem in folder_walk.survey(tmp_path)[1]] == ["b.png", "c.png"]


def test_paths_are_files_as_given_and_the_images_below_folders(tmp_path, picture):
    """A file is taken whatever its ending; links that leave the folder are told."""
    outside = tmp_path / "outside.png"
    picture(outside)
    root = tmp_path / "root"
    for name in ("b/2.png", "a.png", "b.png", ".hidden.png"):
        picture(root / name)
    (root / "c.png").symlink_to(outside)
    (root / "loop.png").symlink_to(root, target_is_directory=True)
    (root / "note.txt").write_text("no image")
    below = [root / "a.png", root / "b.png", root / "b/2.png"]
    note = root / "note.txt"
    files, left_out = folder_walk.paths([note, root, outside])
    assert files == [note, *sorted(below), outside]
    reasons = {Path(error.file).name: error.reason for error in left_out}
    link = "is a link to a folder or out of the data folder; copy its content"
    assert reasons == {"c.png": link, "loop.png": link, "note.txt": "is a text file"}
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match="no image files in this folder"):
        folder_walk.paths([tmp_path / "empty"])


def test_files_are_found_in_any_case_and_folders_are_not(tmp_path):
    """The first name that is a file counts."""
    (tmp_path / "votes.csv").mkdir()
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "Pixels.CSV").write_text("x")
    assert folder_walk.find_file(tmp_path, ("votes.csv",)) is None
    found = folder_walk.find_file(tmp_path, ("votes.csv", "pixels.csv"))
    assert found == tmp_path / "inner" / "Pixels.CSV"


@pytest.mark.parametrize("matches", [2, 3])
def test_most_names_is_more_than_half(tmp_path, picture, matches):
    """Two of four are not most; of more images the first `sample` decide."""
    for number in range(4):
        picture(tmp_path / f"{number}.png")
    names = {f"{number}.png" for number in range(matches)}
    assert folder_walk.most_names(tmp_path, names.__contains__) is (matches == 3)
    assert folder_walk.most_names(tmp_path, names.__contains__, sample=2)


def test_a_folder_without_images_matches_no_names(tmp_path):
    """Otherwise an empty folder would be taken for every data set."""
    assert not folder_walk.most_names(tmp_path, lambda name: True)


def test_links_inside_a_root_that_is_a_link(tmp_path, picture):
    """They stay inside the folder to which the root leads."""
    picture(tmp_path / "real" / "a.png")
    (tmp_path / "real" / "b.png").symlink_to(tmp_path / "real" / "a.png")
    root = tmp_path / "root"
    root.symlink_to(tmp_path / "real", target_is_directory=True)
    assert list(folder_walk.images(root)) == ["a.png", "b.png"]
    assert folder_walk.survey(root) == (["a.png", "b.png"], [])


def test_folders_are_the_visible_ones(tmp_path):
    """Sorted; none in a file."""
    for name in ("b", "a", ".hidden", "__MACOSX"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").write_text("x")
    assert folder_walk.folders(tmp_path) == [tmp_path / "a", tmp_path / "b"]
    assert folder_walk.folders(tmp_path / "file") == []
    assert folder_walk.child(tmp_path / "file", "x") is None


def test_names_are_looked_for_one_folder_down(tmp_path):
    """And no deeper, unless that is asked for; the root comes first."""
    (tmp_path / "one" / "two" / "target").mkdir(parents=True)
    (tmp_path / "one" / "near").mkdir()
    assert folder_walk.find(tmp_path, "near") == tmp_path / "one" / "near"
    assert folder_walk.find(tmp_path, "target") is None
    assert folder_walk.find(tmp_path, "target", depth=2) == tmp_path / "one" / "two" / "target"


def test_a_path_of_names_skips_no_step(tmp_path):
    """A name that is missing in the middle ends it, in whatever case the others are."""
    (tmp_path / "Image" / "Aligned").mkdir(parents=True)
    assert folder_walk.child(tmp_path, "image", "ALIGNED") == tmp_path / "Image" / "Aligned"
    assert folder_walk.child(tmp_path, "image", "missing", "aligned") is None


def test_endings_are_compared_without_case(tmp_path, picture):
    """The last ending of a name counts, and a name needs more than an ending."""
    picture(tmp_path / "a.b.PnG")
    (tmp_path / "a.png.txt").write_text("x")
    (tmp_path / "png").write_text("x")
    assert list(folder_walk.images(tmp_path)) == ["a.b.PnG"]


def encoded(kind):
    """A small picture in one of Pillow's formats."""
    stream = io.BytesIO()
    Image.new("RGB", (20, 20), "teal").save(stream, kind)
    return stream.getvalue()


HEIC = b"\0\0\0\x18ftypheic" + bytes(50)


def test_content_decides_what_a_picture_is(tmp_path, picture):
    """Whatever the ending: none, of a browser, of the Yale faces, of a text."""
    for name, kind in {
        "a.JFIF": "JPEG", "b.gif": "GIF", "c.avif": "AVIF", "d": "PNG", "e.jpg_large": "JPEG",
        "subject01.happy": "GIF", "f.txt": "WEBP", "g.bin": "TIFF", "h.x": "BMP", "i.y": "PPM",
    }.items():  # fmt: skip
        (tmp_path / name).write_bytes(encoded(kind))
    files, problems = folder_walk.survey(tmp_path)
    assert files == sorted(entry.name for entry in tmp_path.iterdir())
    assert problems == []
    assert list(folder_walk.images(tmp_path)) == files


def test_what_is_no_picture_is_told(tmp_path, picture, monkeypatch):
    """Pictures in formats that are not read one by one, other files in a line for each reason."""
    monkeypatch.setattr(picture_formats, "reads_heic", lambda: False)
    picture(tmp_path / "a.png")
    for name, content in {
        "b.heic": HEIC, "c.jp2": b"\0\0\0\x0cjP  \r\n", "d.psd": b"8BPS\0\1",
        "e.mp4": b"\0\0\0 ftypisom", "1.txt": b"x", "2.csv": "\u00e9".encode(), "3.md": b"",
        "4.md": b"# x", "5": b"a,b", "6.npy": b"\x93NUMPY",
    }.items():  # fmt: skip
        (tmp_path / name).write_bytes(content)
    files, problems = folder_walk.survey(tmp_path)
    assert files == ["a.png"]
    assert [(problem.file, problem.reason) for problem in problems] == [
        (
            "b.heic",
            "is a HEIC image, which needs the extra 'heic': pip install 'emorank[heic]'",
        ),
        ("c.jp2", "is a JPEG 2000 image"),
        ("d.psd", "is a Photoshop file"),
        ("e.mp4", "is an MP4 or QuickTime file"),
        ("(4 files)", "each is a text file: 1.txt, 2.csv, 4.md, …"),
        ("3.md", "is empty (0 bytes)"),
        ("6.npy", "is no image that can be read, or its header is damaged"),
    ]
    # Given to be read, pictures are left to the reader, who says the same.
    given, left_out = folder_walk.paths([tmp_path])
    assert [path.name for path in given] == ["a.png", "b.heic", "c.jp2", "d.psd", "e.mp4"]
    assert len(left_out) == 3


def test_names_of_any_bytes_are_given_to_be_read(tmp_path, picture):
    """Only tables cannot hold them."""
    picture(tmp_path / "a.png")
    odd = tmp_path / os.fsdecode(b"half\xff.png")
    odd.write_bytes((tmp_path / "a.png").read_bytes())
    assert folder_walk.paths([tmp_path]) == ([tmp_path / "a.png", odd], [])


def test_a_pipe_is_not_waited_for(tmp_path, picture):
    """It is told, and so is a file that may not be read."""
    picture(tmp_path / "a.png")
    os.mkfifo(tmp_path / "pipe")
    _, problems = folder_walk.survey(tmp_path)
    assert [(problem.file, "pipe" in problem.reason) for problem in problems] == [("pipe", True)]
