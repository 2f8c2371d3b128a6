"""The order of stages: what is done is not done again, and what a change touches is."""

import json
from dataclasses import replace

import pandas as pd
import pytest
from filelock import FileLock

from emorank import __version__
from emorank.errors import StudyError
from emorank.results.stored import write_json
from emorank.room import sources
from emorank.study import run as stages
from emorank.study.folder import create_study
from emorank.study.plan import Plan, override

NAMES = ["prepare", "train", "test", "explain", "rank", "validate", "report"]


class Ran(list):
    """The names of stages, in the order in which they were done."""


@pytest.fixture
def done(monkeypatch):
    """Stages that write their files at once; the list says which were run."""
    ran = Ran()

    def fake(stage):
        def do(study, progress):
            ran.append(stage.name)
            for name in stage.files:
                if ".partial" not in name:
                    study.path(name).write_text(stage.name)
            return f"{stage.name} number {len(ran)}"

        return replace(stage, do=do, content=lambda study: made.get(stage.name, ""), section="")

    ran.made = made = {}  # what a stage made, where that does not follow from the plan
    monkeypatch.setattr(stages, "STAGES", tuple(map(fake, stages.STAGES)))
    return ran


@pytest.fixture
def make(tmp_path):
    def study(**changes):
        return create_study(tmp_path / "study", override(Plan(), {"data.path": "/f"} | changes))

    return study


@pytest.fixture
def at_begin(monkeypatch, done):
    """For each stage that was run, which of its files were there when it began."""
    files = {}

    def look(stage):
        def do(study, progress):
            files[stage.name] = [name for name in stage.files if study.path(name).exists()]
            return stage.do(study, progress)

        return replace(stage, do=do)

    monkeypatch.setattr(stages, "STAGES", tuple(map(look, stages.STAGES)))
    return files


class Log(stages.Quiet):
    def __init__(self):
        self.starts, self.ends = [], []

    def start(self, stage):
        self.starts.append(stage)
        return super().start(stage)

    def end(self, stage, outcome, again):
        self.ends.append((stage, outcome, again))


def test_every_stage_runs_once_in_order(done, make):
    """The first run does all; the second does none and tells what the first had found."""
    first, second = Log(), Log()
    stages.run(make(), watch=first)
    assert done == NAMES
    stages.run(make(), watch=second)
    assert done == NAMES
    assert first.ends == [(name, f"{name} number {i}", True) for i, name in enumerate(NAMES, 1)]
    assert second.ends == [(name, outcome, False) for name, outcome, _ in first.ends]
    assert (first.starts, second.starts) == (NAMES, [])


def test_the_record_of_a_stage_says_what_came_out_by_which_version(done, make):
    """`stages.json`: the key, the outcome, and the version of the program."""
    study = make()
    stages.run(study, last="prepare")
    record = json.loads(study.path("stages.json").read_text())["prepare"]
    assert record.pop("key") == study.stamp("prepare") != ""
    assert record == {"outcome": "prepare number 1", "version": __version__}


def test_what_was_made_of_other_faces_is_made_again(done, make):
    """The content of what a stage made counts, not that it was made again."""
    study = make()
    done.made |= {"prepare": "faces", "train": "network"}
    stages.run(study)
    for name, content, again in (
        ("prepare", "faces", []),
        ("train", "network", []),
        ("train", "another network", NAMES[2:]),
        ("prepare", "other faces", NAMES[1:]),
    ):
        done.made[name] = content
        stages.run(study, first=name, last=name)
        assert study.was_made_of("test", "train") == (again != NAMES[2:]), name
        done.clear()
        stages.run(study)
        assert done == again, (name, content)
        assert study.was_made_of("test", "train")
        assert not study.was_made_of("train", "test")


def test_a_study_of_an_earlier_version_stays_valid(done, make):
    """Its records say nothing of contents and inputs; doing a stage again to the same changes none.

    If it comes to something else, what follows is done again.
    """
    study = make()
    stages.run(study)  # without contents, as it was
    done.clear()
    done.made["prepare"] = "faces"
    stages.run(study, first="prepare", last="prepare")
    assert "content" not in study.stages()["prepare"]
    stages.run(study)
    assert done == ["prepare"]
    made = iter(("other faces", "faces"))  # the new ones, the earlier ones
    whole = stages.STAGES
    stages.STAGES = (replace(whole[0], content=lambda study: next(made)), *whole[1:])
    try:
        stages.run(study, first="prepare", last="prepare")
    finally:
        stages.STAGES = whole
    done.clear()
    stages.run(study)
    assert done == NAMES[1:]


