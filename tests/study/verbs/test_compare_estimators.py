"""The comparison on a study of drawn faces: what is written, kept, refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emorank.baselines import ESTIMATORS
from emorank.errors import PlanError, StudyError
from emorank.ranking.contrast import levels as contrast_levels
from emorank.reading import ranks as reading_ranks
from emorank.reading.along_sequences import smooth_ranks
from emorank.results.comparison import Comparison
from emorank.study import readers
from emorank.study.comparing import asking, shipped
from emorank.study.comparing import described_faces as features
from emorank.study.folder import open_study
from emorank.study.learning.calibrate import calibrate
from emorank.study.learning.train_ordinal import train_ordinal
from emorank.study.plan import override
from emorank.study.readers import read
from emorank.study.verbs import compare_estimators as module
from emorank.study.verbs.compare_estimators import compare
from emorank.vocabulary import LEVELS

pytestmark = pytest.mark.weights
QUICKLY = ("chang", "delannoy_mcdonald", "majority")
RANKS = ("paper", "logit")
NETWORKS = ("ready", "expression", "expression+identity")


@pytest.fixture
def few(monkeypatch):
    """Estimators and ranks that take no time; the others have tests of their own."""
    some = {name: ESTIMATORS[name] for name in QUICKLY}
    for place in (module, asking, features):
        monkeypatch.setattr(place, "ESTIMATORS", some)
    monkeypatch.setattr(module, "RANKS", {name: module.RANKS[name] for name in RANKS})
    monkeypatch.setattr(shipped, "NETWORKS", ())


class Watch:
    """Remembers which work was done now and which before."""

    def __init__(self):
        self.now, self.before = [], []

    def start(self, stage):
        return lambda done, total, note="": None

    def end(self, stage, outcome, again):
        (self.now if again else self.before).append(stage)


def test_everybody_is_asked_about_the_same_faces(few, own_study):
    """Scores, predictions, times; the result is the study's."""
    values = compare(own_study)
    assert own_study.read(Comparison) == values
    scores = values.expressive.scores
    assert list(scores) == [*QUICKLY, *RANKS, "rater"]
    said = own_study.table("comparison")
    tested = own_study.table("split").query("part == 'test'")["image"]
    for name in (*QUICKLY, *RANKS):
        assert set(said.loc[said["estimator"] == name, "image"]) == set(tested)
    assert said.loc[said["estimator"] == "logit", "predicted"].isin([1, 2, 3]).all()
    assert values.expressive.reference == "paper"
    assert values.all is None  # nobody is neutral here
    assert all(getattr(values.timing["chang"], key) > 0 for key in ("fit_ms", "predict_ms"))
    assert values.timing["chang"].features_ms > 0


def with_neutral(study):
    """The study with neutral faces in the place of angry ones; its network stays as it is."""
    for name in ("faces", "predictions"):
        table = study.table(name)
        table["emotion"] = table["emotion"].replace({"anger": "neutral"})
        study.write_table(name, table)
    return study


def test_the_shipped_networks_stand_beside(few, own_study, monkeypatch):
    """As it is, and heads that learn the expressions of the training part; each is asked once."""
    monkeypatch.setattr(shipped, "NETWORKS", NETWORKS)
    first, again = Watch(), Watch()
    values = compare(with_neutral(own_study), "labels", against="logit", watch=first)
    compare(own_study, "labels", against="logit", watch=again)
    assert set(NETWORKS) <= set(first.now)
    assert set(NETWORKS) <= set(again.before)
    said = own_study.table("comparison")
    tested = own_study.table("split").query("part == 'test'")["image"]
    for name in NETWORKS:
        rows = said[said["estimator"] == name]
        assert set(rows["image"]) == set(tested)
        assert np.isfinite(rows["score"]).all()
        assert values.timing[name].predict_ms > 0
    assert values.timing["ready"].fit_ms == 0
    assert values.timing["expression"].fit_ms > 0
    heads = [said.loc[said["estimator"] == name, "score"].to_numpy() for name in NETWORKS]
    assert not np.array_equal(heads[0], heads[1])
    assert not np.array_equal(heads[1], heads[2])


def table_of(study):
    """Its faces with their parts; nobody rated them."""
    table = study.table("faces").merge(study.table("split"), on="image")
    return table.assign(level=pd.array([pd.NA] * len(table), dtype="Int64"))


def test_a_head_learns_from_the_training_part_alone(own_study):
    """Other expressions of the tested persons change nothing."""
    table = table_of(with_neutral(own_study))
    before = shipped.ask_network(own_study, "expression", table)
    tested = table["part"] == "test"
    turned = table.assign(emotion=table["emotion"].mask(tested, "happy"))
    after = shipped.ask_network(own_study, "expression", turned)
    said = ["image", "score", "predicted"]
    pd.testing.assert_frame_equal(before[said], after[said])


