"""How far the ranks of one method can be believed: the rule that decides, as codes.

The questions are asked in this order, and the first that applies decides:

1. The score is the same for every face: *bad*.
2. Nothing is known of the faces' intensity: *unknown*.
3. The score follows brightness: *bad*. Its partial rank correlation with brightness, the truth held
   constant, is beyond chance and greater than its partial correlation with the truth, brightness
   held constant.
4. The score is no better than chance: *bad*. The lower bound of the within-emotion Spearman
   correlation is not above 0, or shuffled scores reach its value.
5. Otherwise the lower bound decides: *weak* (below 0.3), *fair* (below 0.6) or *good*. Limits can
   lower this. *Weak* is the best verdict where the score moves by more than half of its spread
   under changes that should not matter; where the ranks agree with the raters no better than
   chance; where more than half of the faces have no score or no rank; and where faces are known
   as expressive or neutral only. *Fair* is the best verdict where the ranks agree with the raters
   less than a human does.

The report puts the codes into words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from emorank.evaluation.laboratory.calibration_curve import CalibrationCurve
from emorank.evaluation.laboratory.sequences import Sequences
from emorank.evaluation.laboratory.stability import ScoreChange
from emorank.evaluation.laboratory.validity import Correlations, Nuisance
from emorank.evaluation.level_agreement import LevelAgreement
from emorank.evaluation.statistics.uncertainty import Estimate

Word = Literal["bad", "unknown", "weak", "fair", "good"]
Reason = Literal[
    "constant",  # the score is the same for every face
    "no truth",  # no scored face has a known intensity
    "brightness",  # the score follows brightness instead of the truth
    "undefined",  # the correlation with the truth is not defined
    "correlation",  # how the score correlates with the truth
    "no interval",  # that correlation has no interval
    "chance",  # that correlation is no better than chance
    "unstable",  # changes that should not matter move the score too far
    "unscored",  # more than half of the faces have no score
    "expressive only",  # faces are known as expressive or neutral, and not how expressive
    "unranked",  # more than half of the rated faces have no rank
    "disagreement",  # the ranks agree with the raters no better than chance
    "below a rater",  # the ranks agree with the raters less than a rater does
]
WEAK, FAIR, UNSTABLE, MOST_MISSING = 0.3, 0.6, 0.5, 0.5
EXPRESSIVE = "difference between expressive and neutral"
_ORDER: tuple[Word, ...] = ("bad", "unknown", "weak", "fair", "good")


@dataclass(frozen=True)
class Verdict:
    """How far a rank can be believed.

    Attributes:
        word: the verdict.
        reasons: in the order of the rule.
        reason: in words; only in audits of version 0.1.0 and before, which had no `reasons`.
    """

    word: Word
    reasons: tuple[Reason, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Examination:
    """All results of the laboratory for one rank.

    Attributes:
        kind: "rank" of the study, "control", or "file" for scores that somebody else computed.
        faces: number of faces that it was asked to score.
        scored: number of faces that it gave a score.
        truth: the truth that decides the verdict; empty if no intensity is known.
        correlations: of the score with each kind of truth that is known.
        brightness: partial correlations that tell whether it follows brightness instead.
        levels: against the majority of the raters, over the faces they rated; None without levels
            or without votes.
        levels_and_neutral: the same with neutral faces as level None.
        separation: area under the ROC curve of each emotion against neutral faces.
        of_levels: calibration of the levels; None without levels or truth.
        of_scores: calibration of the score; None without truth.
        calibration_error: of the probabilities of levels; None if it gives no probabilities.
        sequences: the score along the frames of sequences; None without sequences.
        morphs: the score along pictures between a person's neutral and expressive face; None if
            not tried.
        changes: the score under each change that should not matter; empty if not tried.
    """

    rank: str
    kind: Literal["rank", "control", "file"]
    faces: int
    scored: int
    truth: str
    correlations: dict[str, Correlations]
    brightness: Nuisance | None
    levels: LevelAgreement | None
    levels_and_neutral: LevelAgreement | None
    separation: dict[str, Estimate]
    of_levels: CalibrationCurve | None
    of_scores: CalibrationCurve | None
    calibration_error: Estimate | None
    sequences: Sequences | None
    morphs: Sequences | None
    changes: dict[str, ScoreChange]
    verdict: Verdict


@dataclass(frozen=True)
class Conclusion:
    """How far the ranks of a study can be believed, from the examinations of all ranks.

    Attributes:
        passed: names of controls that are not bad: then no verdict can be believed.
        best: name of the best rank or score; None if none was tried.
        ranked: name of the best among those that give levels; None if none gives levels.
        tried: how many ranks and scores were examined, without the controls.
    """

    passed: tuple[str, ...]
    best: str | None
    ranked: str | None
    tried: int


def judge(
    main: Correlations | None,
    brightness: Nuisance | None,
    levels: LevelAgreement | None,
    changes: dict[str, ScoreChange],
    ceiling: Estimate | None,
    *,
    constant: bool,
    truth: str,
) -> Verdict:
    """Apply the rule of this module.

    `main` are the correlations with the truth that decides, and None if no intensity is known;
    `brightness` belongs to the same truth. `levels` are over the faces that raters rated, and
    `ceiling` is a rater's own kappa with the majority of the others. `constant`: every face has the
    same score.
    """
    if constant:
        return Verdict("bad", ("constant",))
    if main is None or main.count == 0:
        return Verdict("unknown", ("no truth",))
    if brightness is not None and _follows(brightness):
        return Verdict("bad", ("brightness",))
    rho = main.spearman_within
    if rho.value is None:
        return Verdict("unknown", ("undefined",))
    if rho.low is None:
        return Verdict("unknown", ("correlation", "no interval"))
    if rho.low <= 0 or _by_chance(main):
        return Verdict("bad", ("correlation", "chance"))
    word: Word = "weak" if rho.low < WEAK else "fair" if rho.low < FAIR else "good"
    limits = _limits(main, levels, changes, ceiling, truth)
    lowest = min([word, *limits.values()], key=_ORDER.index)
    return Verdict(lowest, ("correlation", *limits))


def conclude(examinations: Sequence[Examination]) -> Conclusion:
    """Sum up the examinations of all ranks of a study, controls among them.

    A control that passes makes every verdict worthless. Otherwise the best rank that gives levels
    decides, and a score without levels that is better is named beside it.
    """
    passed = [
        one.rank
        for one in examinations
        if one.kind == "control" and one.verdict.word not in ("bad", "unknown")
    ]
    tried = [one for one in examinations if one.kind != "control"]
    best = max(tried, key=_quality, default=None)
    ranked = max((one for one in tried if one.of_levels is not None), key=_quality, default=None)
    return Conclusion(
        passed=tuple(passed),
        best=None if best is None else best.rank,
        ranked=None if ranked is None else ranked.rank,
        tried=len(tried),
    )


def shift(changes: dict[str, ScoreChange]) -> float | None:
    """The mean movement over all changes, in spreads of the score; None if nothing was tried."""
    return _mean([change.shift for change in changes.values()])


def moved(changes: dict[str, ScoreChange]) -> float | None:
    """The mean share of faces that get another level; None without levels."""
    return _mean([change.moved for change in changes.values()])


def _mean(estimates: Sequence[Estimate]) -> float | None:
    values = [estimate.value for estimate in estimates if estimate.value is not None]
    return sum(values) / len(values) if values else None


def _quality(one: Examination) -> tuple[int, float]:
    """What orders ranks: the verdict, then the lower bound of the correlation."""
    main = one.correlations.get(one.truth)
    low = None if main is None else main.spearman_within.low
    return _ORDER.index(one.verdict.word), -1.0 if low is None else low


def _limits(
    main: Correlations,
    levels: LevelAgreement | None,
    changes: dict[str, ScoreChange],
    ceiling: Estimate | None,
    truth: str,
) -> dict[Reason, Word]:
    """The best verdict that each shortcoming allows."""
    limits: dict[Reason, Word] = {}
    moves = shift(changes)
    if moves is not None and moves > UNSTABLE:
        limits["unstable"] = "weak"
    if main.missing > MOST_MISSING * (main.count + main.missing):
        limits["unscored"] = "weak"
    if truth == EXPRESSIVE:
        limits["expressive only"] = "weak"
    if levels is None:
        return limits
    if levels.abstained > MOST_MISSING * (levels.count + levels.abstained):
        limits["unranked"] = "weak"
    kappa = levels.quadratic_kappa
    human = None if ceiling is None else ceiling.value
    if kappa.value is not None and (kappa.low is None or kappa.low <= 0):
        limits["disagreement"] = "weak"
    elif kappa.value is not None and human is not None and kappa.value < human:
        limits["below a rater"] = "fair"
    return limits


def _follows(brightness: Nuisance) -> bool:
    beyond = brightness.score_given_truth
    if beyond.value is None or beyond.low is None or beyond.high is None:
        return False
    honest = abs(brightness.truth_given_nuisance.value or 0.0)
    return (beyond.low > 0 or beyond.high < 0) and abs(beyond.value) > honest


def _by_chance(main: Correlations) -> bool:
    value, limit = main.spearman_within.value, main.chance.high
    return value is not None and limit is not None and value <= limit
