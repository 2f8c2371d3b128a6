"""The page on raters: their answers, and how well they agree."""

from collections.abc import Iterator

import pandas as pd

from emorank.answers.answers_table import RANKS
from emorank.answers.voting import emotion_label
from emorank.evaluation.raters.agreement import CountAgreement
from emorank.evaluation.raters.rating_summary import EmotionSummary, RatingSummary
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.report import rating_figures, words
from emorank.report.page import Page, Section, section_of

ALL = "All"
_AXIS = "agreement beyond chance: 0 chance, 1 perfect"


def rating_page(summary: RatingSummary | EmotionSummary, title: str) -> Page:
    """What raters answered and how well they agree, as a page with the name of the file above."""
    if isinstance(summary, EmotionSummary):
        kind, results = "emorank summary of votes on emotions", _emotion_results(summary)
        return Page(kind, title, _emotion_sections(summary), results=tuple(results))
    kind, results = "emorank rating summary", _results(summary)
    return Page(kind, title, _rating_sections(summary), results=tuple(results))


def _rating_sections(summary: RatingSummary) -> tuple[Section, ...]:
    answers, raters = _answers(summary), summary.agreement.raters
    compared = any(rater.leave_one_out is not None for rater in raters)
    caption = "Over all emotions" if summary.emotions else ""
    alt = "Dots with intervals: the statistics of agreement, overall and per emotion"
    return (
        section_of("answers", "Answers", "rating_answers", bars=rating_figures.answers(answers),
                   skipped=summary.answers["Skip"]),
        section_of("majority", "Majority", "rating_majority", s=summary,
                   outcomes=_outcomes(summary), emotions=_emotions(summary)),
        _agreement(summary, caption, alt),
        section_of("raters", "Raters", "rating_raters", s=summary, raters=_raters(summary),
                   fast=words.FAST,
                   dots=rating_figures.raters(raters, summary.named) if compared else None),
        section_of("read", "How to read this", "rating_reading", none_as=summary.agreement.none_as),
    )  # fmt: skip


def _emotion_sections(summary: EmotionSummary) -> tuple[Section, ...]:
    bars = rating_figures.categories(summary.votes, summary.finals, summary.images)
    alt = "Dots with intervals: Fleiss’ kappa and nominal alpha, overall and per group"
    return (
        section_of("votes", "Votes", "emotion_votes", bars=bars),
        _agreement(summary, "Over all images", alt),
        section_of("read", "How to read this", "emotion_votes_reading"),
    )


def _agreement(summary: RatingSummary | EmotionSummary, caption: str, alt: str) -> Section:
    counts, parts = _counts(summary), _estimates(summary)
    measured = any(one.value is not None for part in parts.values() for one in part.values())
    dots = rating_figures.estimates(parts, _AXIS) if measured else None
    texts = {"caption": caption, "alt": alt, "method": counts.observed.method}
    statistics = _statistics(summary)
    return section_of(
        "agreement", "Agreement", "rating_agreement", statistics=statistics, dots=dots, **texts
    )


def _results(summary: RatingSummary) -> Iterator[str]:
    units, images, milliseconds = summary.units, summary.images, summary.reaction_ms
    answers = sum(summary.answers.values())
    pairs = f", {units:,} pairs of image and emotion" if units != images else ""
    who = "raters" if summary.named else "positions (who stands where is not known)"
    again = f", {summary.repeats:,} more at a second showing" if summary.repeats else ""
    time = "" if milliseconds is None else f"; half of them within {milliseconds / 1000:.1f} s"
    yield f"{images:,} images{pairs}; {summary.raters:,} {who}; {answers:,} answers{again}{time}."
    ceiling, alpha = summary.agreement.leave_one_out_kappa, summary.agreement.counts.alpha_ordinal
    if ceiling.value is not None:
        yield (
            "Human ceiling: a rater and the majority of the others reach a quadratic-weighted "
            f"kappa of {words.estimate(ceiling)}."
        )
    if alpha is not None and alpha.value is not None:
        yield f"Krippendorff’s alpha, ordinal: {words.estimate(alpha)}."
    else:
        yield f"Nothing is known about agreement yet: {alpha.reason if alpha else words.NONE}."


def _emotion_results(summary: EmotionSummary) -> Iterator[str]:
    votes = sum(summary.votes.values())
    yield (
        f"{summary.images:,} images, {votes:,} votes on which emotion is expressed; "
        f"{summary.tied:,} images without a single most frequent one."
    )
    yield f"Krippendorff’s alpha, nominal: {words.estimate(summary.agreement.alpha_nominal)}."


