"""A study whose network is another study's: all faces tested, nothing learnt, any verb at work."""

import json

import numpy as np
import pandas as pd
import pytest
from tests.conftest import draw, draw_tree, write_votes

from emorank.errors import EmorankError, PlanError, StudyError
from emorank.networks import checkpoint
from emorank.study import take_network
from emorank.study.card import model_card
from emorank.study.folder import Study, create_study, open_study
from emorank.study.framed_faces import framing, framing_of_others, open_dataset
from emorank.study.learning.calibrate import calibrate
from emorank.study.learning.measured_faces import evidence_cuts
from emorank.study.learning.train_ordinal import train_ordinal
from emorank.study.other_network import plan_for_network
from emorank.study.plan import DataPlan, Plan, override
from emorank.study.readers import reader_of
from emorank.study.resolve import resolve
from emorank.study.run import run
from emorank.study.trained_network import trained_network
from emorank.study.verbs.audit_ranks import audit
from emorank.study.verbs.compare_estimators import compare
from emorank.study.verbs.results_by_group import results_by_group

pytestmark = pytest.mark.weights

STRANGERS = tuple(f"p{number}" for number in range(20, 24))


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """Faces of four persons that no network has seen, two emotions; the same layout."""
    return draw_tree(tmp_path_factory.mktemp("others") / "faces", ("anger", "happy"), STRANGERS)


def study_model(study):
    """The bytes of its network."""
    return study.path("model.safetensors").read_bytes()


def on(folder, data, out, **changes):
    """A study of `data` with the network of the one in `folder`, made but not run."""
    plan = override(plan_for_network(folder), {"data.path": str(data)} | changes)
    return create_study(out, resolve(plan))


@pytest.fixture(scope="module")
def done(finished, others, tmp_path_factory):
    """Such a study, run to its end; to be read only."""
    folder = tmp_path_factory.mktemp("elsewhere")
    votes = write_votes(folder / "votes.csv", ("anger", "happy"), STRANGERS)
    study = on(finished, others, folder / "study", **{"validate.votes": str(votes)})
    run(study)
    return study


def test_every_face_is_tested_with_the_network_of_the_other(done, finished, others):
    """Its weights, recipe, size, framing and cuts; nothing was trained."""
    source = open_study(finished)
    assert set(done.table("split")["part"]) == {"test"}
    assert len(done.table("predictions")) == 2 * len(STRANGERS)
    assert study_model(done) == study_model(source)
    assert done.table("training").empty
    assert done.plan.train == source.plan.train
    assert done.plan.explain == source.plan.explain
    assert done.plan.data.size == source.plan.data.size
    assert done.plan.data.emotions == ["anger", "happy", "surprise"]
    assert evidence_cuts(done, trained_network(done)) == evidence_cuts(
        source, trained_network(source)
    )
    assert open_study(done.folder).plan == done.plan


def test_it_names_and_ranks_as_the_other_does(done, finished):
    """The same faces, by either study."""
    from emorank import rank_images

    files = [done.plan.data.path + f"/happy/{person}.png" for person in STRANGERS]
    for method in ("paper", "evidence"):
        here, there = (
            pd.DataFrame([one.row for one in rank_images(open_study(folder), files, rank=method)])
            for folder in (done.folder, finished)
        )
        pd.testing.assert_frame_equal(here, there)


def test_a_second_run_does_nothing(done):
    """But look."""
    again = []

    class Watch:
        def start(self, stage):
            return lambda *_: None

        def end(self, stage, outcome, anew):
            again.append(anew)

    run(open_study(done.folder), watch=Watch())
    assert again == [False] * 7


def test_report_and_card_say_whose_network_it_is(done, finished):
    """And that these are no training data."""
    page = done.path("report/index.html").read_text()
    assert "The network is that of the study “" in page
    assert "All of these faces are its test part" in page
    assert "No person of the test part is in the training part" in page
    assert "Nothing was trained in this study" in page
    card = model_card(done)
    assert "## Test data" in card
    assert "## Training data" not in card
    assert "split.by" not in card
    assert "## Training data" in model_card(open_study(finished))


def test_it_is_audited_and_its_groups_are_scored(done, tmp_path):
    """By the verbs of any study."""
    found = audit(done, rank=["evidence", "logit"], faces=1)
    assert found.faces == 2 * len(STRANGERS)
    assert [one.rank for one in found.ranks[:2]] == ["evidence", "logit"]
    groups = tmp_path / "groups.csv"
    rows = [f"{person},{'old' if i % 2 else 'young'}" for i, person in enumerate(STRANGERS)]
    groups.write_text("\n".join(["person,age", *rows]))
    assert results_by_group(done, groups).images == 2 * len(STRANGERS)


