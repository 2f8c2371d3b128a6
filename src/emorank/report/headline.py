"""The three lines that a study comes to, for the terminal and the top of the report."""

from emorank.evaluation.classification import Baseline, Classification
from emorank.evaluation.laboratory.validity import Correlations
from emorank.evaluation.rank_scores import RankValidation
from emorank.report.words import capitalised, cell, estimate
from emorank.results.metrics import RanksCompared

PAPER = "paper"
TITLES = {
    "contrast": "the contrast to neutral",
    "evidence": "the evidence",
    PAPER: "the paper's rule",
}
"""What the ranks that stand side by side are called."""


def headline(
    emotions: Classification,
    ranks: RanksCompared | None,
    paper: RankValidation | None,
    *,
    unseen_persons: bool,
) -> tuple[str, ...]:
    """Emotion recognised; how well the rank that people get does; then the paper's rule.

    `paper` is None without votes, `ranks` for a study of an earlier version, which leaves out the
    second line; `unseen_persons`: no test person is in the training part.
    """
    people = ""
    if emotions.persons is not None:
        people = f" of {emotions.persons} {'unseen ' if unseen_persons else ''}persons"
    first = (
        f"Expressed emotion: accuracy {estimate(emotions.accuracy_over_persons)} on "
        f"{emotions.count:,} test images{people}{_always(emotions.baseline)}."
    )
    follows = {} if ranks is None else ranks.follows
    third = _sentence(_agrees(paper), _follows(follows.get(PAPER), ranks))
    third = f"The paper's rule, reproduced: {third}"
    if ranks is None:
        return first, third
    one = ranks.rater and estimate(ranks.rater.quadratic_kappa)
    second = _sentence(
        _follows(follows.get(ranks.default), ranks, chance=True),
        _agrees(ranks.validated, f" (one rater: {one})" if one else ""),
        _on(ranks),
    )
    return first, f"Rank by {TITLES[ranks.default]}: {second}", third


def _sentence(*parts: str) -> str:
    known = [part for part in parts if part]
    return f"{', '.join(known) or 'not validated, there are no votes and no known intensities'}."


def _follows(
    found: Correlations | None, ranks: RanksCompared | None, *, chance: bool = False
) -> str:
    if found is None or ranks is None:
        return ""
    words = f"Spearman {estimate(found.spearman_within)} with the {ranks.truth}, within emotion"
    return f"{words} (chance: up to {cell(found.chance.high)})" if chance else words


def _agrees(found: RankValidation | None, beside: str = "") -> str:
    if found is None:
        return ""
    return f"quadratic kappa {estimate(found.quadratic_kappa)} with the raters' majority{beside}"


def _on(ranks: RanksCompared) -> str:
    if ranks.validated is not None:
        count = ranks.validated.population.conditional
    elif ranks.follows:
        count = ranks.follows[ranks.default].count
    else:
        return ""
    return f"on {count:,} images where the emotion was recognised"


def simulated(*, faces: bool, raters: bool) -> str:
    """What is simulated, and what that means; empty if nothing is."""
    parts = ["The faces are rendered, not photographed."] if faces else []
    parts += ["The raters are simulated, not people."] if raters else []
    if not parts:
        return ""
    real = "real faces or real raters" if raters else "real faces"
    end = f"The numbers show that the program works; they say nothing of {real}."
    return " ".join([*parts, end])


def verdict(ranks: RankValidation) -> str:
    """What the kappa's interval says, in one plain sentence."""
    kappa = ranks.quadratic_kappa
    if kappa.value is None:
        return "Whether ranks and raters agree beyond chance cannot be said: " + kappa.reason + "."
    if kappa.low is None or kappa.high is None:
        return f"The agreement has no interval ({kappa.reason}), so it may be chance."
    if kappa.low > 0:
        above = "Ranks and raters agree beyond chance: the interval of kappa lies above 0."
        return above + _but(ranks)
    if kappa.high < 0:
        return "Ranks and raters disagree beyond chance: the interval of kappa lies below 0."
    return (
        "Ranks and raters do not agree beyond chance on these images: the interval of kappa "
        "includes 0." + _but(ranks)
    )


def _but(ranks: RankValidation) -> str:
    """Said where a constant answer is right as often."""
    ours, baseline = ranks.accuracy.value, ranks.baseline
    if ours is None or baseline is None or baseline.accuracy.value is None:
        return ""
    if ours > baseline.accuracy.value:
        return ""
    return (
        f" The rank is right no more often ({ours:.2f}) than the constant answer "
        f"“{baseline.label}” would be ({baseline.accuracy.value:.2f})."
    )


def _always(baseline: Baseline | None) -> str:
    if baseline is None or baseline.accuracy.value is None:
        return ""
    return f" (always “{capitalised(baseline.label)}”: {baseline.accuracy.value:.2f})"
