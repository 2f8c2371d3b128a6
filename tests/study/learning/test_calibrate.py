"""The calibrated rank of a study: what it learns from, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from emorank.errors import PlanError, StudyError
from emorank.results.calibration import CalibratedRank, RatedFaces
from emorank.results.stored import write_json
from emorank.study.folder import Study, alone
from emorank.study.ground_truth import ground_truth
from emorank.study.learning.calibrate import INPUTS, calibrate, calibration
from emorank.study.learning.crossfit import folds
from emorank.study.learning.measured_faces import cuts_of, evidence_cuts, evidence_of_faces
from emorank.study.plan import override
from emorank.study.trained_network import trained_network
from emorank.vocabulary import LEVEL_COLUMNS

pytestmark = pytest.mark.weights

TURNED = {"Minimal": "Strong", "Average": "Minimal", "Strong": "Average"}


def turned(study, part):
    """The study's votes with those on one part turned round."""
    votes = pd.read_csv(study.plan.validate.votes)
    parts = votes["image"].map(study.table("split").set_index("image")["part"])
    votes["rank"] = votes["rank"].mask(parts == part, votes["rank"].map(TURNED))
    path = study.path(f"{part}.csv")
    votes.to_csv(path, index=False)
    return path


def test_what_was_found_is_kept(own_rated):
    """Model, intervals, counts, curve; both files, and the cuts of the evidence."""
    values = calibrate(own_rated)
    assert own_rated.read(CalibratedRank) == values
    assert values.inputs == INPUTS
    assert (values.rated.images, values.rated.persons) == (12, 4)
    assert sum(values.rated.levels.values()) == 12
    assert (values.tested.images, values.tested.persons) == (6, 2)
    assert [point.images for point in values.curve] == [7, 12]
    assert all(row.low <= row.high for row in values.coefficients)
    assert set(own_rated.result("evidence")) >= {"any"}
    assert values == calibrate(own_rated)  # by the seed of the plan


def test_the_test_persons_teach_nothing(own_rated):
    """Other votes on them change what is said of the model, not the model; others' change it."""
    before = calibrate(own_rated)
    after = calibrate(own_rated, turned(own_rated, "test"))
    assert after.model == before.model
    assert after.coefficients == before.coefficients
    assert after.tested != before.tested
    assert calibrate(own_rated, turned(own_rated, "validation")).model != before.model
    assert calibrate(own_rated, turned(own_rated, "train")).model == before.model


def test_the_calibration_ranks_what_was_gauged(own_rated):
    """Probabilities sum to 1, a level that nobody gave has none, unsure is no level."""
    calibrate(own_rated)
    measured = evidence_of_faces(own_rated, trained_network(own_rated), ground_truth(own_rated))
    table = calibration(own_rated).ranks(measured)
    shares = table[list(LEVEL_COLUMNS)].to_numpy()
    np.testing.assert_allclose(shares.sum(1), 1)
    assert (table["p_none"] == 0).all()  # nobody is neutral here
    assert (table["level"].isna() == (shares.max(1) < 0.5)).all()
    known = table["level"].notna().to_numpy()
    assert table["level"][known].to_list() == shares.argmax(1)[known].tolist()
    np.testing.assert_allclose(table["score"], shares @ [0, 1, 2, 3])


def test_a_penalty_holds_the_coefficients(own_rated):
    """It is passed on, and kept with the model."""
    loose, tight = (calibrate(own_rated, penalty=penalty) for penalty in (0.1, 1e4))
    size = [sum(abs(row.value) for row in found.coefficients) for found in (loose, tight)]
    assert size[1] < size[0] / 10
    assert tight.model["penalty"] == 1e4


def test_too_few_votes_say_how_to_have_more(own_study):
    """The finished study has three validation faces; nothing is written."""
    with pytest.raises(StudyError, match=r"at least 12 faces .* came 3 of .*--crossfit 5"):
        calibrate(own_study)
    bare = Study(own_study.folder, override(own_study.plan, {"validate.votes": ""}))
    with pytest.raises(StudyError, match="came 0"):
        calibrate(bare)
    assert not own_study.path("calibration.json").exists()
    assert not own_study.path("evidence.json").exists()


