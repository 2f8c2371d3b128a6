"""The ranks of a study that are made of evidence: by thirds, and calibrated on rated faces."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emorank.errors import PlanError, StudyError, VotesError
from emorank.framing import framed
from emorank.images import read
from emorank.model import checkpoint
from emorank.ranking.evidence import ANY
from emorank.study.calibrate import INPUTS, PROBABILITIES, calibrate, calibration
from emorank.study.crossfit import folds
from emorank.study.evidence import evidence_cuts
from emorank.study.folder import open_study
from emorank.study.gauge import Gauge, gauge, gauged
from emorank.study.ground_truth import ground_truth
from emorank.study.rankers import METHODS, RANKS, ranker
from emorank.vocabulary import Emotion

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def study(tmp_path_factory, finished):
    """A study calibrated by cross-fitting; to be read only."""
    copy = open_study(shutil.copytree(finished, tmp_path_factory.mktemp("calibrated") / "study"))
    calibrate(copy, crossfit=3)
    return copy


@pytest.fixture(scope="module")
def pictures(drawn):
    """Three faces as the network sees them."""
    files = (drawn / "happy/p0.png", drawn / "anger/p1.png", drawn / "surprise/p2.png")
    return [framed(read(file), None, 64) for file in files]


def test_what_was_found_is_kept(study):
    """Coefficients with intervals, the learning curve, how many faces of whom."""
    found = study.result("calibration")
    assert [row["input"] for row in found["coefficients"]] == list(INPUTS)
    assert all(row["low"] <= row["value"] <= row["high"] for row in found["coefficients"])
    assert found["rated"]["images"] == 3 * found["rated"]["persons"] == found["curve"][-1]["images"]
    assert found["crossfit"] == 3
    assert ANY in study.result("evidence")


def test_the_test_persons_are_not_asked(study, tmp_path):
    """Other votes on the test faces change nothing that is fitted."""
    copy = open_study(shutil.copytree(study.folder, tmp_path / "study"))
    votes = pd.read_csv(copy.plan.validate.votes)
    tested = copy.table("split").query("part == 'test'")["image"]
    votes.loc[votes["image"].isin(tested), "rank"] = "Strong"
    votes.to_csv(tmp_path / "other.csv", index=False)
    again = calibrate(copy, tmp_path / "other.csv", crossfit=3)
    before = study.result("calibration")
    assert again["model"] == before["model"]
    assert again["tested"]["levels"]["Strong"] > before["tested"]["levels"]["Strong"]


def test_few_votes_are_refused(own_study):
    """The validation part of this study has too few faces; the error says what to do."""
    with pytest.raises(StudyError, match=r"at least 12 faces(.|\n)*rate new(.|\n)*--crossfit"):
        calibrate(own_study)
    assert own_study.result("calibration") is None
    with pytest.raises(PlanError, match="expected 3 to"):
        calibrate(own_study, crossfit=2)
    with pytest.raises(VotesError):
        calibrate(own_study, Path("missing.csv"), crossfit=3)


def test_an_old_calibration_is_not_used(study, tmp_path):
    """Where the network was trained anew since, it says how to calibrate again."""
    copy = open_study(shutil.copytree(study.folder, tmp_path / "study"))
    stages = copy.path("stages.json")
    stages.write_text(stages.read_text().replace(copy.stamp("train"), "another"))
    with pytest.raises(StudyError, match="emorank calibrate"):
        calibration(copy)


def test_nobody_is_gauged_by_a_classifier_that_knows_them(study):
    """Each fold holds out other persons, watches others again, and everybody is held out once."""
    truth = ground_truth(study)
    found = list(folds(study, truth, 4, seed=0))
    held = [set(fold.held_out["person"]) for fold in found]
    assert sorted(person for persons in held for person in persons) == sorted(set(truth["person"]))
    assert not any(
        set(fold.watched["person"]) & persons for fold, persons in zip(found, held, strict=True)
    )
    heads = [fold.gauge.net.classifier[-1].weight for fold in found]
    assert not any((heads[0] == other).all() for other in heads[1:])


@pytest.mark.parametrize("method", [name for name in METHODS if name != "ordinal"])
def test_every_rank_keeps_the_contract(study, pictures, method):
    """A row for each face in their order, whatever else was in the batch."""
    rank = ranker(study, method)
    table, alone = rank(pictures), rank(pictures[1:2])
    assert {"predicted", "expressed", "level", "score", "p_happy"} <= set(table)
    assert str(table["level"].dtype) == "Int64"
    assert table["score"].dtype == np.float64
    assert table["level"].dropna().between(0, 3).all()
    assert table["level"].isna().all() == (method not in RANKS) or method == "calibrated"
    assert alone["score"][0] == pytest.approx(table["score"][1], rel=1e-4, abs=1e-6)


def test_a_rank_that_there_is_not(study):
    """The error names those that there are."""
    with pytest.raises(PlanError, match="evidence"):
        ranker(study, "strength")


def test_the_calibrated_rank_says_how_sure_it_is(study, pictures):
    """Four probabilities, a score between the levels, and no level where none reaches a half."""
    table = ranker(study, "calibrated")(pictures)
    shares = table[list(PROBABILITIES)].to_numpy()
    np.testing.assert_allclose(shares.sum(1), 1)
    np.testing.assert_allclose(table["score"], shares @ np.arange(4))
    assert (table["level"].isna() == (shares.max(1) < 0.5)).all()


def test_evidence_needs_no_votes(own_study, pictures):
    """Its cuts come from the validation part's scores, and levels rise with the score."""
    own_study.path("votes.parquet").unlink()
    table = ranker(own_study, "evidence")(pictures)
    cuts = evidence_cuts(own_study, gauge(own_study))
    low, high = cuts[ANY]
    assert low <= high
    expected = 1 + (table["score"] >= low).astype(int) + (table["score"] >= high)
    assert table["level"].tolist() == expected.tolist()


def test_cached_features_give_the_same_evidence(study):
    """The same from pixels as from cached features, which are kept in half precision."""
    by, faces = gauge(study), study.table("faces").merge(study.table("split"), on="image").head(3)
    cached = gauged(study, by, faces)
    fresh = by.faces([framed(read(Path(study.plan.data.path) / f), None, 64) for f in faces.image])
    for name in INPUTS:
        np.testing.assert_allclose(cached[name], fresh[name], rtol=1e-2, atol=1e-3)
    assert cached["person"].tolist() == faces["person"].tolist()


def test_a_network_of_neutral_alone_has_no_intensity(study):
    """There would be nothing to explain."""
    net = checkpoint.load(study.path("model.safetensors")).net
    with pytest.raises(StudyError, match="intensity"):
        Gauge(net, [Emotion.NEUTRAL] * 3)