def test_a_file_of_weights_with_another_content_is_trained_from(done, make, tmp_path):
    """It is the content that counts; and a file that is gone has been learnt from already."""
    weights = tmp_path / "weights.safetensors"
    weights.write_text("one")
    study = make(**{"model.weights": str(weights)})
    stages.run(study)
    for content, again in (("one", []), ("two", NAMES[1:]), (None, [])):
        done.clear()
        weights.unlink() if content is None else weights.write_text(content)
        stages.run(study)
        assert done == again, content
    # As an earlier version wrote it: the file is not in the key, and nothing is noticed.
    records = study.stages()
    del records["train"]["inputs"]
    write_json(study.path("stages.json"), records)
    study.write_stage("train", {"key": stages.key_of(study, stages.STAGES[:2]), "outcome": "done"})
    weights.write_text("three")
    assert stages.is_done(study, "train")


def test_the_network_of_another_study_is_taken_again_when_it_was_trained_again(
    done, make, tmp_path
):
    """The network counts, and whom it has learnt from."""
    other = tmp_path / "other"
    other.mkdir()
    for name in ("model.safetensors", "split.parquet"):
        (other / name).write_text("one")
    study = make(network=str(other))
    stages.run(study)
    for name, begin in (("model.safetensors", 1), ("split.parquet", 0)):
        done.clear()
        (other / name).write_text("two")
        stages.run(study)
        assert done == NAMES[begin:]
        stages.run(study)
        assert done == NAMES[begin:]


def test_every_table_of_a_plan_belongs_to_a_stage():
    """What no stage depended on could change, and nothing would be done again."""
    settings = [table for stage in stages.STAGES for table in stage.settings]
    settings += ["answers", "input"]  # among the contents, and only where something is said
    assert sorted(settings) == sorted(Plan.__struct_fields__)


@pytest.mark.parametrize(
    ("change", "begin"),
    [
        ({"data.size": 64}, "prepare"),
        ({"split.seed": 1}, "prepare"),
        ({"network": "/other/study"}, "prepare"),
        ({"model.device": "meta"}, "train"),
        ({"train.epochs": 3}, "train"),
        ({"explain.preset": "epsilon-alpha2-beta1"}, "explain"),
        ({"explain.rules.dense": "zero"}, "explain"),
        ({"explain.bias": "distributed"}, "explain"),
        ({"explain.max_pooling": "even"}, "explain"),
        ({"explain.products": "even"}, "explain"),
        ({"rank.rule": "mean"}, "rank"),
        ({"validate.ties": "disputed"}, "validate"),
        ({"answers.control": "intensity"}, "validate"),
        ({"title": "Mine"}, "report"),
        ({"report.examples": 2}, "report"),
    ],
)
def test_a_changed_plan_redoes_what_it_touches(done, make, change, begin):
    """The stage whose settings changed and those after it; nothing before it."""
    stages.run(make())
    done.clear()
    stages.run(make(**change))
    assert done == NAMES[NAMES.index(begin) :]
    done.clear()
    stages.run(make(**change))
    assert done == []


def test_rules_in_another_order_are_other_rules(done, make):
    """The first that fits a layer counts: `0:2` before `1:13` is not the same as behind it."""
    rules = {"0:2": "flat", "1:13": "gamma"}
    stages.run(make(**{"explain.rules": rules}))
    done.clear()
    stages.run(make(**{"explain.rules": dict(reversed(rules.items()))}))
    assert done == NAMES[NAMES.index("explain") :]


def test_changed_votes_are_validated_again(done, make, tmp_path):
    """It is the content of the votes file that counts."""
    votes = tmp_path / "votes.csv"
    votes.write_text("one")
    stages.run(make(**{"validate.votes": str(votes)}))
    done.clear()
    votes.write_text("two")
    stages.run(make(**{"validate.votes": str(votes)}))
    assert done == ["validate", "report"]


