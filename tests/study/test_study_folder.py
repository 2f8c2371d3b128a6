"""The folder of a study: files are there whole or not at all, and nobody else's are touched."""

import json

import pandas as pd
import pytest
from pyarrow import parquet

from emorank.errors import PlanError, StudyError
from emorank.results.network_source import NetworkSource
from emorank.results.stored import read_json, write_json
from emorank.study.folder import (
    Study,
    alone,
    create_study,
    fingerprint,
    open_study,
    require_own_network,
    sweep,
)
from emorank.study.plan import Plan, override


@pytest.fixture
def plan():
    return override(Plan(), {"data.dataset": "folder", "data.path": "/faces"})


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_table_that_cannot_be_written_leaves_the_old_one(tmp_path, plan, monkeypatch):
    """The same for tables, whose library writes in pieces."""
    study = Study(tmp_path, plan)
    study.write_table("faces", pd.DataFrame({"image": ["a"]}))

    def full(self, path, index):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    with pytest.raises(OSError, match="No space"):
        study.write_table("faces", pd.DataFrame({"image": ["b"]}))
    monkeypatch.undo()
    assert study.table("faces")["image"].to_list() == ["a"]
    assert names(tmp_path) == ["faces.parquet"]


def test_json_that_cannot_be_written_leaves_the_old(tmp_path):
    """A value that JSON has no word for changes nothing."""
    write_json(tmp_path / "a.json", {"é": 1})
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", {"a": object()})
    assert read_json(tmp_path / "a.json") == {"é": 1}
    assert names(tmp_path) == ["a.json"]


def test_metrics_are_kept_section_by_section(tmp_path, plan):
    """A section is replaced; the others stay."""
    study = Study(tmp_path, plan)
    assert study.metrics() == {}
    study.write_metrics("emotion", {"accuracy": 0.5})
    study.write_metrics("rank", None)
    study.write_metrics("emotion", {"accuracy": 0.75})
    assert study.metrics() == {"emotion": {"accuracy": 0.75}, "rank": None}


def test_a_table_is_written_with_its_own_columns_only(tmp_path, plan):
    """No column of row numbers, which another reader would take for data."""
    study = Study(tmp_path, plan)
    study.write_table("faces", pd.DataFrame({"image": ["a", "b"]}, index=[7, 9]))
    assert parquet.read_schema(study.path("faces.parquet")).names == ["image"]


def test_a_record_comes_back_as_long_as_its_stage_is_the_same(tmp_path, plan):
    """A damaged file is an error; a record may be stamped with another stage than its own."""
    study = create_study(tmp_path / "study", plan)
    source = NetworkSource(title="t", data="d", faces=3, persons=2)
    assert study.read(NetworkSource) is None
    study.write_stage("prepare", {"key": "a", "outcome": "3 faces"})
    study.write_stage("train", {"key": "b", "outcome": "2 epochs"})
    study.write(source)
    assert study.read(NetworkSource) == source
    stored = json.loads(study.path("network.json").read_text())
    assert (stored["after"], stored["stamp"]) == (NetworkSource.AFTER, "a")
    study.write(source, after="train")
    assert json.loads(study.path("network.json").read_text())["after"] == "train"
    study.write_result("network", {"title": 3}, after="train")
    with pytest.raises(StudyError, match=r"network\.json is damaged .*; delete it"):
        study.read(NetworkSource)
    study.write_stage("train", {"key": "c", "outcome": "2 epochs"})
    assert study.read(NetworkSource) is None