def test_the_validation_part_says_where_strong_begins(own_study):
    """Its full expressions and neutral faces do; without neutral ones, Strong begins as usual."""
    table = table_of(with_neutral(own_study))
    learnt, watched = table["person"].isin(["p0", "p1", "p2"]), table["person"] == "p6"
    table["part"] = np.select([learnt, watched], ["train", "validation"], "test")
    known = shipped.ask_network(own_study, "expression", table)
    hidden = (table["part"] == "validation") & (table["emotion"] == "neutral")
    unknown = shipped.ask_network(
        own_study, "expression", table.assign(emotion=table["emotion"].mask(hidden, "happy"))
    )
    np.testing.assert_array_equal(known["score"], unknown["score"])
    usual = contrast_levels(known["score"].to_numpy())
    assert unknown["predicted"].tolist() == usual.tolist()
    assert known["predicted"].tolist() != usual.tolist()


def in_sequences(study):
    """The table of its faces, each person's pictures being a sequence."""
    table = table_of(study)
    frame = table.groupby("person").cumcount()
    return table.assign(sequence=table["person"], frame=frame.astype("Int64"))


def test_along_sequences_as_by_hand(own_study):
    """The shipped network smoothed is what `emorank.smooth_ranks` makes of its rows."""
    table = in_sequences(own_study)
    tested = table[table["part"] == "test"].reset_index(drop=True)
    paths = [Path(own_study.plan.data.path) / image for image in tested["image"]]
    rows = read(paths, crop=own_study.plan.data.crop, heatmaps=False).to_frame()
    smooth = smooth_ranks(pd.concat([rows, tested[["sequence", "frame", "person"]]], axis=1))
    said = shipped.ask_network(own_study, "ready-smooth", table)
    np.testing.assert_allclose(said["score"], smooth["score"], atol=1e-3)
    assert [LEVELS[level] for level in said["predicted"]] == smooth["rank"].tolist()
    assert (said["score"] - rows["score"]).abs().max() > 0.1


def test_sequences_are_smoothed_where_there_are_any(own_study):
    """A head must know neutral for that; the shipped network does."""
    smooth = ["ready-smooth", "expression+identity-smooth"]
    single, joined = table_of(own_study), in_sequences(own_study)
    assert list(shipped.networks_beside(own_study, single)) == list(NETWORKS)
    assert list(shipped.networks_beside(own_study, joined)) == [*NETWORKS, *smooth]
    with pytest.raises(StudyError, match="needs a network that knows neutral"):
        shipped.ask_network(own_study, "expression+identity-smooth", joined)


def test_the_studys_own_backbone_is_not_asked_twice(own_study):
    """Its contrast is among the ranks of the study."""
    table = table_of(own_study)
    plan = override(own_study.plan, {"train.backbone": "expression", "data.size": 112})
    own = replace(own_study, plan=plan)
    assert list(shipped.networks_beside(own, table)) == ["ready", "expression+identity"]


def test_others_are_tested_against_the_rank_that_people_get(few, own_study, monkeypatch):
    """The contrast; without neutral, where it has no levels, the evidence."""
    ranks = {name: reading_ranks.RANKS[name] for name in ("paper", "evidence", "contrast")}
    monkeypatch.setattr(module, "RANKS", ranks)
    assert compare(own_study).expressive.reference == "evidence"
    assert compare(with_neutral(own_study), "labels").all.reference == "contrast"
    assert compare(own_study, "labels", against="evidence").all.reference == "evidence"


def test_the_test_part_teaches_nobody(few, own_study):
    """What is predicted stays, whatever the raters say of the faces tested."""
    compare(own_study)
    before = own_study.table("comparison")
    votes = pd.read_csv(own_study.plan.validate.votes)
    tested = set(own_study.table("split").query("part == 'test'")["image"])
    turned = votes["rank"].map({"Minimal": "Strong", "Average": "Minimal", "Strong": "Average"})
    votes["rank"] = votes["rank"].mask(votes["image"].isin(tested), turned)
    other = own_study.path("turned.csv")
    votes.to_csv(other, index=False)
    compare(own_study, other)
    after = own_study.table("comparison")
    own = before["estimator"].isin([*QUICKLY, *RANKS])
    columns = ["estimator", "image", "predicted", "score"]
    pd.testing.assert_frame_equal(
        before.loc[own, columns], after.loc[after["estimator"] != "rater", columns]
    )
    assert not before["level"].equals(after["level"])


def test_what_was_said_is_kept(few, own_study, monkeypatch):
    """Stopped in the middle, only the rest is asked; then nobody is asked again."""

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(ESTIMATORS["delannoy_mcdonald"].make, "predict", stop)
        with pytest.raises(KeyboardInterrupt):
            compare(own_study)
    assert not own_study.path("comparison.json").exists()
    first, second = Watch(), Watch()
    whole = compare(own_study, watch=first)
    assert first.before == ["chang"]
    again = compare(own_study, watch=second)
    assert set(second.before) == {*QUICKLY, *RANKS}
    assert whole.expressive == again.expressive