def test_changed_answers_of_a_rating_project_are_validated_again(done, make, tmp_path, monkeypatch):
    """A project's answers are not in one file; they are read as a table."""
    project, answers = tmp_path / "project", ["Strong"]
    project.mkdir()
    (project / "rating.toml").touch()
    monkeypatch.setattr(sources, "read_answers", lambda path: pd.DataFrame({"answer": answers}))
    study = make(**{"validate.votes": str(project)})
    stages.run(study)
    done.clear()
    stages.run(study)
    assert done == []
    answers.append("Minimal")
    stages.run(study)
    assert done == ["validate", "report"]


def test_without_votes_no_project_is_read(done, make, tmp_path, monkeypatch):
    """An empty path is no path, and not the folder that the program was started in."""
    (tmp_path / "rating.toml").touch()
    monkeypatch.chdir(tmp_path)
    stages.run(make())
    assert done == NAMES


def test_votes_that_are_gone_do_not_stop_the_stages_before_them(done, make, tmp_path):
    """The path counts; the stage that reads it says that nothing is there."""
    stages.run(make(**{"validate.votes": str(tmp_path / "gone.csv")}), last="rank")
    assert done == NAMES[:5]


def test_files_of_another_plan_are_gone_before_a_stage_begins(done, make, at_begin):
    """What an earlier plan left can't be taken for a half-done part of this one."""
    study = make()
    stages.run(study)
    at_begin.clear()
    study.path("training.partial.safetensors").write_text("of the earlier plan")
    study.path("logits.partial").mkdir()
    (study.path("logits.partial") / "rows").write_text("of the earlier plan")
    stages.run(make(**{"train.epochs": 3}))
    assert at_begin == {name: [] for name in NAMES[1:]}


def test_what_a_stopped_stage_left_is_still_there(done, make, at_begin, monkeypatch):
    """The same plan goes on: partial files are not removed."""
    study, broken = make(), stages.STAGES

    def stop(study, progress):
        study.path("training.partial.safetensors").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(stages, "STAGES", (broken[0], replace(broken[1], do=stop), *broken[2:]))
    with pytest.raises(KeyboardInterrupt):
        stages.run(study)
    assert json.loads(study.path("stages.json").read_text())["train"].keys() == {"begun"}
    monkeypatch.setattr(stages, "STAGES", broken)
    done.clear()
    stages.run(study)
    assert done == NAMES[1:]
    assert at_begin["train"] == ["training.partial.safetensors"]
    assert not study.path("training.partial.safetensors").exists()


def test_the_earlier_results_stay_until_the_new_ones_are_whole(done, make, monkeypatch):
    """A stage that is done again and fails leaves the study as it was; so does one for a plan."""
    study, whole = make(), stages.STAGES
    stages.run(study)

    def fail(study, progress):
        study.path("relevance").write_text("half")
        raise StudyError("an image has gone")

    before = study.stages()
    monkeypatch.setattr(stages, "STAGES", (*whole[:3], replace(whole[3], do=fail), *whole[4:]))
    for changed in (study, make(**{"explain.bias": "distributed"})):
        with pytest.raises(StudyError, match="an image has gone"):
            stages.run(changed, first="explain")
        assert study.path("relevance").read_text() == "explain"
        assert [study.stamp(name) for name in NAMES] == [before[name]["key"] for name in NAMES]
        assert [name for name in NAMES if stages.is_done(study, name)] == NAMES
    monkeypatch.setattr(stages, "STAGES", whole)
    done.clear()
    stages.run(make())
    assert done == []  # the plan is the earlier one, and so are its results


def test_a_full_disk_names_the_file_and_the_stage(done, make, monkeypatch):
    """Whatever the stage was writing."""
    full = OSError(28, "No space left on device", "logits.partial/data")

    def fail(study, progress):
        raise full

    whole = stages.STAGES
    monkeypatch.setattr(stages, "STAGES", (*whole[:2], replace(whole[2], do=fail), *whole[3:]))
    says = r"^logits.partial/data: No space left on device; the stage 'test' stopped: nothing half"
    with pytest.raises(StudyError, match=says):
        stages.run(make())