def test_a_missing_or_damaged_table_says_what_to_do(tmp_path, plan):
    """Which file, and which way out."""
    study = Study(tmp_path, plan)
    with pytest.raises(StudyError, match=r"faces\.parquet is missing: run the stage before"):
        study.table("faces")
    study.path("faces.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(StudyError, match=r"faces\.parquet is damaged.*delete it and run again"):
        study.table("faces")


def test_a_study_is_made_and_opened(tmp_path, plan):
    """The plan in the folder is the plan that was given."""
    study = create_study(tmp_path / "deep" / "study", plan)
    assert open_study(study.folder) == study
    assert names(study.folder) == ["study.toml"]


def test_the_plan_may_change_for_the_same_images(tmp_path, plan):
    """Going on in a folder with another plan for the same images writes the new plan."""
    create_study(tmp_path, plan)
    changed = override(plan, {"train.epochs": 3})
    create_study(tmp_path, changed)
    assert open_study(tmp_path).plan == changed


@pytest.mark.parametrize("changes", [{"data.path": "/other"}, {"data.dataset": "kdef"}])
def test_a_study_of_other_images_is_not_overwritten(tmp_path, plan, changes):
    """The message names both, and the plan in the folder stays."""
    create_study(tmp_path, plan)
    with pytest.raises(StudyError, match="holds a study of folder at '/faces', not of"):
        create_study(tmp_path, override(plan, changes))
    assert open_study(tmp_path).plan == plan


def test_a_folder_of_somebody_elses_is_left_alone(tmp_path, plan):
    """A folder with files and no study is refused; an empty one is taken."""
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(StudyError, match="not empty and holds no study; choose another --out"):
        create_study(tmp_path, plan)
    assert names(tmp_path) == ["holiday.jpg"]
    (tmp_path / "empty").mkdir()
    create_study(tmp_path / "empty", plan)


def test_what_a_kill_left_does_not_stand_in_the_way(tmp_path, plan):
    """A plan that was being written when its process was killed: the folder is still ours."""
    (tmp_path / ".study.toml.123.partial").write_text("[da")
    study = create_study(tmp_path, plan)
    (tmp_path / "report").mkdir()
    (tmp_path / "report/.index.html.4.partial").touch()
    (tmp_path / "logits.partial").mkdir()
    sweep(study)
    assert names(tmp_path) == ["logits.partial", "report", "study.toml"]
    assert names(tmp_path / "report") == []


def test_a_folder_without_a_study_cannot_be_opened(tmp_path):
    """Neither an empty folder nor an absent one; a damaged plan is a plan error."""
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(StudyError, match="no study here"):
            open_study(folder)
    (tmp_path / "study.toml").write_text("[data")
    with pytest.raises(PlanError, match="not TOML"):
        open_study(tmp_path)


def test_only_files_of_an_unfinished_write_are_swept(tmp_path, plan):
    """Other hidden files are somebody else's, in whatever folder."""
    study = create_study(tmp_path / "study", plan)
    study.path("deep/er").mkdir(parents=True)
    mine = [study.path(".note"), study.path("deep/er/a.partial")]
    half = [study.path(".a.1.partial"), study.path("deep/er/.b.2.partial")]
    for path in (*mine, *half):
        path.touch()
    sweep(study)
    assert [path.exists() for path in (*mine, *half)] == [True, True, False, False]


def test_a_lock_is_given_back(tmp_path, plan):
    """After work that went well, and after work that did not."""
    study = create_study(tmp_path / "study", plan)
    for error in (KeyboardInterrupt, StudyError):
        with pytest.raises(error), alone(study):
            raise error
    busy = pytest.raises(StudyError, match="another process works on this study; wait")
    with alone(study), busy, alone(study):
        pass
    with alone(study):
        pass


def test_nothing_is_learnt_with_the_network_of_another_study(tmp_path, plan):
    """The message names the other study; a study with a network of its own passes."""
    require_own_network(Study(tmp_path, plan))
    other = override(plan, {"network": "/other"})
    with pytest.raises(StudyError, match=r"its network is that of /other and all .* emorank run"):
        require_own_network(Study(tmp_path, other))


def test_a_stage_has_one_record_at_a_time(tmp_path, plan):
    """Those of the other stages stay; without an outcome there is no stamp."""
    study = create_study(tmp_path / "study", plan)
    assert (study.stages(), study.stamp("train")) == ({}, "")
    study.write_stage("prepare", {"key": "a", "outcome": "3 faces"})
    study.write_stage("train", {"key": "b"})
    assert (study.stamp("prepare"), study.stamp("train")) == ("a", "")
    study.write_stage("train", {"key": "b", "outcome": "2 epochs"})
    assert (study.stamp("prepare"), study.stamp("train")) == ("a", "b")


def test_fingerprints_follow_values():
    """Equal plans, equal fingerprints; the order of keys is no difference, a value is."""
    one, two = Plan(), override(Plan(), {"train.epochs": 3})
    assert fingerprint(one) == fingerprint(Plan())
    assert fingerprint(one) != fingerprint(two)
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint(one, 1) != fingerprint(one)


def test_a_result_is_known_as_long_as_its_stage_is_the_same(tmp_path):
    """What a verb found on a study goes out of date with the stage that it depends on."""
    study = create_study(tmp_path / "study", Plan())
    assert study.result("audit") is None
    write_json(study.path("stages.json"), {"rank": {"key": "a", "outcome": "3 Strong"}})
    study.write_result("audit", {"kappa": 0.5}, after="rank")
    assert study.result("audit") == {"kappa": 0.5}
    write_json(study.path("stages.json"), {"rank": {"key": "b", "outcome": "3 Strong"}})
    assert study.result("audit") is None
    write_json(study.path("stages.json"), {"rank": {"key": "a"}})  # cut short
    assert study.stamp("rank") == ""
    assert study.result("audit") is None