@pytest.mark.parametrize("learn", [train_ordinal, lambda study: compare(study, "labels")])
def test_nothing_is_learnt_where_everything_is_tested(done, learn):
    """With what to do instead."""
    with pytest.raises(StudyError, match=r"its network is that of .* all of its faces are tested"):
        learn(done)


def test_what_was_learnt_from_votes_comes_along(own_rated, others, tmp_path):
    """And goes, when the other study has it no more and the network is taken anew."""
    calibrate(own_rated)
    study = on(own_rated.folder, others, tmp_path / "elsewhere")
    run(study, last="train")
    pixels = [np.asarray(draw("happy", 30, 224)), np.asarray(draw("anger", 31, 224))]
    here, there = (reader_of(one, ["calibrated"]).levels(pixels) for one in (study, own_rated))
    pd.testing.assert_frame_equal(here, there)
    assert evidence_cuts(study, trained_network(study)) == evidence_cuts(
        own_rated, trained_network(own_rated)
    )
    own_rated.path("calibration.json").unlink()
    run(study, first="train", last="train")
    with pytest.raises(StudyError, match="no calibration"):
        reader_of(study, ["calibrated"])


def test_what_the_network_has_seen_is_counted(own_study, tmp_path):
    """The same persons of the same data set; elsewhere pictures only, whatever the names."""
    faces = own_study.table("faces").merge(own_study.table("split"), on="image")
    tested = faces[faces["part"] == "test"]
    data = own_study.plan.data.path
    same = on(own_study.folder, data, tmp_path / "same")
    run(same, last="prepare")
    found = same.metrics()["leakage"]
    assert found["training"] == len(faces) - len(tested)
    assert found["person"] == len(faces) - len(tested)
    copied = draw_tree(tmp_path / "copies", ("anger", "happy"), ["p0", "p1", "p2", "p3"])
    for path in (copied / f"{emotion}/p{i}.png" for emotion in ("anger", "happy") for i in (0, 1)):
        draw(path.parent.name, 40 + int(path.stem[1:])).save(path)
    copies = on(own_study.folder, copied, tmp_path / "copied")
    run(copies, last="prepare")
    found = copies.metrics()["leakage"]
    learnt = set(faces.loc[faces["part"] != "test", "person"]) & {"p2", "p3"}
    assert (found["person"], found["pixels"]) == (0, 2 * len(learnt))


def test_one_emotion_is_enough_and_unknown_ones_are_left_out(finished, tmp_path):
    """Nobody learns to tell them apart here."""
    data = draw_tree(tmp_path / "data", ("happy",), STRANGERS)
    (data / "fear").mkdir()
    draw("anger", 20).save(data / "fear" / "p20.png")
    study = on(finished, data, tmp_path / "study")
    run(study, last="test")
    assert len(study.table("predictions")) == len(STRANGERS)
    assert "fear" in study.table("excluded")["reason"].iloc[0]
    assert study.metrics()["emotion"]["baseline"]["source"] == "test"


def test_networks_that_there_are_not(finished, done, others, tmp_path):
    """No study, not trained, at second hand, emotions that it does not know."""
    with pytest.raises(StudyError, match=r"no study here .* or ready, which is the network that"):
        on(tmp_path, others, tmp_path / "a")
    untrained = create_study(tmp_path / "b", open_study(finished).plan)
    with pytest.raises(StudyError, match="its network is not trained yet"):
        on(untrained.folder, others, tmp_path / "c")
    with pytest.raises(StudyError, match="name that study instead"):
        on(done.folder, others, tmp_path / "d")
    with pytest.raises(PlanError, match=r"data\.emotions: fear: the network knows anger, happy"):
        on(finished, others, tmp_path / "e", **{"data.emotions": ["fear"]})
    with pytest.raises(EmorankError, match="no study here"):
        resolve(override(done.plan, {"network": str(tmp_path / "gone")}))


def test_another_disk_gets_a_copy(finished, others, tmp_path, monkeypatch):
    """Where no link can be made."""

    def refuse(*_):
        raise OSError("another disk")

    monkeypatch.setattr(take_network.os, "link", refuse)
    study = on(finished, others, tmp_path / "study")
    run(study, last="train")
    assert checkpoint.load(study.path("model.safetensors")).classes
    assert json.loads(study.path("network.json").read_text())["values"]["faces"] > 0


def test_photographs_are_framed_for_a_network_of_the_sample(finished, tmp_path):
    """It is rendered in that frame, so nothing has to be found in it; others are as they were."""
    sample = Study(tmp_path, Plan(data=DataPlan(dataset="sample")))
    dataset = open_dataset(sample)
    assert (framing(sample, dataset), framing_of_others(sample, dataset)) == ("none", "face")
    drawn = open_study(finished)
    dataset = open_dataset(drawn)
    assert framing(drawn, dataset) == framing_of_others(drawn, dataset) == "none"