def _counts(summary: RatingSummary | EmotionSummary) -> CountAgreement:
    return summary.agreement if isinstance(summary, EmotionSummary) else summary.agreement.counts


def _label(emotion: str | None) -> str:
    return "Unknown" if emotion is None else emotion_label(emotion)


def _answers(summary: RatingSummary) -> dict[str, dict[str, int]]:
    return {ALL: summary.answers} | {_label(one.emotion): one.answers for one in summary.emotions}


def _named(counts: CountAgreement) -> dict[str, Estimate]:
    values = {"Fleiss’ kappa": counts.fleiss_kappa, "Alpha, nominal": counts.alpha_nominal}
    ordinal = counts.alpha_ordinal
    return values if ordinal is None else values | {"Alpha, ordinal": ordinal}


def _estimates(summary: RatingSummary | EmotionSummary) -> dict[str, dict[str, Estimate]]:
    if isinstance(summary, EmotionSummary):
        groups = {ALL: summary.agreement, **summary.groups}
        return {name: _named(counts) for name, counts in groups.items()}
    parts = {ALL: summary.agreement} | {
        _label(one.emotion): one.agreement for one in summary.emotions
    }
    return {
        name: _named(one.counts)
        | {"Pair of raters": one.pairwise_kappa, "Human ceiling": one.leave_one_out_kappa}
        for name, one in parts.items()
    }


def _statistics(summary: RatingSummary | EmotionSummary) -> pd.DataFrame:
    """Every statistic over everything, with its interval, and why there is none."""
    counts = _counts(summary)
    rows = [
        ("Same answer, share of pairs of votes on a unit", counts.observed),
        ("Fleiss’ kappa", counts.fleiss_kappa),
        ("Krippendorff’s alpha, nominal", counts.alpha_nominal),
    ]
    if counts.alpha_ordinal is not None:
        rows.append(("Krippendorff’s alpha, ordinal", counts.alpha_ordinal))
    if isinstance(summary, RatingSummary):
        ceiling = "Human ceiling: quadratic kappa of a rater with the others’ majority, mean"
        rows.append(("Quadratic kappa of a pair of raters, mean", summary.agreement.pairwise_kappa))
        rows.append((ceiling, summary.agreement.leave_one_out_kappa))
    table = pd.DataFrame(
        {
            "Statistic": [name for name, _ in rows],
            "Value and 95 % interval": [words.estimate(value, 3) for _, value in rows],
            "Note": [value.reason for _, value in rows],
        }
    )
    return table if table["Note"].any() else table.drop(columns="Note")


def _outcomes(summary: RatingSummary) -> pd.DataFrame:
    columns: dict[str, list[object]] = {
        "Majority": [*RANKS, "No such emotion", "Disputed", "Skips only"]
    }
    for one in summary.outcomes:
        name = "Ties to the median" if one.ties == "median" else "Ties disputed"
        ranks: list[object] = [one.ranks[rank] for rank in RANKS]
        columns[name] = [*ranks, one.flagged, one.disputed, one.unvoted]
    table = pd.DataFrame(columns)
    return table if summary.outcomes[0].unvoted else table.iloc[:-1]


def _emotions(summary: RatingSummary) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Emotion": _label(one.emotion),
            "Images": one.units,
            **one.outcome.ranks,
            "No such emotion": one.outcome.flagged,
            "Tied": one.outcome.tied,
            "Alpha, ordinal": words.estimate(one.agreement.counts.alpha_ordinal),
            "Human ceiling": words.estimate(one.agreement.leave_one_out_kappa),
        }
        for one in summary.emotions
    )


def _raters(summary: RatingSummary) -> pd.DataFrame:
    own = {one.rater: one for one in summary.consistency}
    speeds = {one.rater: words.part(one.fast, one.timed) for one in summary.speed}
    rows = []
    for one in summary.agreement.raters:
        row: dict[str, object] = {
            "Rater": one.rater,
            "Votes": one.votes,
            "With one other": one.pairwise,
            "With the others’ majority": one.leave_one_out,
        }
        if own:
            again = own.get(one.rater)
            row |= {
                "Repeats": again.repeats if again else 0,
                "Same again": words.estimate(again.same) if again else words.NONE,
                "Kappa with self": again.kappa if again else None,
            }
        if speeds:
            row[words.capitalised(words.FAST)] = speeds.get(one.rater, words.NONE)
        rows.append(row)
    table = pd.DataFrame(rows)
    floats = [name for name in table.columns if name.startswith(("With", "Kappa"))]
    return table.astype(dict.fromkeys(floats, "float64"))