def test_a_stage_that_does_not_exist_is_refused(done, make):
    """The message names those that do."""
    for bounds in ({"first": "trian"}, {"last": "trian"}):
        with pytest.raises(StudyError, match=r"'trian' is no stage .* expected one of prepare"):
            stages.run(make(), **bounds)
    with pytest.raises(StudyError, match="'trian' is no stage"):
        stages.is_done(make(), "trian")


def test_a_file_that_was_deleted_is_made_again(done, make):
    """A stage is done while its files are there."""
    study = make()
    stages.run(study)
    done.clear()
    study.path("ranks.parquet").unlink()
    stages.run(study)
    assert done == ["rank"]


def test_a_stage_asked_for_by_name_is_done_again(done, make, at_begin):
    """`first` and `last` alone: that stage, even if it was done, and without its old files."""
    study, log = make(), Log()
    stages.run(study)
    done.clear()
    at_begin.clear()
    stages.run(study, watch=log, first="rank", last="rank")
    assert done == ["rank"]
    assert at_begin == {"rank": []}
    assert (log.starts, log.ends) == (["rank"], [("rank", "rank number 1", True)])


def test_a_stage_asked_for_by_name_goes_on_if_it_was_cut_short(done, make, at_begin):
    """Hours of work are not thrown away because the stage was named."""
    study = make()
    stages.run(study, last="prepare")
    study.write_stage("train", {"key": stages.key_of(study, stages.STAGES[:2])})
    study.path("training.partial.safetensors").write_text("half")
    stages.run(study, first="train", last="train")
    assert at_begin["train"] == ["training.partial.safetensors"]


def test_the_stages_after_the_named_one_are_done_where_they_are_missing(done, make):
    """`first` names where to begin; what follows is done once as ever."""
    study = make()
    stages.run(study, last="rank")
    done.clear()
    stages.run(study, first="explain")
    assert done == ["explain", "validate", "report"]


def test_a_stage_is_done_for_one_plan_and_with_all_of_its_files(done, make):
    """`is_done`: not before it ran, nor for another plan, nor without a file that it writes."""
    study = make()
    assert not stages.is_done(study, "prepare")
    stages.run(study, last="train")
    assert [stages.is_done(study, name) for name in NAMES[:3]] == [True, True, False]
    other = replace(study, plan=override(study.plan, {"train.epochs": 3}))
    assert [stages.is_done(other, name) for name in NAMES[:2]] == [True, False]
    study.path("training.parquet").unlink()
    assert not stages.is_done(study, "train")


@pytest.mark.parametrize("first", NAMES[1:])
def test_a_stage_whose_forerunner_is_missing_is_refused(done, make, first):
    """The message names the missing stage, and the command that does all of them."""
    study = make()
    says = r"study: the stage 'prepare' is not done .*do that stage first, .*with: emorank run$"
    with pytest.raises(StudyError, match=says):
        stages.run(study, first=first, last=first)
    assert done == []


def test_what_a_kill_left_half_written_is_swept_away(done, make):
    """Before any stage begins, and not while another process may be writing it."""
    study = make()
    half = study.path(".faces.parquet.12.partial")
    half.write_text("half")
    with FileLock(study.path(".lock")), pytest.raises(StudyError):
        stages.run(study)
    assert half.exists()
    stages.run(study)
    assert not half.exists()


def test_a_stage_does_not_build_on_another_plan(done, make):
    """A forerunner done with other settings counts as missing."""
    stages.run(make())
    done.clear()
    with pytest.raises(StudyError, match="'explain' is not done for this plan"):
        stages.run(make(**{"explain.preset": "epsilon-alpha2-beta1"}), first="rank", last="rank")
    assert done == []


def test_it_stops_after_the_last_stage(done, make):
    """`last` is the last stage that is done."""
    stages.run(make(), last="test")
    assert done == NAMES[:3]


def test_two_processes_do_not_work_on_one_study(done, make):
    """The second is refused at once."""
    study = make()
    with FileLock(study.path(".lock")), pytest.raises(StudyError, match="another process works"):
        stages.run(study)
    assert done == []
    stages.run(study)
    assert done == NAMES
