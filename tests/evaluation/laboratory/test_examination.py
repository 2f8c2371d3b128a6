"""Verdicts on good and bad ranks of simulated faces, whose brightness goes with the intensity."""

import msgspec
import numpy as np
import pandas as pd
import pytest

from emorank.answers.answers_table import answers_table
from emorank.evaluation.laboratory import examination
from emorank.evaluation.laboratory.examination import examine
from emorank.evaluation.laboratory.one_rater import human_ceiling
from emorank.evaluation.laboratory.verdict import EXPRESSIVE, Examination, shift
from emorank.evaluation.raters.agreement import agreement
from emorank.evaluation.statistics.columns import Options
from emorank.vocabulary import LEVEL_COLUMNS

FEW = Options(resamples=200)
EMOTIONS = ("anger", "fear", "happy", "surprise")


def faces(persons=8, frames=4, seed=0):
    """Simulated: sequences of four emotions of each person, and a neutral face."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(persons):
        light = 100 + 10 * person
        for emotion in EMOTIONS:
            for frame in range(1, frames + 1):
                truth = frame / frames + rng.uniform(-0.1, 0)
                # Frames get brighter as the expression gets stronger, on the whole.
                glow = light + 40 * truth + rng.normal(0, 12)
                rows.append((f"p{person}", emotion, f"{person}{emotion}", frame, truth, glow))
        rows.append((f"p{person}", "neutral", None, None, 0.0, light + rng.normal(0, 12)))
    columns = ["person", "emotion", "sequence", "frame", "intensity", "brightness"]
    table = pd.DataFrame(rows, columns=columns)
    table["majority"] = np.ceil(table["intensity"] * 3).astype("Int64")
    table["mean"] = table["majority"].astype(float).where(table["majority"] > 0)
    table["voters"] = (table["majority"] > 0).astype(int) * 10
    return table


def given(score, level=None):
    """The scores and levels of a rank as a table."""
    level = pd.array([pd.NA] * len(score) if level is None else level, dtype="Int64")
    return pd.DataFrame({"score": np.asarray(score, float), "level": level})


def by_thirds(score):
    return 1 + np.argsort(np.argsort(score)) * 3 // len(score)


def verdict(table, score, level=None, **more):
    return examine("it", "rank", table, given(score, level), options=FEW, **more).verdict


def test_a_perfect_rank_is_praised():
    """Score and levels equal the truth."""
    table = faces()
    found = examine(
        "perfect", "rank", table, given(table["intensity"], table["majority"]), options=FEW
    )
    assert found.verdict.word == "good"
    assert found.truth == "known intensity"
    assert found.correlations["known intensity"].spearman_within.value == pytest.approx(1)
    assert found.levels.quadratic_kappa.value == 1
    assert found.levels_and_neutral.count == len(table)
    assert found.of_levels.monotone
    assert found.of_scores.monotone
    assert found.sequences.rising.value > 0.9
    assert found.separation["all"].value == 1


def test_a_constant_rank_is_bad():
    """A constant agrees with some raters by chance, and is bad."""
    table = faces()
    found = examine("c", "rank", table, given([2.0] * len(table), [2] * len(table)), options=FEW)
    assert found.verdict.word == "bad"
    assert found.verdict.reasons == ("constant",)
    assert found.correlations["known intensity"].spearman_within.value is None
    assert found.of_levels.monotone is None


@pytest.mark.parametrize("seed", range(20))
def test_a_random_rank_is_bad(seed):
    """Each of 20 random scores, on faces of three persons only, where intervals are rough."""
    table = faces(persons=3)
    score = np.random.default_rng([seed, 7]).random(len(table))
    found = verdict(table, score, by_thirds(score))
    assert found.word == "bad", found
    assert "chance" in found.reasons or found.reasons == ("brightness",)


def test_a_rank_that_follows_brightness_is_bad():
    """Also if brightness goes with the intensity and the correlation of the score is high."""
    table = faces()
    found = examine("b", "rank", table, given(table["brightness"]), options=FEW)
    assert found.correlations["known intensity"].spearman_within.low > 0.3
    assert found.verdict.word == "bad"
    assert found.verdict.reasons == ("brightness",)
    noisy = table["brightness"] + np.random.default_rng(0).normal(0, 3, len(table))
    assert verdict(table, noisy, by_thirds(noisy)).reasons == ("brightness",)


def test_a_good_score_in_that_light_is_not_taken_for_brightness():
    """It correlates with brightness only because intensity does."""
    table = faces()
    score = table["intensity"] + np.random.default_rng(1).normal(0, 0.05, len(table))
    found = examine("g", "rank", table, given(score, table["majority"]), options=FEW)
    assert found.brightness.score.low > 0.2
    assert found.verdict.word == "good"


def test_a_score_turned_round_is_bad():
    """A negative correlation is no better than chance."""
    table = faces()
    assert verdict(table, -table["intensity"]).word == "bad"


def test_a_weak_score_is_called_weak():
    """Beyond chance, and far from good."""
    table = faces(persons=20)
    score = table["intensity"] + np.random.default_rng(3).normal(0, 1, len(table))
    assert verdict(table, score).word == "weak"


def changed(table, score, rows, noise):
    rng = np.random.default_rng(0)
    after = given(np.asarray(score, float)[rows] + rng.normal(0, noise, len(rows)))
    return {"mirror": after.assign(face=rows)}


def test_an_unstable_score_is_weak_at_best():
    """It follows the intensity, and a mirror turns it over."""
    table = faces()
    rows = np.arange(0, len(table), 2)
    score = table["intensity"]
    calm = examine(
        "s", "rank", table, given(score), changed=changed(table, score, rows, 0.01), options=FEW
    )
    assert calm.verdict.word == "good"
    assert shift(calm.changes) < 0.1
    wild = verdict(table, score, changed=changed(table, score, rows, 0.5))
    assert wild.word == "weak"
    assert wild.reasons == ("correlation", "unstable")


def test_levels_against_the_score_are_weak_at_best():
    """The score is good, the printed ranks are not."""
    table = faces()
    found = verdict(table, table["intensity"], np.random.default_rng(0).integers(1, 4, len(table)))
    assert found.word == "weak"
    assert found.reasons == ("correlation", "disagreement")


def test_below_a_human_is_fair_at_best():
    """Where a rater would agree better with the others."""
    table = faces()
    noisy = table["intensity"] + np.random.default_rng(0).normal(0, 0.2, len(table))
    score, level = table["intensity"], by_thirds(noisy)
    ceiling = human_ceiling(votes(table, 0.02), whose(table), FEW)
    found = verdict(table, score, level, ceiling=ceiling)
    assert found.word == "fair", found
    assert found.reasons == ("correlation", "below a rater")


def test_abstaining_on_most_faces_is_weak_at_best():
    """Right where it answers, and it seldom does."""
    table = faces()
    some = np.random.default_rng(0).random(len(table)) < 0.3
    found = verdict(table, table["intensity"].where(some))
    assert found.word == "weak"
    assert "unscored" in found.reasons


def test_ranking_only_what_is_easy_is_weak_at_best():
    """Every face has a score, and the few that are ranked are ranked rightly."""
    table = faces()
    some = table["majority"].where(np.random.default_rng(0).random(len(table)) < 0.3)
    found = examine("it", "rank", table, given(table["intensity"], some), options=FEW)
    assert found.levels.quadratic_kappa.value == 1
    assert found.verdict.word == "weak"
    assert "unranked" in found.verdict.reasons


def test_expressive_against_neutral_is_all_that_may_be_known():
    """Photographs without votes: a verdict, and never more than weak."""
    table = faces().assign(intensity=np.nan, voters=0, sequence=None)
    table = table.assign(majority=table["majority"].where(table["emotion"] == "neutral"))
    table["mean"], table["brightness"] = np.nan, np.random.default_rng(5).random(len(table))
    strong = faces()["intensity"]
    found = examine("l", "rank", table, given(strong), options=FEW)
    assert found.truth == EXPRESSIVE
    assert found.verdict.word == "weak"
    assert "expressive only" in found.verdict.reasons
    assert found.levels is None
    assert found.sequences is None
    rng = np.random.default_rng(1)
    assert verdict(table, rng.random(len(table))).word == "bad"
    calm = table[table["emotion"] != "neutral"]
    nothing = examine("l", "rank", calm, given(strong[calm.index]), options=FEW)
    assert nothing.verdict.word == "unknown"
    assert nothing.truth == ""
    assert nothing.correlations == {}


def whose(table):
    """The person of each image of `votes`."""
    return {str(image): person for image, person in table["person"].items()}


def votes(table, noise):
    """Five simulated raters who see the intensity with some noise."""
    rng = np.random.default_rng(1)
    rows = []
    for image, truth in table["intensity"].items():
        for rater in range(5):
            seen = np.clip(np.ceil((truth + rng.normal(0, noise)) * 3), 1, 3)
            rows.append((str(image), f"r{rater}", ("Minimal", "Average", "Strong")[int(seen) - 1]))
    return pd.DataFrame(rows, columns=["image", "rater", "rank"], dtype="string")


def test_the_ceiling_is_that_of_the_agreement():
    """The same number as `agreement` finds, here with persons drawn."""
    table = faces(4)
    said = votes(table, 0.2).sample(frac=0.8, random_state=0)
    found = human_ceiling(said, whose(table), FEW)
    answers = answers_table(said.rename(columns={"rank": "answer"}))
    whole = agreement(answers, rng=np.random.default_rng(0), resamples=50)
    assert found.value == pytest.approx(whole.leave_one_out_kappa.value)
    assert found.low < found.value < found.high
    assert "4 persons" in found.method


def test_probabilities_of_levels_have_a_calibration_error():
    """Sure and right: 0."""
    table = faces()
    sure = given(table["intensity"], table["majority"])
    for place, name in enumerate(LEVEL_COLUMNS):
        sure[name] = (table["majority"] == place).astype(float)
    found = examine("sure", "rank", table, sure, options=FEW)
    assert found.calibration_error.value == 0


def test_a_record_survives_json():
    """Undefined is null, and everything comes back."""
    table = faces(3)
    morphs = table.rename(columns={"sequence": "morph", "frame": "step"}).assign(score=0.5)
    found = examine(
        "r", "control", table, given(table["intensity"]), morphs=morphs, options=FEW,
        changed=changed(table, table["intensity"], np.arange(5), 0.1),
    )  # fmt: skip
    text = msgspec.json.encode(found)
    assert b"NaN" not in text
    assert msgspec.json.decode(text, type=Examination) == found


def test_the_best_truth_decides():
    """Intensity before mean ratings before the majority."""
    table = faces()
    scores = given(table["intensity"])
    names = [examine("t", "rank", table, scores, options=FEW).truth]
    table["intensity"] = np.nan
    names.append(examine("t", "rank", table, scores, options=FEW).truth)
    table["mean"] = np.nan
    names.append(examine("t", "rank", table, scores, options=FEW).truth)
    assert names == [*examination.TRUTHS.values()]
