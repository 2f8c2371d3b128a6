"""Every rank keeps one contract, on framed faces, on files and on the test part."""

import numpy as np
import pandas as pd
import pytest

from emorank import rank_images
from emorank.errors import ImageError, PlanError, StudyError
from emorank.reading.ranks import RANKS, SCORES
from emorank.reading.reader import in_words
from emorank.study.framed_faces import Framed
from emorank.study.learning.calibrate import calibrate
from emorank.study.readers import SETTINGS, ranks_at_hand, reader_of
from emorank.study.verbs.rank_test_part import agreement, rank_test_part
from emorank.vocabulary import LEVEL_COLUMNS, LEVELS

pytestmark = pytest.mark.weights

QUICK = ("contrast", "paper", "evidence", "calibrated", "probability", "logit")


def ranker(study, name, emotion=None):
    """A function from framed faces to a table with `level` and `score`."""
    return reader_of(study, [name], emotion).levels


@pytest.fixture
def ready(own_rated):
    """A study with all that the ranks need but an ordinal network, which has tests of its own."""
    calibrate(own_rated)
    return own_rated


@pytest.fixture
def pixels(own_rated):
    """Six framed faces."""
    framed = Framed(own_rated, own_rated.table("faces"))
    return [framed(row) for row in (0, 4, 9, 13, 18, 22)]


@pytest.mark.parametrize("method", QUICK)
def test_a_row_for_each_face(ready, pixels, method):
    """Emotion, probabilities, level, score; whoever else is asked about."""
    ranks = ranker(ready, method)
    table = ranks(pixels)
    assert len(table) == len(pixels)
    assert list(table.index) == list(range(len(pixels)))
    assert {"predicted", "p_happy", "expressed", "level", "score"} <= set(table.columns)
    assert table.columns.is_unique
    assert str(table["level"].dtype) == "Int64"
    assert table["score"].dtype == np.float64
    assert table["level"].dropna().isin(range(4)).all()
    if method in SCORES:
        assert table["level"].isna().all()
    backwards = pd.concat([ranks([one]) for one in reversed(pixels)], ignore_index=True)[::-1]
    np.testing.assert_allclose(backwards["score"], table["score"], rtol=1e-2, atol=1e-3)
    assert backwards["predicted"].to_list() == table["predicted"].to_list()


@pytest.mark.parametrize("method", QUICK)
def test_the_emotion_that_is_asked_about_counts(ready, pixels, method):
    """Whatever is named; of the faces that express it anyway nothing changes."""
    plain, asked = ranker(ready, method)(pixels), ranker(ready, method, "happiness")(pixels)
    assert set(asked["expressed"]) == {"happy"}
    assert asked["predicted"].equals(plain["predicted"])
    same = plain["expressed"] == "happy"
    assert 0 < same.sum() < len(same)
    np.testing.assert_allclose(asked["score"][same], plain["score"][same], rtol=1e-2, atol=1e-3)
    assert asked["level"][same].equals(plain["level"][same])
    assert (np.abs(asked["score"] - plain["score"])[~same] > 1e-3).all()


def test_the_probability_of_the_emotion_that_is_asked_about(ready, pixels):
    """Is the column of that emotion."""
    table = ranker(ready, "probability", "anger")(pixels)
    np.testing.assert_allclose(table["score"], table["p_anger"])


@pytest.mark.parametrize("word", ["neutral", "fear"])
def test_an_emotion_of_which_the_network_knows_no_intensity(ready, word):
    """Neutral has none, fear was not among the faces."""
    with pytest.raises(
        PlanError, match=f"'{word}': the model knows that of anger, happy, surprise"
    ):
        ranker(ready, "evidence", word)
    with pytest.raises(PlanError, match=word):
        list(rank_images(ready, [], emotion=word))


def test_the_ranks_and_the_scores_are_all_methods():
    """Each name in one of them."""
    assert set(RANKS) == set(SETTINGS) == {*QUICK, "ordinal"}
    assert set(SCORES) < set(RANKS)


def test_what_there_is_not_is_named(own_rated, tmp_path):
    """An unknown name, a score that has no levels, a rank without its calibration."""
    with pytest.raises(PlanError, match=r"'best' is no rank; expected one of contrast, paper"):
        ranker(own_rated, "best")
    for use in (lambda: rank_test_part(own_rated, "logit"),
                lambda: list(rank_images(own_rated, [], rank="logit"))):  # fmt: skip
        with pytest.raises(PlanError, match="expected one of contrast, paper, evidence"):
            use()
    with pytest.raises(StudyError, match="emorank calibrate --study"):
        ranker(own_rated, "calibrated")


