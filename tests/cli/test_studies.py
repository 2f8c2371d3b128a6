"""Studies as the options of a verb say: which text wins, what is written, and what only said."""

import pytest
from click import UsageError

from emorank.cli.studies import begin_study, change_plan, open_with, renew_report
from emorank.cli.votes import with_votes
from emorank.errors import DatasetError
from emorank.study.folder import Study, create_study, open_study
from emorank.study.plan import AnswersPlan, Plan


def options(**more):
    """The options of `emorank run` on the shipped sample, with nothing given but `more`."""
    nothing = dict.fromkeys(("plan", "data", "network", "crop"))
    settings = ("data.dataset=sample", *more.pop("settings", ()))
    return nothing | {"strict": False, "settings": settings} | more


def test_an_option_wins_over_a_setting_and_a_setting_over_the_file(tmp_path):
    """`--crop` says it last; what nobody says stays as the file has it."""
    file = tmp_path / "plan.toml"
    file.write_text('title = "File"\n[data]\ncrop = "face"\nstrict = true\n[train]\nepochs = 7\n')
    settings = ("data.crop=auto", "train.epochs=9")
    plan = begin_study(
        **options(plan=file, out=tmp_path / "study", crop="none", settings=settings)
    ).plan
    assert (plan.title, plan.data.crop, plan.data.strict, plan.train.epochs) == (
        "File", "none", True, 9,
    )  # fmt: skip


def test_strict_and_votes_reach_the_plan(tmp_path):
    """Votes by their whole path, because a study may be used from another folder."""
    votes = tmp_path / "votes.csv"
    votes.touch()
    (tmp_path / "a").mkdir()
    plan = begin_study(
        **options(out=tmp_path / "study", strict=True, votes=tmp_path / "a" / ".." / "votes.csv")
    ).plan
    assert plan.data.strict
    assert plan.validate.votes == str(votes)


def test_a_call_changes_the_plan_only_where_it_does_a_stage(tmp_path):
    """`open_with` leaves the file, `change_plan` writes it."""
    folder = begin_study(**options(out=tmp_path / "study")).folder
    assert open_with(folder, ("train.epochs=3",)).plan.train.epochs == 3
    assert open_study(folder).plan.train.epochs == Plan().train.epochs
    assert change_plan(folder, ("train.epochs=3",)).plan.train.epochs == 3
    assert open_study(folder).plan.train.epochs == 3


def test_a_study_without_stages_gets_no_report_and_a_reason(tmp_path, capsys):
    """The work before was done all the same, so it is no error."""
    study = create_study(tmp_path / "study", Plan())
    renew_report(study)
    assert "the report was not written: " in capsys.readouterr().err
    assert not study.path("report").exists()


def test_a_study_whose_images_are_gone_keeps_the_result(tmp_path, capsys, monkeypatch):
    """Whatever hinders the report is said, and the verb ends well."""

    def gone(*arguments, **options):
        raise DatasetError("the folder of images is gone")

    monkeypatch.setattr("emorank.study.run.run", gone)
    renew_report(create_study(tmp_path / "study", Plan()))
    assert "the report was not written: the folder of images is gone" in capsys.readouterr().err


def test_what_is_said_of_votes_goes_with_their_file(tmp_path):
    """It reaches the plan; with another file, only what is said of that one counts."""
    (tmp_path / "a.json").touch()
    said = {"control": "intensity", "words": {"Low": "Minimal"}}
    study = begin_study(**options(out=tmp_path / "study", votes=tmp_path / "a.json", said=said))
    assert (study.plan.answers.control, study.plan.answers.words) == ("intensity", said["words"])
    more = with_votes(study, None, {"cut": [1, 2, 3]})
    assert (more.plan.answers.control, more.plan.answers.cut) == ("intensity", [1, 2, 3])
    other = with_votes(study, tmp_path / "b.csv", {})
    assert other.plan.answers == AnswersPlan()
    assert other.plan.validate.votes == str(tmp_path / "b.csv")
    assert open_study(tmp_path / "study").plan == study.plan
    with pytest.raises(UsageError, match="are for votes: give their file"):
        with_votes(Study(tmp_path, Plan()), None, said)
