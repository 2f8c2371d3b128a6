"""What can be read: files, folders, tables of paths, tar files, the standard input."""

import io
import os
import sys
import tarfile
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from emorank import images
from emorank.datasets import folder_walk
from emorank.errors import DatasetError, ImageError
from emorank.given_pictures import rgb_of
from emorank.scale.given_images import Item, items, picture_of, pictures_of, state


def listed(*given):
    left_out: list[ImageError] = []
    return list(items(given, left_out.append)), left_out


def tar_of(path, *members):
    """A tar file of (name, bytes) or TarInfo."""
    with tarfile.open(path, "w") as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
                continue
            about = tarfile.TarInfo(member[0])
            about.size = len(member[1])
            tar.addfile(about, io.BytesIO(member[1]))
    return path


def test_files_folders_and_tar_files_below_them(some, tmp_path):
    """In their order; files that are none are told of."""
    folder = some(3)
    face = next(iter(sorted(folder.iterdir())))
    tar_of(folder / "more.tar", ("0001.jpg", face.read_bytes()), ("0001.cls", b"3"))
    (folder / "notes.txt").write_text("words")
    got, left_out = listed(face, str(folder))
    names = [item.name for item in got]
    assert names[0] == str(face)
    assert names[1:] == [
        str(folder / "more.tar" / "0001.jpg"),
        *map(str, sorted(folder.glob("p*"))),
    ]
    assert [error.reason for error in left_out] == ["is a text file"]
    (tmp_path / "none").mkdir()
    with pytest.raises(ImageError, match="no image files in this folder"):
        listed(tmp_path / "none")


def test_a_member_of_a_tar_file_is_read_from_its_place(some):
    """The pixels are the file's; its state is that of the tar file."""
    folder = some(2)
    first, second = sorted(folder.iterdir())
    path = tar_of(folder.parent / "a.tar", ("x/1.jpg", first.read_bytes()),
                  ("x/2.JPG", second.read_bytes()))  # fmt: skip
    got, _ = listed(path)
    assert [item.name for item in got] == [f"{path}/x/1.jpg", f"{path}/x/2.JPG"]
    np.testing.assert_array_equal(rgb_of(picture_of(got[1]), "2"), images.read(second))
    assert state(got[0]) == [path.stat().st_size, path.stat().st_mtime_ns]


def test_files_are_given_as_a_list_and_members_of_tar_files_one_by_one(some):
    """A list is read ahead; the bytes of all members would fill the memory."""
    files, _ = listed(some(2))
    pictures = pictures_of(files)
    assert isinstance(pictures, list)
    assert [str(path) for path in pictures] == [item.name for item in files]
    absent = Item("a.tar/b.png", "a.tar", 0, 9)
    one_by_one = iter(pictures_of([*files, absent]))
    assert [next(one_by_one), next(one_by_one)] == pictures
    with pytest.raises(ImageError, match=r"a\.tar/b\.png"):
        next(one_by_one)


def test_hostile_tar_files_are_refused_by_name(tmp_path, some):
    """Links, devices, huge sizes, huge headers; nothing is unpacked and nothing is followed."""
    (face,) = some(1).iterdir()
    members = []
    for name, kind in (("link.jpg", tarfile.SYMTYPE), ("hard.jpg", tarfile.LNKTYPE),
                       ("device.jpg", tarfile.CHRTYPE)):  # fmt: skip
        about = tarfile.TarInfo(name)
        about.type, about.linkname = kind, "/etc/passwd"
        members.append(about)
    good = ("../../good.jpg", face.read_bytes())
    got, left_out = listed(tar_of(tmp_path / "a.tar", *members, good))
    assert [item.name for item in got] == [f"{tmp_path}/a.tar/../../good.jpg"]
    assert isinstance(picture_of(got[0]), bytes)
    assert [error.reason for error in left_out] == [
        "is a link to /etc/passwd; links in tar files are not followed",
        "is a link to /etc/passwd; links in tar files are not followed",
        "is no plain file",
    ]
    huge = tarfile.TarInfo("huge.jpg")
    huge.size = images.LIMITS.bytes + 1
    (tmp_path / "b.tar").write_bytes(huge.tobuf() + bytes(1024))
    refused: list[ImageError] = []
    with pytest.raises((ImageError, DatasetError)):  # the file ends before the picture does
        list(items([tmp_path / "b.tar"], refused.append))
    assert [error.reason for error in refused] == ["is larger than the 100,000,000 bytes allowed"]
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 2**40
    (tmp_path / "c.tar").write_bytes(header.tobuf() + bytes(1024))
    with pytest.raises(DatasetError, match=r"c\.tar: is no tar file that can be read"):
        listed(tmp_path / "c.tar")
    (tmp_path / "d.tar").write_bytes(b"no tar")
    with pytest.raises(DatasetError, match=r"d\.tar: is no tar file"):
        listed(tmp_path / "d.tar")


def test_a_table_of_paths(tmp_path):
    """Relative to its folder; a column of another name, or a row without a path, is refused."""
    (tmp_path / "paths.csv").write_text("image,person\na.jpg,1\n/b/c.jpg,2\n")
    got, _ = listed(tmp_path / "paths.csv")
    assert [item.name for item in got] == [str(tmp_path / "a.jpg"), "/b/c.jpg"]
    pd.DataFrame({"path": ["d.jpg"]}).to_parquet(tmp_path / "paths.parquet")
    assert listed(tmp_path / "paths.parquet")[0] == [Item(str(tmp_path / "d.jpg"))]
    (tmp_path / "files.csv").write_text("file\na.jpg\n")
    with pytest.raises(DatasetError, match=r"expected a column 'image' or 'path'.*it has file"):
        listed(tmp_path / "files.csv")
    (tmp_path / "gap.csv").write_text("image,x\na.jpg,1\n,2\n")
    with pytest.raises(DatasetError, match="line 3 has no path"):
        listed(tmp_path / "gap.csv")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    with pytest.raises(DatasetError, match="is no Parquet file"):
        listed(tmp_path / "broken.parquet")
    pd.DataFrame({"path": [1]}).to_parquet(tmp_path / "numbers.parquet")
    with pytest.raises(DatasetError, match="column 'path' holds int"):
        listed(tmp_path / "numbers.parquet")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (b"a.jpg\n\nb \xff.jpg\r\nlast.jpg", ["a.jpg", os.fsdecode(b"b \xff.jpg"), "last.jpg"]),
        (b"a\nb.jpg\0c.jpg\0", ["a\nb.jpg", "c.jpg"]),
    ],
)
def test_paths_on_the_standard_input(monkeypatch, text, names):
    """One a line; with NULs, a path may hold a line break."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text)))
    assert [item.name for item in listed("-")[0]] == names
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"")))
    with pytest.raises(ImageError, match="the standard input: holds no picture"):
        listed("-")


def test_a_kind_of_address_that_nobody_reaches_is_refused():
    """With those that are."""
    with pytest.raises(DatasetError, match="'https' is reached by no file system here"):
        listed("https://example.org/face.jpg")


def test_a_very_large_folder_is_walked_in_parts(some, monkeypatch):
    """Every file once, sorted in each part."""
    folder = some(10)
    monkeypatch.setattr(folder_walk, "_AT_ONCE", 4)
    names = [item.name for item in listed(folder)[0]]
    assert sorted(names) == sorted(str(path) for path in folder.iterdir())
    assert names[:4] == sorted(names[:4])
