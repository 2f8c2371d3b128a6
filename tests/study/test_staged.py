"""New files take the place of earlier ones: all of a stage, whenever the process is killed."""

import sys
from pathlib import Path

import pytest

from emorank.results.stored import read_json, write_json
from emorank.study.folder import Study, alone, create_study, finish, open_study, together
from emorank.study.plan import Plan
from emorank.study.staged import METRICS, put_in_place

MOVES = 5
"""Renames that put the new files of `begun` in place, with those of the records around them."""


def begun(study: Study) -> Study:
    """A study with results, and a stage `explain` whose new files are whole."""
    for name in ("ranks.parquet", "gone.json"):
        study.path(name).write_text("old")
    study.path("relevance/maps").mkdir(parents=True)
    study.path("relevance/maps/data").write_text("old")
    study.write_metrics("emotion", 1)
    study.write_metrics("rank", "old")
    study.write_stage("explain", {"key": "a", "outcome": "old"})
    making = Study(study.folder, study.plan, "explain", ("relevance", "ranks.parquet", METRICS))
    making.path("relevance").mkdir(parents=True)
    making.path("relevance/new").write_text("new")
    making.path("ranks.parquet").write_text("new")
    making.write_metrics("rank", "new")
    return making


def content(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("[!.]*") if path.is_file())
    files = (path for path in files if path.suffix not in {".json", ".toml"})
    return {str(path.relative_to(folder)): path.read_text() for path in files}


class Killed(BaseException):
    pass


@pytest.fixture
def killed_at():
    """Have the process stopped just before one of its renames."""
    state = {"left": -1}

    def hook(event, arguments):
        if event == "os.rename" and state["left"] >= 0:
            state["left"] -= 1
            if state["left"] < 0:
                raise Killed

    sys.addaudithook(hook)
    yield lambda number: state.update(left=number)
    state["left"] = -1


def test_until_all_is_whole_the_earlier_files_are_read(tmp_path):
    """A stage sees its own new files and measurements, everybody else the earlier ones."""
    study = create_study(tmp_path / "study", Plan())
    making = begun(study)
    assert making.path("ranks.parquet").read_text() == "new"
    assert making.metrics() == {"emotion": 1, "rank": "new"}
    assert study.path("ranks.parquet").read_text() == "old"
    assert study.metrics() == {"emotion": 1, "rank": "old"}
    assert study.stamp("explain") == "a"


@pytest.mark.parametrize("number", range(MOVES + 3))
def test_a_kill_while_files_are_put_in_place_is_made_good(tmp_path, killed_at, number):
    """At whichever rename: opening the study again gives either all old files or all new ones."""
    study = create_study(tmp_path / "study", Plan())
    making = begun(study)
    made = {"key": "b", "outcome": "new"}
    killed_at(number)
    try:
        finish(making, made, ["gone.json"])
    except Killed:
        assert number <= MOVES
    killed_at(-1)
    again = open_study(study.folder)
    new = again.stamp("explain") == "b"
    assert new == (number > 0)
    assert again.path("gone.json").exists() != new
    if new:
        assert content(study.folder) == {"ranks.parquet": "new", "relevance/new": "new"}
        assert again.metrics() == {"emotion": 1, "rank": "new"}
        assert again.stages() == {"explain": made}
        assert not making.parts.exists()
    else:
        assert again.metrics() == {"emotion": 1, "rank": "old"}
        assert again.path("relevance/maps/data").read_text() == "old"


def test_nobody_completes_what_another_process_is_completing(tmp_path, killed_at):
    """Who only reads a study meanwhile is told to wait."""
    study = create_study(tmp_path / "study", Plan())
    making = begun(study)
    killed_at(2)
    with pytest.raises(Killed):
        finish(making, {"key": "b", "outcome": "new"}, [])
    killed_at(-1)
    with alone(study), pytest.raises(Exception, match="another process works on this study"):
        open_study(study.folder)
    assert open_study(study.folder).stamp("explain") == "b"


def test_what_a_kill_left_half_written_is_no_result(tmp_path):
    """Hidden files of the folder of new ones go with it; a link goes, and not what it leads to."""
    parts, elsewhere = tmp_path / "a.partial", tmp_path / "elsewhere"
    parts.mkdir()
    elsewhere.mkdir()
    (parts / ".b.12.partial").write_text("half")
    (tmp_path / "link").symlink_to(elsewhere)
    put_in_place(parts, ["link", "absent"])
    assert list(tmp_path.iterdir()) == [elsewhere]
    write_json(tmp_path / METRICS, {"a": 1})
    put_in_place(parts, [])  # there is nothing to do
    assert read_json(tmp_path / METRICS) == {"a": 1}


def test_files_of_a_verb_are_replaced_together(tmp_path, killed_at):
    """A network and what is said of it: both new or both old, and no record of a stage."""
    study = create_study(tmp_path / "study", Plan())
    for name in ("a.txt", "b.txt"):
        study.path(name).write_text("old")

    def replace_both():
        with alone(study), together(study, "verb", "a.txt", "b.txt") as making:
            for name in ("a.txt", "b.txt"):
                making.path(name).write_text("new")
                assert not making.path(name).samefile(study.path(name))

    killed_at(2)
    with pytest.raises(Killed):
        replace_both()
    killed_at(-1)
    assert {study.path(name).read_text() for name in ("a.txt", "b.txt")} == {"old", "new"}
    assert open_study(study.folder).stages() == {}
    assert content(study.folder) == {"a.txt": "new", "b.txt": "new"}
    replace_both()
    assert study.stages() == {}
