"""The contrast along sequences: one emotion each, and the person's own neutral level taken out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from emorank.errors import EmorankError
from emorank.ranking.temporal import own_neutral, smooth
from emorank.reading.along_sequences import smooth_folders, smooth_ranks

EMOTIONS = ("anger", "happy", "neutral")


def rows(contrasts, temperature=2.0):
    """Rows of the rank "contrast" with so much anger and happiness against neutral."""
    logits = np.column_stack([contrasts, np.zeros(len(contrasts))])
    table = pd.DataFrame(softmax(logits, axis=1), columns=[f"p_{one}" for one in EMOTIONS])
    score = np.max(contrasts, axis=1)
    return table.assign(expressed="?", rank="Minimal", score=score, log_odds=score / temperature)


ANGER = np.array([0.5, 0.2, 0.3, 0.4, 0.1, 0.0])
HAPPY = np.array([-4.0, -2.0, 1.0, 2.0, 6.0, 7.0])
FACES = rows(np.column_stack([ANGER, HAPPY])).assign(sequence="s", frame=[1, 2, 4, 5, 6, 9])


def test_a_sequence_has_one_emotion_and_a_smooth_score():
    """Of the strongest frame, also where another is stronger in the first ones."""
    said = smooth_ranks(FACES, period=4.0)
    assert (said["expressed"] == "happy").all()
    expected = smooth(HAPPY, FACES["frame"].to_numpy(float), 4.0)
    np.testing.assert_allclose(said["score"], expected)
    np.testing.assert_allclose(said["contrast"], HAPPY)
    np.testing.assert_allclose(said["log_odds"], expected / 2)
    assert said["rank"].to_list() == ["None", "None", "Minimal", "Minimal", "Average", "Average"]
    assert said["own_neutral"].isna().all()


def test_an_emotion_can_be_asked_and_the_order_of_rows_does_not_matter():
    """Rows shuffled, rows said."""
    mixed = FACES.sample(frac=1, random_state=1)
    said = smooth_ranks(mixed, emotion="anger")
    assert (said["expressed"] == "anger").all()
    again = smooth_ranks(FACES, emotion="anger").loc[mixed.index]
    np.testing.assert_allclose(said["score"], again["score"])


def test_what_a_person_scores_when_neutral_is_that_of_the_median_person():
    """Three persons alike but for their resting faces."""
    parts = [
        rows(np.column_stack([ANGER, HAPPY + shift])).assign(
            sequence=name, person=name, frame=FACES["frame"]
        )
        for name, shift in (("a", 0.0), ("b", 3.0), ("c", -1.0))
    ]
    said = smooth_ranks(pd.concat(parts, ignore_index=True))
    scores = said["score"].to_numpy().reshape(3, 6)
    np.testing.assert_allclose(scores[1], scores[0], atol=1e-6)
    np.testing.assert_allclose(scores[2], scores[0], atol=1e-6)
    curve = smooth(HAPPY, FACES["frame"].to_numpy(float))
    assert said["own_neutral"].iloc[0] == pytest.approx(own_neutral(curve))
    np.testing.assert_allclose(scores[0], curve, atol=1e-6)


def test_frames_known_to_be_neutral_give_the_level():
    """And a person who is not known keeps the scores."""
    one = FACES.assign(person="a", calm=[False, True, False, False, False, False])
    stranger = rows(np.column_stack([ANGER, HAPPY + 5])).assign(
        sequence="t", person=None, frame=FACES["frame"], calm=False
    )
    other = one.assign(sequence="u", person="b")
    table = pd.concat([one, stranger, other], ignore_index=True).astype({"calm": "boolean"})
    said = smooth_ranks(table, neutral="calm")
    curve = smooth(HAPPY, FACES["frame"].to_numpy(float))
    np.testing.assert_allclose(said["own_neutral"][:6], curve[1])
    assert said["own_neutral"][6:12].isna().all()
    np.testing.assert_allclose(said["score"][6:12], curve + 5, atol=1e-6)


def test_a_gap_is_drawn_through_and_a_face_alone_stays():
    """A frame without a face; a face in no sequence."""
    table = FACES.copy()
    table.loc[2, ["p_anger", "p_happy", "p_neutral", "score", "log_odds"]] = np.nan
    alone = FACES.iloc[[5]].assign(sequence=None, frame=np.nan)
    said = smooth_ranks(pd.concat([table, alone], ignore_index=True))
    assert np.isfinite(said["score"]).all()
    assert np.isnan(said["contrast"][2])
    assert said["score"][6] == pytest.approx(7.0)
    lone = smooth_ranks(alone.assign(p_anger=np.nan, p_happy=np.nan))
    assert lone["rank"].isna().all()


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (
            FACES.drop(columns="log_odds"),
            {},
            "lacks log_odds; expected rows of the rank 'contrast'",
        ),
        (FACES, {"neutral": "calm"}, "lacks calm"),
        (FACES.assign(frame=1), {}, "sequence s, column 'frame': .* no two equal"),
        (FACES, {"emotion": "fear"}, "'fear': the table has anger, happy"),
    ],
)
def test_what_cannot_be_smoothed_is_refused(table, options, message):
    """By the name of the column or sequence."""
    with pytest.raises(EmorankError, match=message):
        smooth_ranks(table, **options)


def test_folders_are_sequences_in_the_order_of_numbers():
    """10 comes after 9, and an image without a face keeps its place."""
    names = [f"clip/{number}.jpg" for number in (1, 2, 3, 9, 10)]
    paths = [Path(name) for name in sorted(names)]
    table = rows(np.column_stack([np.zeros(4), [0.0, 1.0, 3.0, 4.0]]))
    given = table.assign(image=[names[k] for k in (0, 1, 3, 4)]).to_dict("records")
    said = list(smooth_folders(given, paths))
    np.testing.assert_allclose([row["score"] for row in said], [0, 1, 3, 4], atol=1e-6)
    assert list(said[0])[: len(given[0])] == list(given[0])
    assert list(smooth_folders([], paths)) == []