@pytest.mark.parametrize("method", ["evidence", "calibrated"])
def test_files_and_pixels_are_ranked_alike(ready, drawn, method):
    """A row per face with file, rank in words and score; None, and not <NA>, where it abstains."""
    files = sorted((drawn / "happy").iterdir())[:3]
    found = list(rank_images(ready, files, rank=method))
    table = ranker(ready, method)([one.pixels for one in found])
    assert [one.row["image"] for one in found] == [str(file) for file in files]
    for one, level, score in zip(found, table["level"], table["score"], strict=True):
        assert one.row["rank"] == (None if level is pd.NA else LEVELS[level])
        assert one.row["abstained"] == (one.row["rank"] is None)
        assert one.row["score"] == pytest.approx(score)


def test_the_papers_rule_too_is_asked_about_an_emotion(ready, drawn):
    """From the map of that emotion; the row is that of the other ranks."""
    files = sorted((drawn / "anger").iterdir())[:2]
    plain = [one.row for one in rank_images(ready, files, rank="paper")]
    for word in ("anger", "surprise"):
        rows = [one.row for one in rank_images(ready, files, rank="paper", emotion=word)]
        assert {row["expressed"] for row in rows} == {word}
        assert [row["predicted"] for row in rows] == [row["predicted"] for row in plain]
    rows = [
        one.row for one in rank_images(ready, files, rank="paper", emotion=plain[0]["predicted"])
    ]
    assert rows[0]["score"] == pytest.approx(plain[0]["zero"], abs=1e-3)
    assert rows[0]["rank"] == plain[0]["rank"]


def test_images_that_cannot_be_used_are_listed(ready, drawn, tmp_path):
    """Or stop at the first one, if strict."""
    files = [tmp_path / "broken.png", drawn / "happy/p0.png"]
    files[0].write_bytes(b"no image")
    faces = rank_images(ready, files, rank="evidence")
    assert len(list(faces)) == 1
    assert len(faces.excluded) == 1
    with pytest.raises(ImageError, match="broken"):
        list(rank_images(ready, files, rank="evidence", strict=True))


def test_the_test_part_is_ranked_and_held_against_the_votes(ready):
    """A table of its own in the study; the agreement is over the faces that have both."""
    table, follows, agrees = rank_test_part(ready, "calibrated")
    written = ready.table("ranks_calibrated")
    tested = ready.table("split").query("part == 'test'")["image"]
    assert set(written["image"]) == set(table["image"]) == set(tested)
    assert set(written["rank"].dropna()) <= set(LEVELS)
    assert (written["abstained"] == written["rank"].isna()).all()
    assert set(LEVEL_COLUMNS) <= set(written.columns)
    assert follows.count == 6
    assert agrees.count + agrees.abstained == 6
    assert agrees.abstained == table["level"].isna().sum()


def test_a_rank_that_is_the_truth_agrees_with_it():
    """Known faces alone count; an abstention is no disagreement."""
    count = 12
    level = pd.array([1, 2, 3] * 4, dtype="Int64")
    truth = pd.DataFrame({
        "intensity": np.nan, "mean": np.asarray(level, float), "level": level,
        "emotion": "happy", "person": np.repeat(["a", "b", "c", "d"], 3),
    })  # fmt: skip
    table = pd.DataFrame({"score": np.asarray(level, float), "level": level})
    table.loc[0, "level"] = pd.NA
    follows, agrees = agreement(table, truth, 100)
    assert follows.spearman_within.value == pytest.approx(1)
    assert agrees.quadratic_kappa.value == pytest.approx(1)
    assert (agrees.count, agrees.abstained) == (count - 1, 1)


def test_levels_in_words():
    """None is a level, <NA> an abstention."""
    table = in_words(pd.DataFrame({"level": pd.array([0, 3, pd.NA], dtype="Int64")}))
    assert table["rank"].to_list()[:2] == ["None", "Strong"]
    assert table["rank"].isna().to_list() == table["abstained"].to_list() == [False, False, True]


def test_the_ranks_at_hand_are_those_that_lack_nothing(own_rated):
    """The default leads, or the one that was asked for; what is lacking is left out or told."""
    reader = reader_of(own_rated)
    default = ("contrast", "paper", "evidence")
    assert tuple(ranks_at_hand(None, reader_of(None).network)) == default[:2]
    known = ranks_at_hand(own_rated, reader.network)
    assert "calibrated" not in known
    calibrate(own_rated)
    known = ranks_at_hand(own_rated, reader.network, "paper")
    assert next(iter(known)) == "paper"
    assert {"evidence", "calibrated"} < set(known)
    assert not {"ordinal", *SCORES} & set(known)
    with pytest.raises(StudyError, match="--ordinal"):
        ranks_at_hand(own_rated, reader.network, "ordinal")
    with pytest.raises(PlanError, match="'logit' is no rank"):
        ranks_at_hand(own_rated, reader.network, "logit")
