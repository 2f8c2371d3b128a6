"""--keep: the bytes as they came and what was read, whole or not at all, named by their content."""

import hashlib
import json

import pytest
from tests.web.test_decoders import png

from emorank.errors import PlanError
from emorank.web.window.kept_pictures import keep_picture, open_folder

ROWS = [{"image": "a.png", "face": 1, "score": float("nan")}]


def test_a_picture_and_its_rows_are_named_by_the_content(tmp_path):
    """The same picture once more is stored once; its rows are the last ones."""
    folder = tmp_path / "kept"
    open_folder(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    keep_picture(folder, png(), [])
    keep_picture(folder, png(), ROWS)
    name = hashlib.sha256(png()).hexdigest()
    assert sorted(path.name for path in folder.iterdir()) == [f"{name}.json", f"{name}.png"]
    assert (folder / f"{name}.png").read_bytes() == png()
    rows = json.loads((folder / f"{name}.json").read_text())
    assert rows == [{"image": "a.png", "face": 1, "score": None}]


def test_what_cannot_be_written_leaves_nothing_half_written(tmp_path):
    """The picture is written last: one that is there is whole and has its rows."""
    name = hashlib.sha256(png()).hexdigest()
    for ending, left in ((".json", []), (".png", [f"{name}.json"])):
        folder = tmp_path / ending
        (folder / f"{name}{ending}").mkdir(parents=True)
        with pytest.raises(OSError, match="irectory"):
            keep_picture(folder, png(), ROWS)
        assert [path.name for path in folder.iterdir() if path.is_file()] == left


def test_a_folder_that_takes_no_files_is_refused(tmp_path):
    """Before the server starts, with what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(PlanError, match="no pictures can be kept there"):
        open_folder(tmp_path / "file")
