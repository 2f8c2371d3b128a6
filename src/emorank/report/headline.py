"""The three lines that a study comes to, for the terminal and the top of the report."""

from emorank.evaluation.classification import Baseline, Classification
from emorank.evaluation.rank_scores import RankValidation
from emorank.report.words import capitalised, estimate


def headline(
    emotions: Classification, ranks: RankValidation | None, *, unseen_persons: bool
) -> tuple[str, str, str]:
    """Emotion recognised; rank where it was recognised; both, over all images.

    `ranks` is None without votes; `unseen_persons`: no test person is in the training part.
    """
    people = ""
    if emotions.persons is not None:
        people = f" of {emotions.persons} {'unseen ' if unseen_persons else ''}persons"
    first = (
        f"Expressed emotion: accuracy {estimate(emotions.accuracy_over_persons)} on "
        f"{emotions.count:,} test images{people}{_always(emotions.baseline)}."
    )
    if ranks is None:
        return first, "Rank: not validated, there are no votes.", "Emotion and rank: no votes."
    second = (
        f"Rank, where the emotion was recognised: accuracy "
        f"{estimate(ranks.accuracy_over_persons)} on {ranks.population.conditional:,} images"
        f"{_always(ranks.baseline)}; quadratic kappa {estimate(ranks.quadratic_kappa)}."
    )
    third = (
        f"Emotion and rank both right: {estimate(ranks.joint.accuracy_over_persons)} of all "
        f"{ranks.joint.count:,} rated test images with an intensity"
        f"{_always(ranks.joint.baseline)}."
    )
    return first, second, third


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
