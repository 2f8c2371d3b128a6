"""The rule of the verdict: each threshold from both sides, and what is concluded from all ranks."""

from dataclasses import replace

import pytest

from emorank.evaluation.laboratory.calibration_curve import CalibrationCurve
from emorank.evaluation.laboratory.stability import ScoreChange
from emorank.evaluation.laboratory.validity import Correlations, Nuisance
from emorank.evaluation.laboratory.verdict import (
    EXPRESSIVE,
    Examination,
    Verdict,
    conclude,
    judge,
    moved,
    shift,
)
from emorank.evaluation.level_agreement import LevelAgreement
from emorank.evaluation.statistics.uncertainty import Estimate

TRUTH = "known intensity"


def about(value, low=None, high=None, reason=""):
    return Estimate(value, low, high, reason=reason)


def correlated(low=0.7, *, value=None, count=20, missing=0, chance=0.2, reason=""):
    """Correlations whose within-emotion rho has the lower bound `low`."""
    value = (low or 0) + 0.1 if value is None else value
    rho = Estimate(value, low, None if low is None else value + 0.1, reason=reason)
    return Correlations(count, missing, 5, rho, rho, rho, rho, {}, about(0.0, -0.2, chance))


def ranked(value=0.8, low=0.6, count=20, abstained=0):
    kappa = Estimate(value, low, None if low is None else 0.9)
    return LevelAgreement(count, abstained, (), kappa, about(0.1), about(0.8), about(0.5), "Strong")


def changes(*shifts):
    return {str(k): ScoreChange(9, about(v), about(None)) for k, v in enumerate(shifts)}


def verdict(main, brightness=None, levels=None, moves=(), ceiling=None, **more):
    options = {"constant": False, "truth": TRUTH} | more
    return judge(main, brightness, levels, changes(*moves), ceiling, **options)


def test_the_first_question_that_applies_decides():
    """A constant score is bad whatever else is known; without a truth nothing is known."""
    light = Nuisance(about(0.9, 0.8, 1), about(0.9, 0.8, 1), about(0.1, 0, 0.2))
    assert verdict(None, light, constant=True) == Verdict("bad", ("constant",))
    assert verdict(None, light) == Verdict("unknown", ("no truth",))
    assert verdict(correlated(count=0), light) == Verdict("unknown", ("no truth",))
    assert verdict(correlated(count=1), light) == Verdict("bad", ("brightness",))
    none = replace(correlated(), spearman_within=about(None, reason="why"))
    assert verdict(none, light).reasons == ("brightness",)
    assert verdict(none) == Verdict("unknown", ("undefined",))
    assert verdict(correlated(None, value=0.5)) == Verdict(
        "unknown", ("correlation", "no interval")
    )


@pytest.mark.parametrize(
    ("low", "word"),
    [(-0.1, "bad"), (0.0, "bad"), (0.01, "weak"), (0.29, "weak"), (0.3, "fair"), (0.59, "fair"),
     (0.6, "good"), (0.9, "good")],
)  # fmt: skip
def test_the_lower_bound_decides(low, word):
    """Bad up to 0, weak below 0.3, fair below 0.6."""
    found = verdict(correlated(low, chance=-1))
    assert found.word == word
    assert found.reasons == (("correlation", "chance") if word == "bad" else ("correlation",))


@pytest.mark.parametrize(
    ("chance", "word"), [(0.79, "good"), (0.8, "bad"), (0.9, "bad"), (None, "good")]
)
def test_what_shuffled_scores_reach_is_chance(chance, word):
    """A value that shuffled scores reach is bad, also if its interval is above 0."""
    assert verdict(correlated(0.7, value=0.8, chance=chance)).word == word


@pytest.mark.parametrize(
    ("beyond", "honest", "word"),
    [
        ((0.5, 0.1, 0.9), 0.4, "bad"),
        ((-0.5, -0.9, -0.1), 0.4, "bad"),
        ((0.5, 0.1, 0.9), -0.6, "good"),
        ((0.5, 0.1, 0.9), 0.5, "good"),
        ((0.5, 0.0, 0.9), 0.4, "good"),
        ((-0.5, -0.9, 0.0), 0.4, "good"),
        ((0.5, 0.1, 0.9), None, "bad"),
        ((None, None, None), 0.4, "good"),
        ((0.5, None, 0.9), 0.4, "good"),
        ((0.5, 0.1, None), 0.4, "good"),
    ],
)
def test_brightness_counts_where_it_is_beyond_chance_and_greater(beyond, honest, word):
    """Both conditions must hold, in either direction; without an interval neither does."""
    light = Nuisance(about(0.9), about(*beyond), about(honest))
    assert verdict(correlated(), light).word == word


