"""Rank correlations and their intervals against SciPy, and with scores made up to mislead."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from emorank.evaluation import level_agreement
from emorank.evaluation.laboratory import separation, validity
from emorank.evaluation.statistics.columns import Options

FEW = Options(resamples=50)
EMOTIONS = ("anger", "fear", "happy")


def faces(number=90, persons=6, seed=0):
    """Faces of three emotions with an intensity, and a score that follows it roughly."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 12, number) / 10
    return pd.DataFrame(
        {
            "truth": truth,
            "score": np.round(truth + rng.normal(0, 0.4, number), 1),
            "emotion": rng.choice(EMOTIONS, number),
            "person": [f"p{k}" for k in rng.integers(0, persons, number)],
        }
    )


def correlations(table, score="score", options=FEW):
    return validity.correlations(
        table[score], table["truth"], table["emotion"], table["person"], options
    )


def test_values_are_those_of_scipy():
    """Overall and within each emotion; the average is weighted by faces."""
    table = faces()
    found = correlations(table)
    by = dict(list(table.groupby("emotion")))
    rho = {e: stats.spearmanr(t["score"], t["truth"]).statistic for e, t in by.items()}
    tau = {e: stats.kendalltau(t["score"], t["truth"]).statistic for e, t in by.items()}
    sizes = [len(t) for t in by.values()]
    assert {e: v.value for e, v in found.emotions.items()} == pytest.approx(rho)
    assert found.spearman.value == pytest.approx(
        stats.spearmanr(table["score"], table["truth"]).statistic
    )
    assert found.kendall.value == pytest.approx(
        stats.kendalltau(table["score"], table["truth"]).statistic
    )
    assert found.spearman_within.value == pytest.approx(np.average([*rho.values()], weights=sizes))
    assert found.kendall_within.value == pytest.approx(np.average([*tau.values()], weights=sizes))
    assert (found.count, found.missing, found.persons) == (90, 0, 6)


@settings(max_examples=30)
@given(
    st.lists(st.integers(-20, 20), min_size=4, max_size=30),
    st.sampled_from([np.exp, np.arctan, lambda v: v**3, lambda v: 3 * v - 7]),
)
def test_a_rising_function_of_the_score_changes_nothing(values, rising):
    """A rising function leaves rank correlations as they are; a falling one changes their sign."""
    score = np.array(values, float) / 10
    truth = np.random.default_rng(0).integers(0, 4, len(score)).astype(float)
    emotion = ["happy"] * len(score)
    one = validity.correlations(score, truth, emotion, None, FEW)
    other = validity.correlations(rising(score), truth, emotion, None, FEW)
    assert one == other
    back = validity.correlations(-score, truth, emotion, None, FEW)
    if one.spearman.value is not None:
        assert back.spearman.value == pytest.approx(-one.spearman.value)
        assert back.kendall_within.value == pytest.approx(-one.kendall_within.value)


def test_a_constant_score_says_nothing():
    """The correlation is None with a reason, and never 0."""
    table = faces().assign(constant=2.0)
    found = correlations(table, "constant")
    for estimate in (found.spearman, found.spearman_within, found.kendall_within, found.chance):
        assert estimate.value is None
        assert "says nothing" in estimate.reason
    assert all(estimate.value is None for estimate in found.emotions.values())


def test_what_is_the_same_everywhere_cannot_be_followed():
    """A constant truth gives another reason than a constant score."""
    table = faces().assign(truth=1.0)
    assert "what is known" in correlations(table).spearman_within.reason


def test_faces_without_a_truth_or_a_score_are_counted():
    """Faces without a score are counted as missing, faces without a truth are not."""
    table = faces()
    table.loc[:9, "score"] = np.nan
    table.loc[5:14, "truth"] = np.nan
    found = correlations(table)
    assert (found.count, found.missing) == (75, 5)