def test_a_damaged_study_or_another_parameter_is_asked_again(few, own_study, monkeypatch):
    """What is kept belongs to parameters, faces and levels."""
    compare(own_study)
    monkeypatch.setattr(ESTIMATORS["chang"].make.__init__, "__defaults__", (5, 1.0))
    watch = Watch()
    compare(own_study, watch=watch)
    assert "chang" in watch.now
    assert "delannoy_mcdonald" in watch.before
    assert len(list(own_study.path("comparison").glob("chang-*"))) == 1


def test_a_rank_that_cannot_be_given_is_named(few, own_study, monkeypatch):
    """It is left out with its reason; asked for by name it is an error."""

    def fails(study, network):
        raise StudyError("it was never trained")

    monkeypatch.setattr(module, "RANKS", {**module.RANKS, "ordinal": None})
    monkeypatch.setitem(readers.SETTINGS, "ordinal", fails)
    assert compare(own_study).left_out == {"ordinal": "it was never trained"}
    with pytest.raises(StudyError, match="--against ordinal: it was never trained"):
        compare(own_study, against="ordinal")
    with pytest.raises(PlanError, match="--against best: expected one of chang, "):
        compare(own_study, against="best")


def test_without_votes_there_is_a_way_out(few, own_study):
    """The error says how levels can be had; neutral faces are needed for the last way."""
    own_study.path("study.toml").write_text(
        own_study.path("study.toml").read_text().replace(own_study.plan.validate.votes, "")
    )
    study = open_study(own_study.folder)
    with pytest.raises(StudyError, match=r"--votes FILE .* or --votes labels"):
        compare(study)
    with pytest.raises(StudyError, match="there is no neutral face"):
        compare(study, "labels")
    study.path("model.safetensors").unlink()
    with pytest.raises(StudyError, match="no model to compare"):
        compare(study)


def test_a_misspelt_rank_is_refused_before_the_work(own_study, monkeypatch):
    """Not after every estimator was asked."""
    monkeypatch.setattr(module, "compare_task", None)
    with pytest.raises(PlanError, match="--against papre: expected one of "):
        compare(own_study, against="papre")


def test_neutral_against_any_expression(few, own_study):
    """Two classes, called so; any rank is an expression."""
    faces = own_study.table("faces")
    values = compare(with_neutral(own_study), "labels")
    assert values.about.labels
    assert values.expressive is None
    said = own_study.table("comparison")
    assert set(said["predicted"]) <= {0, 3}
    share = (faces["emotion"] == "anger").mean()
    assert values.about.levels["None"] == round(share * values.about.faces)


def test_votes_must_be_on_both_sides(few, own_study, tmp_path):
    """With votes on the tested faces only there is nothing to learn from."""
    votes = pd.read_csv(own_study.plan.validate.votes)
    tested = own_study.table("split").query("part == 'test'")["image"]
    votes[votes["image"].isin(tested)].to_csv(tmp_path / "half.csv", index=False)
    with pytest.raises(StudyError, match="0 of the training and validation part have one"):
        compare(own_study, tmp_path / "half.csv")


def test_who_may_abstain_is_made_to_answer():
    """The most probable level where a rank with probabilities has none; a level stays."""
    said = pd.DataFrame({"level": pd.array([pd.NA, 2], dtype="Int64")})
    assert asking.pressed_levels(said)[0] is pd.NA
    for level, values in {"none": (0.1, 1), "minimal": (0.3, 0), "average": (0.2, 0)}.items():
        said[f"p_{level}"] = values
    said["p_strong"] = [0.4, 0.0]
    assert asking.pressed_levels(said).tolist() == [3, 2]


@pytest.mark.slow
def test_folds_test_every_person(few, own_study, monkeypatch):
    """Estimators and networks are trained anew, and what was learnt from votes is learnt again.

    A network is gone when its ranks were asked.
    """
    calibrate(own_study, crossfit=3)
    train_ordinal(own_study)
    learnt = ("paper", "evidence", "calibrated", "ordinal")
    monkeypatch.setattr(module, "RANKS", {name: reading_ranks.RANKS[name] for name in learnt})
    values = compare(own_study, folds=3)
    said = own_study.table("comparison")
    assert values.left_out == {}
    for name in (*QUICKLY, *learnt):
        assert len(said[said["estimator"] == name]) == len(own_study.table("faces"))
    assert values.expressive.persons == own_study.table("faces")["person"].nunique()
    assert not list(own_study.path("comparison").rglob("model.safetensors"))
    assert np.isfinite(said.loc[said["estimator"] == "paper", "score"]).all()


def test_a_rank_that_cannot_be_learnt_in_a_fold_is_left_out(few, own_study, monkeypatch):
    """With the reason; where no rank of ours is left, that is the error."""

    def refuse(*_):
        raise StudyError("too few rated faces")

    monkeypatch.setattr(asking, "learn_again", refuse)
    monkeypatch.setattr(module, "RANKS", {"paper": reading_ranks.RANKS["paper"]})
    with pytest.raises(StudyError, match=r"no rank .* paper: too few rated faces"):
        compare(own_study, folds=3)