@pytest.mark.parametrize(
    ("given", "reason", "word"),
    [
        ({"moves": (0.5,)}, None, "good"),
        ({"moves": (0.4, 0.8)}, "unstable", "weak"),
        ({"moves": (None, None)}, None, "good"),
        ({"main": correlated(count=10, missing=10)}, None, "good"),
        ({"main": correlated(count=10, missing=11)}, "unscored", "weak"),
        ({"truth": EXPRESSIVE}, "expressive only", "weak"),
        ({"levels": ranked(count=10, abstained=10)}, None, "good"),
        ({"levels": ranked(count=10, abstained=11)}, "unranked", "weak"),
        ({"levels": ranked(low=0.01)}, None, "good"),
        ({"levels": ranked(low=0.0)}, "disagreement", "weak"),
        ({"levels": ranked(low=None)}, "disagreement", "weak"),
        ({"levels": ranked(value=None, low=None)}, None, "good"),
        ({"levels": ranked(), "ceiling": about(0.81)}, "below a rater", "fair"),
        ({"levels": ranked(), "ceiling": about(0.8)}, None, "good"),
        ({"levels": ranked(), "ceiling": about(None)}, None, "good"),
        ({"levels": ranked(low=0.0), "ceiling": about(0.9)}, "disagreement", "weak"),
        ({"levels": None, "ceiling": about(0.9)}, None, "good"),
    ],
)
def test_each_limit_from_both_sides(given, reason, word):
    """A limit lowers the verdict and is named; at the threshold itself it does not apply."""
    found = verdict(given.pop("main", correlated()), **given)
    assert found == Verdict(word, ("correlation",) if reason is None else ("correlation", reason))


def test_a_limit_does_not_raise_a_verdict():
    """A weak score stays weak where fair would be allowed; limits add up in their order."""
    found = verdict(correlated(0.25), levels=ranked(), ceiling=about(0.9))
    assert found == Verdict("weak", ("correlation", "below a rater"))
    found = verdict(correlated(0.7), levels=ranked(), ceiling=about(0.9), moves=(0.9,))
    assert found == Verdict("weak", ("correlation", "unstable", "below a rater"))


def test_means_over_changes():
    """Changes without a value are left out; no change at all has no mean."""
    tried = {
        "a": ScoreChange(9, about(0.2), about(0.5)),
        "b": ScoreChange(9, about(0.4), about(None)),
    }
    assert shift(tried) == pytest.approx(0.3)
    assert moved(tried) == 0.5
    assert shift({}) is None
    assert moved({"b": tried["b"]}) is None


def examined(rank, word, low=0.5, kind="rank", *, levels=True, truth=TRUTH):
    curve = CalibrationCurve((), None) if levels else None
    about_truth = {} if low is None else {TRUTH: correlated(low)}
    return Examination(
        rank, kind, 20, 20, truth, about_truth, None, None, None, {}, curve, None, None, None,
        None, {}, Verdict(word),
    )  # fmt: skip


def test_the_best_rank_and_the_best_of_all():
    """The verdict orders first, the lower bound second; scores without levels are no ranks."""
    ranks = [
        examined("a", "fair", 0.4),
        examined("b", "fair", 0.5),
        examined("c", "weak", 0.9),
        examined("score", "good", 0.6, levels=False),
        examined("none", "bad", None),
    ]
    found = conclude([*ranks, examined("random", "bad", 0.9, "control")])
    assert (found.best, found.ranked, found.tried, found.passed) == ("score", "b", 5, ())
    assert conclude(ranks[3:4]).ranked is None
    nothing = conclude([])
    assert (nothing.best, nothing.ranked, nothing.tried) == (None, None, 0)
    undefined = replace(correlated(), spearman_within=about(None))
    lost = replace(examined("lost", "bad"), correlations={TRUTH: undefined})
    assert conclude([lost, examined("found", "bad", -0.9)]).best == "found"


@pytest.mark.parametrize(
    ("word", "passes"),
    [("bad", False), ("unknown", False), ("weak", True), ("fair", True), ("good", True)],
)
def test_a_control_passes_where_it_is_not_bad(word, passes):
    """A control whose verdict is unknown has not passed; a file of scores is no control."""
    found = conclude(
        [examined("random", word, kind="control"), examined("mine", word, kind="file")]
    )
    assert found.passed == (("random",) if passes else ())
    assert found.tried == 1
