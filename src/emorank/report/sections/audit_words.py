"""The verdicts of an audit in words."""

from collections.abc import Sequence

from emorank.evaluation.laboratory.verdict import (
    EXPRESSIVE,
    Examination,
    Reason,
    Word,
    conclude,
    shift,
)
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.report.words import estimate

_BELIEVE: dict[Word, str] = {
    "bad": "Do not believe the ranks of this study",
    "unknown": "How far the ranks can be believed cannot be said",
    "weak": "Do not rely on the ranks for single faces",
    "fair": "Read the ranks as a tendency",
    "good": "The ranks follow expression intensity on these faces",
}


def headline(
    examinations: Sequence[Examination], ceiling: Estimate | None, *, asked: bool = False
) -> str:
    """How far the ranks of a study can be believed, in one sentence.

    The examinations are of all ranks, scores and controls; `ceiling` is how well a rater agrees
    with the majority of the others, None without votes. `asked` as in `Audit`.
    """
    result, by_name = conclude(examinations), {one.rank: one for one in examinations}
    if result.passed:
        passed = f"ranks that are bad by make passed the laboratory ({', '.join(result.passed)})"
        return f"Nothing can be concluded: {passed}."
    best, ranked = by_name.get(result.best or ""), by_name.get(result.ranked or "")
    if best is None or best.verdict.word == "unknown" or not best.truth:
        why = "no rank was tried" if best is None else explanation(best, ceiling)
        return f"How far the ranks can be believed cannot be said: {why}."
    parts = []
    if ranked is not None:
        parts.append(f"{_BELIEVE[ranked.verdict.word]}: {_sentence('rank', ranked, ceiling)}")
    if best is not ranked:
        parts.append(_sentence("score", best, ceiling))
    text = "; ".join(parts)
    about = ", asked about the emotion of the label" if asked else ""
    return f"{text[0].upper()}{text[1:]} (best of {result.tried} tried{about})."


def question(*, asked: bool) -> str:
    """What the ranks were asked in an audit, in one sentence."""
    if asked:
        return (
            "Every rank was asked how strongly a face expresses the emotion that it is labelled "
            "with, which is the one that raters are asked about; a neutral face, one of the others."
        )
    return (
        "Every rank was asked about the emotion that the network names, rightly or wrongly; raters "
        "are asked about the one that the face is labelled with (emorank audit --asked asks that)."
    )


def explanation(one: Examination, ceiling: Estimate | None) -> str:
    """The reasons of a verdict as text, without a full stop; `ceiling` is as for `headline`."""
    if one.verdict.reason:
        return one.verdict.reason
    words = {reason: _words(reason, one, ceiling) for reason in one.verdict.reasons}
    # What qualifies the correlation follows it directly; other reasons are parts of their own.
    start = words.pop("correlation", "")
    start += words.pop("no interval", "") + words.pop("chance", "")
    return "; ".join(part for part in (start, *words.values()) if part)


def _sentence(what: str, one: Examination, ceiling: Estimate | None) -> str:
    return f"the {what} “{one.rank}” is {one.verdict.word}, {explanation(one, ceiling)}"


def _words(reason: Reason, one: Examination, ceiling: Estimate | None) -> str:
    main, levels = one.correlations.get(one.truth), one.levels
    rho = None if main is None else main.spearman_within
    kappa = None if levels is None else levels.quadratic_kappa
    match reason:
        case "constant":
            return "it says the same of every face, so it says nothing"
        case "no truth":
            return "nothing is known of the intensity of faces that it scored"
        case "brightness":
            return "it follows the brightness of the picture, not the expression"
        case "undefined":
            return "" if rho is None else rho.reason
        case "correlation":
            within = "" if one.truth == EXPRESSIVE else " within emotion"
            return f"it correlates {estimate(rho)} with the {one.truth}{within}"
        case "no interval":
            return "" if rho is None else f", but there is no interval ({rho.reason})"
        case "chance":
            return ", which is no better than chance"
        case "unstable":
            moves = shift(one.changes) or 0.0
            return f"changes that should not matter move it by {moves:.2f} of its spread"
        case "unscored":
            return f"{0 if main is None else main.missing} faces are left without a score"
        case "expressive only":
            return "how strong the expressions are is not known"
        case "unranked":
            count, abstained = (0, 0) if levels is None else (levels.count, levels.abstained)
            return f"it gives no rank to {abstained} of {count + abstained} rated faces"
        case "disagreement":
            return f"its ranks agree with the raters no better than chance, kappa {estimate(kappa)}"
        case "below a rater":
            return (
                f"its ranks agree with the raters less ({estimate(kappa)}) than a rater does "
                f"with the others ({estimate(ceiling)})"
            )
