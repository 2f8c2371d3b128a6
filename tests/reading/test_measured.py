"""What is measured of a batch of faces: the emotion that counts, and relevance that adds up."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from emorank.errors import StudyError
from emorank.networks.normalisation import to_batch
from emorank.reading.measured import (
    Measured,
    emotion_table,
    expressed,
    measured_again,
    prediction_table,
)
from emorank.study.framed_faces import Framed
from emorank.study.learning.measured_faces import evidence_of_faces
from emorank.study.trained_network import trained_network
from emorank.vocabulary import Emotion

HALF = (Emotion.NEUTRAL, Emotion.HAPPY, Emotion.SURPRISE)
LOGITS = np.array([[5, 1, 2], [0, 3, 2]], np.float32)


@pytest.fixture
def half(finished_study):
    """The network of a study, which calls anger neutral here."""
    return replace(trained_network(finished_study), classes=HALF)


@pytest.fixture
def finished_study(finished):
    """The study, to be read only."""
    from emorank.study.folder import open_study

    return open_study(finished)


@pytest.fixture
def pixels(finished_study):
    """Five framed faces, more than a batch of the plan."""
    table = finished_study.table("faces").iloc[[0, 3, 9, 14, 20]].reset_index(drop=True)
    framed = Framed(finished_study, table)
    return [framed(row) for row in range(len(table))]


def test_the_table_of_logits():
    """Written out for two faces: softmax, and the most probable emotion that is not neutral."""
    table = emotion_table(LOGITS, HALF, expressed(LOGITS, HALF))
    assert table["predicted"].to_list() == ["neutral", "happy"]
    assert table["logit"].to_list() == [5, 3]
    assert table["expressed"].to_list() == ["surprise", "happy"]
    assert table["expressed_logit"].to_list() == [2, 3]
    shares = np.exp(LOGITS.astype(float)) / np.exp(LOGITS.astype(float)).sum(1, keepdims=True)
    names = ["p_neutral", "p_happy", "p_surprise"]
    np.testing.assert_allclose(table[names], shares, rtol=1e-6)
    np.testing.assert_allclose(table["expressed_p"], shares[[0, 1], [2, 1]], rtol=1e-6)
    assert list(prediction_table(LOGITS, HALF)) == ["predicted", *names, "logit"]


def test_logits_follow_from_predictions(half):
    """Up to the rounding of float32; a probability of zero is the least that there is."""
    again = measured_again(half, prediction_table(LOGITS, HALF))
    np.testing.assert_allclose(again.logits, LOGITS, rtol=1e-5, atol=1e-5)
    assert again.contrast == pytest.approx([-3, 3], abs=1e-5)
    far = np.array([[0, 200, 0]], np.float32)
    assert 100 < measured_again(half, prediction_table(far, HALF)).contrast[0] < 110


def test_which_emotion_counts():
    """The one that is asked about, or the most probable one, neutral only if it is allowed."""
    assert expressed(LOGITS, HALF).tolist() == [2, 1]
    assert expressed(LOGITS, HALF, neutral=True).tolist() == [0, 1]
    assert expressed(LOGITS, HALF, Emotion.HAPPY).tolist() == [1, 1]
    assert expressed(LOGITS, HALF, [Emotion.SURPRISE, Emotion.SURPRISE]).tolist() == [2, 2]
    assert expressed(LOGITS, HALF, [Emotion.HAPPY, None]).tolist() == [1, 1]
    assert expressed(LOGITS, HALF, [None, Emotion.SURPRISE]).tolist() == [2, 2]


@pytest.mark.weights
def test_what_is_expressed_is_never_neutral(half, pixels):
    """It is the predicted emotion where that is not neutral, with its probability and logit."""
    table = Measured(half, pixels).table
    assert "neutral" in set(table["predicted"])
    assert set(table["expressed"]) <= {"happy", "surprise"}
    shown = table[table["predicted"] != "neutral"]
    assert len(shown)
    assert shown["expressed"].equals(shown["predicted"])
    np.testing.assert_allclose(shown["expressed_logit"], shown["logit"])
    for row in table.to_dict("records"):
        assert row["expressed_p"] == max(row["p_happy"], row["p_surprise"])


@pytest.mark.weights
def test_relevance_adds_up_to_the_logit(half, pixels):
    """Pixels, and what biases, stabilisers and rounding took on the way."""
    measured = Measured(half, pixels)
    record = half.explainer(to_batch(pixels).to(half.device), measured._logit)
    taken = (record.bias + record.stabiliser + record.lost).sum(0).cpu().numpy()
    sums = measured.relevance.sum((1, 2, 3))
    np.testing.assert_allclose(sums + taken, measured.table["expressed_logit"], atol=1e-3)
    assert np.abs(sums).max() > 0


@pytest.mark.weights
def test_neutral_is_explained_where_it_may_be(half, pixels):
    """Then the map of a face that is called neutral is of neutral."""
    plain, calm = Measured(half, pixels), Measured(half, pixels, neutral=True)
    neutral = (plain.table["predicted"] == "neutral").to_numpy()
    assert 0 < neutral.sum() < len(neutral)
    assert calm.table["expressed"].equals(calm.table["predicted"])
    same = np.abs(plain.relevance - calm.relevance).max((1, 2, 3)) < 1e-4
    assert (same == ~neutral).all()


@pytest.mark.weights
@pytest.mark.parametrize("first", ["relevance", "evidence", "logits"])
def test_the_order_of_questions_changes_nothing(half, pixels, first):
    """Logits come from whatever is asked first, and serve the rest."""
    measured = Measured(half, pixels)
    getattr(measured, first)
    plain = Measured(half, pixels)
    pd.testing.assert_frame_equal(measured.table, plain.table, rtol=1e-3, atol=1e-4)
    pd.testing.assert_frame_equal(measured.evidence, plain.evidence, rtol=1e-2, atol=1e-3)
    size = np.abs(plain.relevance).max()
    np.testing.assert_allclose(measured.relevance, plain.relevance, atol=1e-3 * size)


@pytest.mark.weights
def test_all_at_once_or_one_by_one(half, pixels):
    """Faces do not depend on one another."""
    parts = [Measured(half, [one]).table for one in pixels]
    one_by_one = pd.concat(parts, ignore_index=True)
    together = Measured(half, pixels).table
    pd.testing.assert_frame_equal(together, one_by_one, rtol=1e-3, atol=1e-4)


@pytest.mark.weights
def test_a_network_of_neutral_alone_has_nothing_to_measure(half):
    """It is refused."""
    with pytest.raises(StudyError, match="no emotion whose intensity there is"):
        replace(half, classes=(Emotion.NEUTRAL,) * 3)


@pytest.mark.weights
def test_net_evidence_is_the_contrast_to_neutral(half, pixels):
    """Less what the biases of the classifier took."""
    measured = Measured(half, pixels)
    neutral = half.net(to_batch(pixels)).detach().numpy()[:, 0]
    record = half.head(half.net.trunk(to_batch(pixels), 31).detach(), measured._contrast)
    taken = (record.bias + record.stabiliser + record.lost).sum(0).numpy()
    contrast = measured.table["expressed_logit"] - neutral
    np.testing.assert_allclose(measured.evidence["net"] + taken, contrast, atol=1e-3)


@pytest.mark.weights
def test_cached_features_say_what_pixels_say(half, finished_study):
    """To the half precision of the cache; with image, person and part of each row, in order."""
    faces = finished_study.table("faces").merge(finished_study.table("split"), on="image")
    faces = faces.iloc[[20, 3, 11]]
    framed = Framed(finished_study, faces)
    table = evidence_of_faces(finished_study, half, faces)
    assert table["image"].to_list() == faces["image"].to_list()
    assert table["person"].to_list() == faces["person"].to_list()
    measured = Measured(half, [framed(row) for row in range(3)])
    plain = measured.evidence.join(measured.table)
    for column in ("net", "mass", "balance", "expressed_logit"):
        np.testing.assert_allclose(table[column], plain[column], rtol=0.02, atol=0.02)
