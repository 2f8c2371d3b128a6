"""What was found of one rank, and how far it can be believed: a rule, written down.

Asked in this order; the first that applies decides:

1. The score is the same for every face: *bad*, it says nothing.
2. Nothing is known of the faces' intensity: *unknown*.
3. It follows brightness: *bad*. The rank correlation of score and brightness that the truth does
   not account for is beyond chance, and greater than that of score and truth which brightness does
   not account for.
4. It is no better than chance: *bad*. The lower bound of the within-emotion Spearman correlation is
   not above 0, or its value is one that shuffled scores reach too.
5. Otherwise the lower bound says *weak* (below 0.3), *fair* (below 0.6) or *good*; and it is *weak*
   at best where the score moves by more than half of its spread under changes that should not
   matter, where the ranks do not agree with the raters beyond chance, where more than half of the
   faces are left without a score or a rank, or where faces are known as expressive or neutral
   only; *fair* at best where the agreement with the raters stays below a human's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from emorank.evaluation.laboratory.calibration import CalibrationCurve
from emorank.evaluation.laboratory.sequences import Sequences
from emorank.evaluation.laboratory.stability import ScoreChange
from emorank.evaluation.laboratory.validity import Correlations, Nuisance
from emorank.evaluation.level_agreement import LevelAgreement
from emorank.evaluation.statistics.uncertainty import Estimate

Word = Literal["bad", "unknown", "weak", "fair", "good"]
WEAK, FAIR, UNSTABLE, MOST_MISSING = 0.3, 0.6, 0.5, 0.5
EXPRESSIVE = "difference between expressive and neutral"
_ORDER: tuple[Word, ...] = ("bad", "unknown", "weak", "fair", "good")
_BELIEVE: dict[Word, str] = {
    "bad": "Do not believe the ranks of this study",
    "unknown": "How far the ranks can be believed cannot be said",
    "weak": "Do not rely on the ranks for single faces",
    "fair": "Read the ranks as a tendency",
    "good": "The ranks follow expression intensity on these faces",
}


@dataclass(frozen=True)
class Verdict:
    """How far a rank can be believed, and why, in words."""

    word: Word
    reason: str


@dataclass(frozen=True)
class Examination:
    """Everything that the laboratory found of one rank.

    Attributes:
        rank: its name.
        kind: "rank" of the study, "control", "file" of somebody's scores.
        faces: that it was asked about.
        scored: of them, those that it gave a score.
        truth: what it was judged by; empty if there is nothing.
        correlations: against each kind of truth that is known.
        brightness: whether it follows the brightness of the picture instead.
        levels: against the majority of the raters, over the faces they rated; None without levels
            or without votes.
        levels_and_neutral: the same with neutral faces as level None.
        separation: area under the ROC curve of each emotion against neutral faces.
        of_levels: calibration of the levels; None without levels or truth.
        of_scores: calibration of the score; None without truth.
        calibration_error: of the probabilities of levels; None where it gives none.
        sequences: along the frames of sequences.
        morphs: along pictures between a person's neutral and expressive face; None if not tried.
        changes: under each change that should not matter; empty if not tried.
        verdict: how far to believe it.
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
    """The rule of this module.

    Args:
        main: against the truth that decides; None if nothing is known.
        brightness: partial correlations with brightness and the same truth.
        levels: over the faces that raters rated.
        changes: that should not matter.
        ceiling: a rater's own kappa with the majority of the others.
        constant: whether every face has the same score.
        truth: the kind of truth that decides.
    """
    if constant:
        return Verdict("bad", "it says the same of every face, so it says nothing")
    if main is None or main.count == 0:
        return Verdict("unknown", "nothing is known of the intensity of faces that it scored")
    rho = main.spearman_within
    if brightness is not None and _follows(brightness):
        return Verdict("bad", "it follows the brightness of the picture, not the expression")
    if rho.value is None:
        return Verdict("unknown", rho.reason)
    found = f"it correlates {_told(rho)} with the {truth}"
    found += "" if truth == EXPRESSIVE else " within emotion"
    if rho.low is None:
        return Verdict("unknown", f"{found}, but there is no interval ({rho.reason})")
    if rho.low <= 0 or _by_chance(main):
        return Verdict("bad", f"{found}, which is no better than chance")
    word: Word = "weak" if rho.low < WEAK else "fair" if rho.low < FAIR else "good"
    limits = _limits(main, levels, changes, ceiling, truth)
    words = [word, *(limit for limit, _ in limits)]
    return Verdict(
        _ORDER[min(map(_ORDER.index, words))], "; ".join([found, *(why for _, why in limits)])
    )


