"""The page on answers on four levels, a slider or pairs."""

import pandas as pd

from emorank.evaluation.raters.scale_summary import ScaleSummary
from emorank.report import words
from emorank.report.exclusion import statistics
from emorank.report.page import Page, Section, section_of

MOST = 200
_SCORES = {
    "four": "Mean of the levels as numbers, 1 to 4",
    "slider": "Mean position, 0 to 100",
    "pairs": "Bradley-Terry score in logits",
}


def statistics_table(summary: ScaleSummary) -> pd.DataFrame:
    """The statistics of agreement with their intervals, and why there is none."""
    found = statistics(summary)
    return pd.DataFrame(
        {
            "Statistic": list(found),
            "Value and 95 % interval": [words.estimate(one, 3) for one in found.values()],
            "Note": [one.reason for one in found.values()],
        }
    )


def first_line(summary: ScaleSummary) -> str:
    """What was rated by whom."""
    units = f", {summary.units:,} pairs" if summary.scale == "pairs" else ""
    time = (
        "" if summary.reaction_ms is None else f"; half within {summary.reaction_ms / 1000:.1f} s"
    )
    again = f", {summary.repeats:,} more at a second showing" if summary.repeats else ""
    answers = sum(summary.answers.values())
    return (
        f"Scale: {summary.scale}. {summary.images:,} faces{units}; {summary.raters:,} raters; "
        f"{answers:,} answers{again}{time}."
    )


def scale_page(
    summary: ScaleSummary, scores: pd.DataFrame, title: str, more: tuple[Section, ...]
) -> Page:
    """The page, with the name of the project above; `more` are sections at its end."""
    answers = pd.DataFrame(
        {"Answer": list(summary.answers), "Number": list(summary.answers.values())}
    )
    caption = _SCORES[summary.scale]
    if len(scores) > MOST:
        caption += f"; {MOST} of {len(scores):,} faces, --out writes all"
    strongest = scores.sort_values("score", ascending=False, kind="stable").head(MOST)
    sections = (
        section_of("results", "Results", "scale_results", answers=answers,
                   statistics=statistics_table(summary), notes=summary.notes),
        section_of("scores", "Faces, the strongest first", "scale_scores",
                   scores=strongest.reset_index(drop=True), caption=caption),
        *more,
    )  # fmt: skip
    return Page("emorank rating summary", title, sections, results=(first_line(summary),))
