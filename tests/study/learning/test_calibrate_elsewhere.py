"""The calibrated rank on faces that the network has not learnt from: its own study's, another's."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.conftest import draw_tree, write_votes

from emorank.errors import PlanError, StudyError
from emorank.results.calibration import CalibratedRank
from emorank.study.folder import create_study
from emorank.study.learning.calibrate import calibrate, calibration, fitted_on
from emorank.study.other_network import plan_for_network
from emorank.study.plan import Plan, override
from emorank.study.readers import rank_images
from emorank.study.resolve import resolve
from emorank.study.run import run
from emorank.study.verbs.audit_ranks import audit
from emorank.study.verbs.rank_test_part import rank_test_part

SHOWN = ("anger", "happy")
PERSONS = tuple(f"p{number}" for number in range(8))
OTHERS = ("p0", "p1", *(f"p{number}" for number in range(20, 30)))


def tree(root, persons):
    """Angry, happy and neutral faces; each neutral one is a third expression of the drawing.

    Those of persons that the others do not have stand on their heads, so that no picture of them is
    near-identical to one of the others.
    """
    draw_tree(root, (*SHOWN, "surprise"), persons)
    (root / "surprise").rename(root / "neutral")
    for path in root.glob("*/*.png"):
        if path.stem not in PERSONS:
            with Image.open(path) as picture:
                picture.transpose(Image.Transpose.ROTATE_180).save(path)
    return root


def made(folder, start, data, votes, last, **changes):
    """A study of some drawn faces with votes on the expressive ones, done up to a stage."""
    values = {
        "data.path": str(data),
        "data.crop": "none",
        "validate.votes": str(votes) if votes else "",
        "validate.resamples": 100,
    }
    study = create_study(folder, resolve(override(start, values | changes)))
    run(study, last=last)
    return study


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """Faces and votes of eight persons, and of two of them and ten others."""
    folder = tmp_path_factory.mktemp("faces")
    return {
        name: (
            tree(folder / name, persons),
            write_votes(folder / f"{name}.csv", SHOWN, persons),
        )
        for name, persons in (("own", PERSONS), ("others", OTHERS))
    }


@pytest.fixture
def own(there, tmp_path):
    """A study with a network of its own."""
    return made(
        tmp_path / "own", Plan(), *there["own"], "train", **{"train.backbone": "expression"}
    )


@pytest.fixture
def elsewhere(own, there, tmp_path):
    """A study of the other faces with that network."""
    return made(tmp_path / "there", plan_for_network(own.folder), *there["others"], "train")


@pytest.fixture(scope="module")
def finished_ready(there, tmp_path_factory):
    """A study of eight persons with the shipped network, run to its end."""
    folder = tmp_path_factory.mktemp("ready") / "study"
    return made(folder, plan_for_network("ready"), *there["own"], "report")


def learnt_from(study, persons):
    """Those of some persons whom the network of a study has learnt from."""
    table = study.table("faces").merge(study.table("split"), on="image")
    return set(table.loc[table["part"] != "test", "person"]) & set(persons)


def test_the_shipped_network_is_tested_on_any_faces(finished_ready):
    """It says what it says without a study; nothing is known of whom it has seen."""
    study = finished_ready
    assert set(study.table("split")["part"]) == {"test"}
    assert study.metrics()["leakage"]["person"] is None
    page = study.path("report/index.html").read_text()
    assert "The network is the one that comes with emorank." in page
    assert "No person of the test part is in the training part" not in page
    from emorank import read

    files = sorted(study.plan.data.path + "/" + image for image in study.table("faces")["image"])
    faces = list(read(files, crop="none"))
    table = pd.DataFrame([one.row for one in rank_images(study, files, crop="none")])
    assert table["predicted"].to_list() == [one.row["predicted"] for one in faces]
    np.testing.assert_allclose(table["score"], [one.row["score"] for one in faces], atol=1e-4)
    assert table["rank"].to_list() == [one.row["rank"] for one in faces]


def test_everybody_is_fitted_on_and_tested_by_a_model_of_others(finished_ready):
    """Counts, folds, pictures, a curve of parted persons; the page says so; no cuts are made."""
    values = calibrate(finished_ready)
    assert finished_ready.read(CalibratedRank) == values
    assert (values.rated.images, values.rated.persons) == (24, 8)
    assert values.tested == values.rated
    assert (values.folds, values.crossfit, values.left_out, values.source) == (5, 0, 0, "")
    assert set(values.pictures) == set(finished_ready.table("faces")["digest"])
    assert [point.images for point in values.curve] == [7, 14, 21]
    assert values.agreement.count == values.uncalibrated.count == 24
    assert values == calibrate(finished_ready)
    assert finished_ready.result("evidence") is None
    run(finished_ready, first="report")
    page = finished_ready.path("report/index.html").read_text()
    assert "fitted on 24 rated faces of 8 persons, none of whom" in page
    assert "in 5 folds of persons, each by a model fitted on the others" in page


def test_it_is_not_tested_on_what_it_was_fitted_on(finished_ready):
    """The audit says why, and ranks of the test part are compared with nothing."""
    calibrate(finished_ready)
    found = audit(finished_ready, rank=["calibrated", "logit"], faces=0)
    assert found.ranks[0].rank == "logit"
    assert "was fitted on 24 of these faces" in found.unavailable["calibrated"]
    table, follows, agrees = rank_test_part(finished_ready, "calibrated")
    assert (len(table), follows.count, agrees.count) == (24, 0, 0)
    assert rank_test_part(finished_ready, "contrast")[2].count == 24
    finished_ready.path("calibration.json").unlink()
    assert not fitted_on(finished_ready, finished_ready.table("faces")).any()


def test_whom_the_network_has_learnt_from_is_left_out(own, elsewhere):
    """Near-identical pictures of its training part; those of its test part are strangers to it."""
    values = calibrate(elsewhere)
    known = len(learnt_from(own, OTHERS))
    assert known
    assert values.left_out == 3 * known
    assert values.rated.images == 3 * (len(OTHERS) - known)
    assert values.source == ""


def test_another_data_set_calibrates_the_rank_of_a_study(own, elsewhere):
    """Fitted on those faces but for all that the study has itself, tested on its test part."""
    values = calibrate(own, source=elsewhere)
    assert values.left_out == 6
    assert values.rated.images == 3 * 10
    assert values.source == elsewhere.plan.title
    tested = own.table("split")["part"].eq("test").sum()
    assert (values.tested.images, values.folds) == (tested, 0)
    assert own.read(CalibratedRank) == values
    assert own.result("evidence") is None
    assert calibration(own).inputs == values.inputs
    assert not fitted_on(own, own.table("faces")).any()
    assert fitted_on(elsewhere, elsewhere.table("faces")).sum() == 0  # not calibrated itself
    again = calibrate(own, source=elsewhere, votes=elsewhere.plan.validate.votes)
    assert again == values


def test_without_votes_of_its_own_it_is_tested_on_the_other_faces(there, tmp_path):
    """By persons; neutral faces alone, whose level is known, test nothing."""
    data = there["own"][0]
    study = made(tmp_path / "own", Plan(), data, None, "train", **{"train.backbone": "expression"})
    other = made(tmp_path / "there", plan_for_network(study.folder), *there["others"], "train")
    values = calibrate(study, source=other)
    assert (values.folds, values.tested) == (5, values.rated)


def test_what_does_not_go_together_is_refused(own, elsewhere, finished_ready):
    """Each with what to do, and nothing is written."""
    with pytest.raises(StudyError, match="expected a study that tests the network of"):
        calibrate(own, source=finished_ready)
    with pytest.raises(StudyError, match="expected a study that tests the network of"):
        calibrate(own, source=own)
    with pytest.raises(StudyError, match="fit the calibrated rank of that study"):
        calibrate(elsewhere, source=elsewhere)
    for study, source in ((elsewhere, None), (own, elsewhere)):
        with pytest.raises(PlanError, match="crossfit: goes with the training part"):
            calibrate(study, source=source, crossfit=5)
    assert not own.path("calibration.json").exists()
    assert not elsewhere.path("calibration.json").exists()


def test_too_few_strangers_say_how_many_are_known(own, there, tmp_path):
    """The same faces again: only those of the test part are left."""
    again = made(tmp_path / "again", plan_for_network(own.folder), *there["own"], "train")
    with pytest.raises(StudyError, match=r"at least 12 faces .* more faces rated .*; \d+ rated"):
        calibrate(again)