def headline(found: Sequence[Examination]) -> str:
    """How far the ranks of a study can be believed, in one sentence.

    The best of those that give levels decides; where a score without levels is better, that is said
    too. The laboratory is doubted first: if a control passes, no verdict of it can be believed.
    """
    passed = [one for one in found if one.kind == "control" and _place(one) > _ORDER.index("bad")]
    judged = [one for one in passed if one.verdict.word != "unknown"]
    if judged:
        names = ", ".join(one.rank for one in judged)
        return (
            f"Nothing can be concluded: ranks that are bad by make passed the laboratory ({names})."
        )
    tried = [one for one in found if one.kind != "control"]
    best = _best(tried)
    if best is None or best.verdict.word == "unknown" or not best.truth:
        return "How far the ranks can be believed cannot be said: " + (
            "no rank was tried." if best is None else f"{best.verdict.reason}."
        )
    ranked = _best([one for one in tried if one.of_levels is not None])
    parts = [] if ranked is None else [f"{_BELIEVE[ranked.verdict.word]}: {_said('rank', ranked)}"]
    if ranked is None or best.rank != ranked.rank:
        parts.append(_said("score", best))
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]} (best of {len(tried)} tried)."


def _best(found: Sequence[Examination]) -> Examination | None:
    return max(found, key=lambda one: (_place(one), _lower(one)), default=None)


def _said(what: str, one: Examination) -> str:
    return f"the {what} “{one.rank}” is {one.verdict.word}, {one.verdict.reason}"


def _place(one: Examination) -> int:
    return _ORDER.index(one.verdict.word)


def _lower(one: Examination) -> float:
    main = one.correlations.get(one.truth)
    low = None if main is None else main.spearman_within.low
    return -1.0 if low is None else low


def shift(changes: dict[str, ScoreChange]) -> float | None:
    """The mean movement over all changes, in spreads of the score; None if nothing was tried."""
    return _mean([change.shift for change in changes.values()])


def moved(changes: dict[str, ScoreChange]) -> float | None:
    """The mean share of faces whose level is another; None without levels."""
    return _mean([change.moved for change in changes.values()])


def _mean(estimates: Sequence[Estimate]) -> float | None:
    values = [estimate.value for estimate in estimates if estimate.value is not None]
    return sum(values) / len(values) if values else None


def _limits(
    main: Correlations,
    levels: LevelAgreement | None,
    changes: dict[str, ScoreChange],
    ceiling: Estimate | None,
    truth: str,
) -> list[tuple[Word, str]]:
    """What a verdict cannot be better than, and why."""
    limits: list[tuple[Word, str]] = []
    moves = shift(changes)
    if moves is not None and moves > UNSTABLE:
        what = f"changes that should not matter move it by {moves:.2f} of its spread"
        limits.append(("weak", what))
    if main.missing > MOST_MISSING * (main.count + main.missing):
        limits.append(("weak", f"{main.missing} faces are left without a score"))
    if truth == EXPRESSIVE:
        limits.append(("weak", "how strong the expressions are is not known"))
    if levels is not None and levels.abstained > MOST_MISSING * (levels.count + levels.abstained):
        asked = levels.count + levels.abstained
        limits.append(("weak", f"it gives no rank to {levels.abstained} of {asked} rated faces"))
    kappa = None if levels is None else levels.quadratic_kappa
    if kappa is not None and kappa.value is not None:
        beyond = kappa.low is not None and kappa.low > 0
        if not beyond:
            limits.append(("weak", f"its ranks agree with the raters no better than chance, "
                                   f"kappa {_told(kappa)}"))  # fmt: skip
        elif ceiling is not None and ceiling.value is not None and kappa.value < ceiling.value:
            what = f"its ranks agree with the raters less ({_told(kappa)}) than a rater does with "
            limits.append(("fair", f"{what}the others ({_told(ceiling)})"))
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


def _told(estimate: Estimate) -> str:
    """A value and its interval as text."""
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.2f}"
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"
