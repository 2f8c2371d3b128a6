"""The order of stages: what is done is not done again, and what a change touches is."""

import json
from dataclasses import replace

import pytest
from filelock import FileLock

from emorank.errors import StudyError
from emorank.study import run as stages
from emorank.study.folder import create_study
from emorank.study.plan import Plan, override

NAMES = ["prepare", "train", "test", "explain", "rank", "validate", "report"]


@pytest.fixture
def done(monkeypatch):
    """Stages that write their files at once; the list says which were run."""
    ran = []

    def fake(stage):
        def do(study, progress):
            ran.append(stage.name)
            for name in stage.files:
                if ".partial" not in name:
                    study.path(name).write_text(stage.name)
            return f"{stage.name} number {len(ran)}"

        return replace(stage, do=do)

    monkeypatch.setattr(stages, "STAGES", tuple(map(fake, stages.STAGES)))
    return ran


@pytest.fixture
def make(tmp_path):
    def study(**changes):
        return create_study(tmp_path / "study", override(Plan(), {"data.path": "/f"} | changes))

    return study


class Log(stages.Quiet):
    def __init__(self):
        self.ends = []

    def end(self, stage, outcome, again):
        self.ends.append((stage, outcome, again))


def test_every_stage_runs_once_in_order(done, make):
    """The first run does all; the second does none and tells what the first had found."""
    first, second = Log(), Log()
    stages.run(make(), first)
    assert done == NAMES
    stages.run(make(), second)
    assert done == NAMES
    assert first.ends == [(name, f"{name} number {i}", True) for i, name in enumerate(NAMES, 1)]
    assert second.ends == [(name, outcome, False) for name, outcome, _ in first.ends]


@pytest.mark.parametrize(
    ("change", "begin"),
    [
        ({"data.size": 64}, "prepare"),
        ({"split.seed": 1}, "prepare"),
        ({"model.device": "meta"}, "train"),
        ({"train.epochs": 3}, "train"),
        ({"explain.preset": "epsilon-alpha2-beta1"}, "explain"),
        ({"explain.rules.dense": "zero"}, "explain"),
        ({"explain.bias": "distributed"}, "explain"),
        ({"explain.max_pooling": "even"}, "explain"),
        ({"rank.rule": "mean"}, "rank"),
        ({"validate.ties": "disputed"}, "validate"),
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


def test_files_of_another_plan_are_gone_before_a_stage_begins(done, make, monkeypatch):
    """What an earlier plan left can't be taken for a half-done part of this one."""
    study = make()
    stages.run(study)
    study.path("training.partial.safetensors").write_text("of the earlier plan")
    seen = {}

    def look(stage):
        def do(study, progress):
            seen[stage.name] = [name for name in stage.files if study.path(name).exists()]
            return stage.do(study, progress)

        return replace(stage, do=do)

    monkeypatch.setattr(stages, "STAGES", tuple(map(look, stages.STAGES)))
    stages.run(make(**{"train.epochs": 3}))
    assert seen == {name: [] for name in NAMES[1:]}


def test_what_a_stopped_stage_left_is_still_there(done, make, monkeypatch):
    """The same plan goes on: partial files are not removed."""
    study, broken = make(), stages.STAGES

    def stop(study, progress):
        study.path("training.partial.safetensors").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(stages, "STAGES", (broken[0], replace(broken[1], do=stop), *broken[2:]))
    with pytest.raises(KeyboardInterrupt):
        stages.run(study)
    assert json.loads(study.path("stages.json").read_text())["train"].keys() == {"key"}
    monkeypatch.setattr(stages, "STAGES", broken)
    done.clear()
    stages.run(study)
    assert done == NAMES[1:]
    assert study.path("training.partial.safetensors").read_text() == "half"


def test_a_file_that_was_deleted_is_made_again(done, make):
    """A stage is done while its files are there."""
    study = make()
    stages.run(study)
    done.clear()
    study.path("ranks.parquet").unlink()
    stages.run(study)
    assert done == ["rank"]


def test_a_stage_asked_for_by_name_is_done_again(done, make):
    """`first` and `last` alone: that stage, even if it was done."""
    study, log = make(), Log()
    stages.run(study)
    done.clear()
    stages.run(study, log, first="rank", last="rank")
    assert done == ["rank"]
    assert log.ends == [("rank", "rank number 1", True)]


@pytest.mark.parametrize("first", NAMES[1:])
def test_a_stage_whose_forerunner_is_missing_is_refused(done, make, first):
    """The message names the missing stage and the command for it."""
    study = make()
    with pytest.raises(StudyError, match=r"'prepare' is not done .*emorank prepare --study|run"):
        stages.run(study, first=first, last=first)
    assert done == []


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