def test_without_test_votes_there_is_no_curve(own_rated):
    """A model all the same, and no invented score."""
    votes = pd.read_csv(own_rated.plan.validate.votes)
    parts = votes["image"].map(own_rated.table("split").set_index("image")["part"])
    votes[parts == "validation"].to_csv(own_rated.path("some.csv"), index=False)
    values = calibrate(own_rated, own_rated.path("some.csv"))
    assert values.curve == ()
    assert values.tested == RatedFaces(0, 0)


def test_a_calibration_belongs_to_its_network(own_rated):
    """Without one, or with one of an earlier network, the error names the command."""
    with pytest.raises(StudyError, match="emorank calibrate --study"):
        calibration(own_rated)
    calibrate(own_rated)
    calibration(own_rated)
    stages = own_rated.stages()
    write_json(own_rated.path("stages.json"), stages | {"train": {"key": "x", "outcome": "done"}})
    with pytest.raises(StudyError, match="emorank calibrate --study"):
        calibration(own_rated)


# --- Cross-fitting ----------------------------------------------------------------------------


def test_nobody_is_gauged_by_who_has_learnt_from_them(own_study, monkeypatch):
    """Held out, watched and learnt from are different persons; everybody is held out once."""
    from emorank.study.learning import crossfit

    learnt = []
    trained = crossfit._trained

    def spied(study, faces, *rest):
        learnt.append(set(faces["person"]))
        return trained(study, faces, *rest)

    monkeypatch.setattr(crossfit, "_trained", spied)
    quickly = Study(own_study.folder, override(own_study.plan, {"train.epochs": 1}))
    truth = ground_truth(quickly)
    known = truth[truth["part"] != "test"].reset_index(drop=True)
    held_out = []
    for fold, seen in zip(folds(quickly, known, 3, seed=0), learnt, strict=False):
        held, watched = set(fold.held_out["person"]), set(fold.watched["person"])
        assert not (held & watched)
        assert not (held & seen)
        assert not (watched & seen)
        assert held | watched | seen == set(known["person"])
        held_out += fold.held_out["image"].to_list()
    assert len(learnt) == 3
    assert sorted(held_out) == sorted(known["image"])


def test_with_crossfit_the_training_persons_are_learnt_from(own_study):
    """18 rated faces of six persons instead of three of one; still none of the test part."""
    quickly = Study(own_study.folder, override(own_study.plan, {"train.epochs": 1}))
    values = calibrate(quickly, crossfit=3)
    assert values.crossfit == 3
    assert (values.rated.images, values.rated.persons) == (18, 6)
    again = calibrate(quickly, turned(quickly, "test"), crossfit=3)
    assert again.model == values.model


@pytest.mark.parametrize("count", [1, 2, 7])
def test_folds_that_are_not_possible_are_refused(own_study, count):
    """Fewer than three, or more than persons."""
    with pytest.raises(PlanError, match=f"{count} folds of 6 persons; expected 3 to 6"):
        calibrate(own_study, crossfit=count)


# --- Evidence ---------------------------------------------------------------------------------


def test_the_cuts_are_those_of_the_validation_part(own_rated):
    """Worked out where nobody calibrated, and the same that calibration writes."""
    network = trained_network(own_rated)
    found = evidence_cuts(own_rated, network)
    truth = ground_truth(own_rated)
    validation = evidence_of_faces(own_rated, network, truth[truth["part"] == "validation"])
    assert found == cuts_of(validation)
    assert found["any"] == pytest.approx(
        tuple(np.quantile(validation["balance"], [1 / 3, 2 / 3])), rel=1e-6
    )
    calibrate(own_rated)
    stored = evidence_cuts(own_rated, network)
    assert set(stored) == set(found)
    for word, cut in found.items():
        assert stored[word] == pytest.approx(cut)


def test_faces_called_neutral_are_not_cut(own_rated):
    """With fewer than three others there are no thirds."""
    measured = evidence_of_faces(own_rated, trained_network(own_rated), ground_truth(own_rated))
    some = measured.assign(predicted=measured["predicted"].replace({"anger": "neutral"}))
    assert cuts_of(some) == cuts_of(some[some["predicted"] != "neutral"])
    with pytest.raises(StudyError, match="got 0"):
        cuts_of(measured.assign(predicted="neutral"))


def test_another_process_at_work_is_waited_for(own_rated):
    """Nothing is written beside it."""
    with alone(own_rated), pytest.raises(StudyError, match="another process works"):
        calibrate(own_rated)
    assert own_rated.result("calibration") is None
