"""Curves along tracks become events with onset, apex and offset."""

import numpy as np
import pandas as pd
import pytest

from emorank.film.curves import LONG, REST, with_curves
from emorank.film.events import BEGINS, COLUMNS, COUNTS, events, stretches

EMOTIONS = ("anger", "happy")
STEP = 0.04


def table(**contrasts) -> pd.DataFrame:
    """Rows of one track whose contrasts to neutral are given for each emotion; one row a frame."""
    count = len(next(iter(contrasts.values())))
    logits = {one: np.asarray(contrasts.get(one, [-6.0] * count)) for one in EMOTIONS}
    shares = np.exp(np.stack([*logits.values(), np.zeros(count)]))
    shares = shares / np.nansum(shares, axis=0)
    names = [f"p_{one}" for one in (*EMOTIONS, "neutral")]
    rows = dict(zip(names, shares, strict=True))
    return pd.DataFrame(
        {"frame": np.arange(count), "time": np.arange(count) * STEP}
        | {"track": pd.array([1] * count, "Int64")}
        | rows
    )


def found(rows: pd.DataFrame, **options) -> pd.DataFrame:
    """The events of rows, unsmoothed."""
    curves, emotions = with_curves(rows, 1.0, smoothed=False)
    return events(curves, emotions, 1.0, **options)


def hill(peak: float, frames: int = 25, base: float = -5.0) -> np.ndarray:
    """From `base` to a peak in the middle and back."""
    rise = np.concatenate([np.linspace(0, 1, frames), np.linspace(1, 0, frames)[1:]])
    return base + (peak - base) * rise


def test_an_event_has_onset_apex_and_offset():
    curve = hill(4.0)
    (event,) = found(table(happy=curve)).to_dict("records")
    above = np.flatnonzero(curve >= BEGINS)
    assert (event["onset_frame"], event["offset_frame"]) == (above[0], above[-1])
    assert event["apex_frame"] == curve.argmax()
    assert event["onset"] < event["apex"] < event["offset"]
    assert event["duration"] == pytest.approx(event["offset"] - event["onset"])
    assert event["score"] == pytest.approx(4.0, abs=1e-6)
    assert (event["emotion"], event["track"], event["rank"]) == ("happy", 1, "Strong")
    assert not event["begins_before"]
    assert not event["goes_on"]


def test_what_never_counts_is_no_event():
    assert found(table(happy=hill(COUNTS - 0.1))).empty
    assert len(found(table(happy=hill(COUNTS + 0.1)))) == 1


def test_a_curve_that_trembles_at_a_threshold_makes_one_event():
    curve = hill(4.0)
    curve[20:28] -= np.tile([0, 2.0], 4)  # below what counts, above where it begins
    assert len(found(table(happy=curve))) == 1


def test_what_is_too_short_is_no_event():
    curve = np.full(30, -5.0)
    curve[10:13] = 4.0
    assert found(table(happy=curve)).empty
    assert len(found(table(happy=curve), shortest=0.05)) == 1


def test_of_two_emotions_at_once_the_higher_one_is_the_event():
    assert found(table(happy=hill(4.0), anger=hill(2.0)))["emotion"].tolist() == ["happy"]


def test_an_expression_that_was_there_before_says_so():
    steady = np.full(30, 3.0)
    (event,) = found(table(happy=steady)).to_dict("records")
    assert event["begins_before"]
    assert event["goes_on"]


def test_a_face_that_is_gone_for_a_second_ends_the_event():
    rows = table(happy=np.full(100, 3.0))
    assert found(rows.drop(index=range(40, 70)))["onset_frame"].tolist() == [0, 70]
    assert len(found(rows.drop(index=range(40, 50)))) == 1


def test_frames_without_a_face_are_passed_over():
    rows = table(happy=hill(4.0))
    rows.loc[5, ["track", "p_anger", "p_happy", "p_neutral"]] = pd.NA
    assert len(found(rows)) == 1


def test_no_face_no_event():
    rows = table(happy=[1.0]).iloc[:0]
    got = found(rows)
    assert tuple(got.columns) == COLUMNS
    assert got.empty


def test_stretches_end_with_the_curve():
    assert stretches(np.array([2.0, 2.0])) == [(0, 1)]
    assert stretches(np.array([-1.0, 2.0, -1.0, 0.5, -1.0])) == [(1, 1)]


def test_smoothing_takes_out_noise_and_keeps_the_apex():
    curve = hill(4.0)
    noisy = curve + np.random.default_rng(0).normal(0, 1.0, len(curve))
    smooth, _ = with_curves(table(happy=noisy), 1.0)
    raw, _ = with_curves(table(happy=noisy), 1.0, smoothed=False)
    off = [np.abs(one["smooth_happy"] - curve).mean() for one in (smooth, raw)]
    assert off[0] < 0.7 * off[1]
    assert abs(int(smooth["smooth_happy"].argmax()) - curve.argmax()) <= 3


@pytest.mark.parametrize(("seconds", "taken"), [(LONG + 1, True), (LONG - 1, False)])
def test_an_angry_resting_face_is_taken_out_in_a_long_track(seconds, taken):
    count = round(seconds / STEP)
    happy = np.full(count, -6.0)
    happy[100:150] = 5.0
    rows, _ = with_curves(table(anger=np.full(count, 1.0), happy=happy), 1.0)
    assert rows["smooth_anger"].median() == pytest.approx(REST if taken else 1.0, abs=0.1)
    anger = "anger" in set(rows.loc[rows["smooth_rank"] != "None", "smooth_expressed"])
    assert anger != taken
    assert (rows["own_neutral"].max() > 0) == taken


def test_contrasts_beyond_what_probabilities_hold_count():
    """A network may be so sure that the probability of neutral is 0."""
    rows = table(happy=hill(4.0))
    sure = rows.assign(contrast_happy=100 * hill(4.0), contrast_anger=-500.0)
    curves, _ = with_curves(sure, 100.0, smoothed=False)
    assert curves["smooth_score"].max() == pytest.approx(400)
    assert curves["smooth_log_odds"].max() == pytest.approx(4.0)


def test_a_temperature_divides_the_log_odds():
    rows, emotions = with_curves(table(happy=hill(4.0)), 2.0, smoothed=False)
    (event,) = events(rows, emotions, 2.0).to_dict("records")
    assert event["log_odds"] == pytest.approx(2.0, abs=1e-6)
    assert event["score"] == pytest.approx(4.0, abs=1e-6)
    assert event["rank"] == "Average"