def test_no_faces_at_all():
    """Everything is None with a reason."""
    found = correlations(faces().iloc[:0])
    assert found.spearman.value is found.spearman_within.value is found.chance.value is None
    reason = "no face has both a score and a known intensity"
    assert found.spearman.reason == found.spearman_within.reason == found.chance.reason == reason


def test_telling_emotions_apart_is_not_following_intensity():
    """Overall the correlation is high, within emotion there is none."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"emotion": np.repeat(EMOTIONS, 60), "person": ["p1", "p2"] * 90})
    base = np.repeat([0.1, 0.5, 0.9], 60)
    table["truth"] = base + rng.normal(0, 0.05, 180)
    table["score"] = base + rng.normal(0, 0.05, 180)
    found = correlations(table)
    assert found.spearman.value > 0.8
    assert abs(found.spearman_within.value) < 0.2


def test_shuffles_show_what_chance_comes_to():
    """Around 0, as wide as the theory of a single emotion has it: 2.58 / sqrt(n - 1)."""
    table = faces(200).assign(emotion="happy")
    chance = correlations(table, options=Options(resamples=2000)).chance
    assert abs(chance.value) < 0.02
    assert chance.high == pytest.approx(2.58 / np.sqrt(199), rel=0.15)
    assert chance.low == pytest.approx(-chance.high, rel=0.2)


def test_intervals_cover():
    """Of 100 samples some 95 hold the truth (persons independent of each other, many of them)."""
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(100):
        both = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 80)
        found = validity.correlations(
            both[:, 0], both[:, 1], ["happy"] * 80, np.arange(80) // 2, Options(resamples=300)
        ).spearman
        truth = 6 / np.pi * np.arcsin(0.25)  # of a normal distribution, Pearson 1907
        hits += found.low <= truth <= found.high
    assert 87 <= hits <= 100


def test_brightness_is_told_from_intensity_though_they_go_together():
    """A score of brightness correlates with intensity if brightness does, but not partially."""
    rng = np.random.default_rng(4)
    truth = rng.uniform(0, 1, 300)
    brightness = truth + rng.normal(0, 0.25, 300)
    emotion, persons = rng.choice(EMOTIONS, 300), rng.integers(0, 20, 300)
    follows = brightness + rng.normal(0, 0.05, 300)
    assert validity.correlations(follows, truth, emotion, persons, FEW).spearman_within.low > 0.6
    found = validity.nuisance(follows, truth, brightness, emotion, persons, FEW)
    assert found.score_given_truth.low > 0.8
    assert found.truth_given_nuisance.high < 0.25
    honest = validity.nuisance(
        truth + rng.normal(0, 0.1, 300), truth, brightness, emotion, persons, FEW
    )
    assert honest.truth_given_nuisance.low > 0.6
    assert abs(honest.score_given_truth.value) < 0.2


def test_partial_correlation_is_that_of_residuals():
    """Within one emotion: the correlation of the residuals of ranks regressed on the third."""
    table = faces(60).assign(emotion="happy")
    third = table["truth"] + np.random.default_rng(1).normal(0, 0.5, 60)
    found = validity.nuisance(
        table["score"], table["truth"], third, table["emotion"], table["person"], FEW
    )
    a, b, c = (stats.rankdata(v) for v in (table["score"], table["truth"], third))

    def rest(v, of):
        return v - np.polyval(np.polyfit(of, v, 1), of)

    assert found.truth_given_nuisance.value == pytest.approx(
        np.corrcoef(rest(a, c), rest(b, c))[0, 1]
    )
    assert found.score_given_truth.value == pytest.approx(np.corrcoef(rest(a, b), rest(c, b))[0, 1])


def test_a_score_that_is_the_brightness_leaves_nothing_else():
    """A score that equals brightness has no partial correlation with the truth."""
    table = faces(60)
    found = validity.nuisance(
        table["score"], table["truth"], table["score"], table["emotion"], table["person"], FEW
    )
    assert found.score.value == pytest.approx(1)
    assert found.truth_given_nuisance.value is None


def test_separation_is_the_area_under_the_curve():
    """Per emotion against all neutral faces, as sklearn has it."""
    table = faces(120)
    table.loc[:39, "emotion"] = None
    neutral = table["emotion"].isna()
    found = separation.separation(table["score"], table["emotion"], neutral, table["person"], FEW)
    assert set(found) == {*EMOTIONS, separation.ALL}
    for emotion, estimate in found.items():
        rows = neutral | (table["emotion"] == emotion) | (emotion == separation.ALL)
        area = roc_auc_score(~neutral[rows], table["score"][rows])
        assert estimate.value == pytest.approx(area)
        assert estimate.low <= estimate.value <= estimate.high


def test_an_emotion_is_told_from_the_neutral_faces_that_were_asked_about_it():
    """As sklearn has it on these; without one there is no area, but all together have one."""
    table = faces(120)
    table.loc[:39, "emotion"] = None
    neutral = table["emotion"].isna()
    asked = table["emotion"].mask(neutral, pd.Series(["anger", "happy"] * 60))
    columns = (table["score"], table["emotion"], neutral, table["person"], FEW)
    found = separation.separation(*columns, asked)
    for emotion in ("anger", "happy"):
        rows = asked == emotion
        area = roc_auc_score(~neutral[rows], table["score"][rows])
        assert found[emotion].value == pytest.approx(area)
    assert found["fear"].value is None
    everybody = roc_auc_score(~neutral, table["score"])
    assert found[separation.ALL].value == pytest.approx(everybody)


def test_nothing_is_told_from_neutral_faces_that_are_not_there():
    """Without neutral faces there is no area."""
    table = faces()
    nobody = np.zeros(len(table), bool)
    assert separation.separation(table["score"], table["emotion"], nobody, None, FEW) == {}


def test_levels_are_scored_as_sklearn_does():
    """Kappa, error, and the error of a constant answer; faces without a rank are counted."""
    rng = np.random.default_rng(0)
    majority = pd.Series(rng.integers(0, 4, 80), dtype="Int64")
    level = (majority + pd.Series(rng.integers(-1, 2, 80))).clip(0, 3).mask(rng.random(80) < 0.1)
    found = level_agreement.level_agreement(level, majority, rng.integers(0, 5, 80), FEW)
    both = level.notna()
    a, b = majority[both].astype(int), level[both].astype(int)
    assert found.quadratic_kappa.value == pytest.approx(
        cohen_kappa_score(a, b, weights="quadratic")
    )
    assert found.mean_absolute_error.value == pytest.approx(abs(a - b).mean())
    assert found.accuracy.value == pytest.approx((a == b).mean())
    assert found.abstained == (~both).sum()
    usual = a.mode().iloc[0]
    assert found.majority_error.value == pytest.approx(abs(a - usual).mean())


def test_thousands_of_faces_take_seconds():
    """A correlation of 3,000 faces of 300 persons with a thousand resamples."""
    table = faces(3000, persons=300)
    found = correlations(table, options=Options(resamples=1000))
    assert found.spearman_within.low > 0.5
    assert "1000 resamples" in found.kendall_within.method


def test_one_person_has_no_interval():
    """One person gives a value, no interval, and the reason."""
    table = faces().assign(person="p1")
    found = correlations(table).spearman_within
    assert found.value is not None
    assert found.low is None
    assert "one person only" in found.reason


def test_a_nuisance_without_differences_has_its_reason():
    """Brightness that is the same for every face, a constant score, a constant truth."""
    table, even = faces(), np.ones(90)
    rest = (table["emotion"], table["person"], FEW)
    found = validity.nuisance(table["score"], table["truth"], even, *rest)
    assert found.score.value is None
    assert found.score.reason == "it is the same for every face"
    constant = validity.nuisance(even, table["truth"], table["score"], *rest)
    assert constant.score.reason == validity.SAME_SCORE
    known = validity.nuisance(table["score"], even, table["truth"], *rest)
    assert known.score_given_truth.reason == validity.SAME_TRUTH


def test_faces_without_an_emotion_count_overall_only():
    """Neutral faces, say; without any emotion there is no value within one."""
    table = faces()
    table.loc[:9, "emotion"] = None
    found = correlations(table)
    assert found.count == 90
    expected = stats.spearmanr(table["score"], table["truth"]).statistic
    assert found.spearman.value == pytest.approx(expected)
    assert set(found.emotions) == set(EMOTIONS)
    inside = table[table["emotion"] == "fear"]
    rho = stats.spearmanr(inside["score"], inside["truth"]).statistic
    assert found.emotions["fear"].value == pytest.approx(rho)
    none = correlations(table.assign(emotion=None))
    assert none.spearman_within.value is None
    assert none.spearman_within.reason == "no face is of an emotion"
    assert none.chance.reason == "no emotion in which both differ"


def test_only_faces_with_all_three_values_are_used():
    """A face without a score, a truth or a nuisance is left out of the partial correlations."""
    table = faces()
    third = table["truth"] + np.random.default_rng(1).normal(0, 0.5, 90)
    table.loc[:3, "score"], table.loc[4:7, "truth"] = np.nan, np.nan
    third[8:11] = np.nan
    whole = validity.nuisance(
        table["score"], table["truth"], third, table["emotion"], table["person"], FEW
    )
    kept = table[11:]
    part = validity.nuisance(
        kept["score"], kept["truth"], third[11:], kept["emotion"], kept["person"], FEW
    )
    assert whole == part


def test_a_constant_emotion_is_left_out_of_the_average():
    """An emotion whose faces all have one score has no rho and no weight; it has a reason."""
    table = faces()
    table.loc[table["emotion"] == "happy", "score"] = 0.5
    found = correlations(table)
    others = [e for e in EMOTIONS if e != "happy"]
    sizes = [int((table["emotion"] == e).sum()) for e in others]
    values = [found.emotions[e].value for e in others]
    assert found.spearman_within.value == pytest.approx(np.average(values, weights=sizes))
    assert found.emotions["happy"].reason == validity.SAME_SCORE


def test_chance_depends_on_the_seed_and_holds_ninety_nine_percent():
    """Not on the resamples of the intervals; its level is its own."""
    one = correlations(faces(), options=Options(200)).chance
    other = correlations(faces(), options=Options(200, seed=1)).chance
    assert one != other
    assert one.level == 0.99
    assert one.method == "200 shuffles within emotion"


def test_chance_is_that_of_shuffles_written_out():
    """Ranks shuffled within one emotion with the generator of the seed, 99 % of their rho."""
    table = faces(30).assign(emotion="happy")
    found = correlations(table, options=Options(400, seed=7)).chance
    x, y = (stats.rankdata(table[name]) for name in ("score", "truth"))
    rng = np.random.default_rng([7, 1])
    shuffled = rng.permuted(np.tile(x - x.mean(), (400, 1)), axis=1)
    rho = [np.corrcoef(row, y)[0, 1] for row in shuffled]
    assert found.value == pytest.approx(np.mean(rho))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(rho, [0.005, 0.995])))


def test_an_emotion_of_two_faces_has_a_chance():
    """Its shuffles are 1 and -1; a score that is constant within every emotion has no rho."""
    pair = pd.DataFrame({"score": [1, 2], "truth": [1, 2], "emotion": "fear", "person": "p"})
    assert correlations(pair).chance.high == 1
    apart = pd.concat([pair.assign(score=1), pair.assign(score=2, emotion="happy")])
    found = correlations(apart.assign(person=list("abcd")))
    assert found.spearman_within.value is None
    assert found.spearman_within.reason == "not defined for these images"
