"""Raters whom a rule leaves out: their measures, and the results with and without them."""

from collections.abc import Sequence

import pandas as pd

from emorank.evaluation.raters.careless import Marks, Rule
from emorank.evaluation.raters.rating_summary import RatingSummary
from emorank.evaluation.raters.scale_summary import ScaleSummary
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.report import words
from emorank.report.page import Section, section_of

_NAMES = {
    "observed": "Same answer, of pairs of answers",
    "fleiss_kappa": "Fleiss’ kappa",
    "alpha_nominal": "Krippendorff’s alpha, nominal",
    "alpha_ordinal": "Krippendorff’s alpha, ordinal",
    "alpha_interval": "Krippendorff’s alpha, interval",
    "icc_single": "ICC(A,1), absolute agreement of one rating",
    "icc_consistency": "ICC(C,1), consistency of one rating",
    "icc_mean": "ICC(A,k), absolute agreement of the mean",
    "split_half": "Split-half reliability of the scores (range of halves)",
    "pairwise_kappa": "Quadratic kappa of a pair of raters, mean",
    "leave_one_out_kappa": "Human ceiling: quadratic kappa with the others’ majority, mean",
}


def statistics(summary: RatingSummary | ScaleSummary) -> dict[str, Estimate]:
    """The statistics of agreement by their names for readers."""
    if isinstance(summary, ScaleSummary):
        return {_NAMES[key]: value for key, value in summary.agreement.items()}
    counts, whole = summary.agreement.counts, summary.agreement
    found = {
        name: getattr(counts, name)
        for name in ("observed", "fleiss_kappa", "alpha_nominal", "alpha_ordinal")
    }
    found |= {name: getattr(whole, name) for name in ("pairwise_kappa", "leave_one_out_kappa")}
    return {_NAMES[key]: value for key, value in found.items() if value is not None}


def with_and_without(
    whole: RatingSummary | ScaleSummary, without: RatingSummary | ScaleSummary
) -> pd.DataFrame:
    """The results of all raters beside those of the raters who are left."""

    def column(summary: RatingSummary | ScaleSummary) -> list[str]:
        numbers = [summary.raters, sum(summary.answers.values()), *summary.answers.values()]
        found = statistics(summary)
        values = [words.estimate(found.get(name), 3) for name in statistics(whole)]
        return [*(f"{number:,}" for number in numbers), *values]

    kinds = [f"… of them {word}" for word in whole.answers]
    return pd.DataFrame(
        {
            "Result": ["Raters", "Answers at the first showing", *kinds, *statistics(whole)],
            "All raters": column(whole),
            "Without those left out": column(without),
        }
    )


def marks_table(marks: Sequence[Marks]) -> pd.DataFrame:
    """The measures of each rater, and which criteria of the rule are met."""

    def share(value: float | None) -> str:
        return words.NONE if value is None else f"{value:.0%}"

    return pd.DataFrame(
        {
            "Rater": [one.rater for one in marks],
            "Answers": [one.answers for one in marks],
            "Too fast": [share(one.fast) for one in marks],
            "Longest run": [share(one.run) for one in marks],
            "Checks failed": [share(one.checks) for one in marks],
            "Repeats alike": [share(one.repeats) for one in marks],
            "Criteria met": ["; ".join(one.met) or words.NONE for one in marks],
            "Left out": ["yes" if one.excluded else "no" for one in marks],
        }
    )


def sentence(rule: Rule | None, marks: Sequence[Marks], told: str) -> str:
    """Whom the rule leaves out, in one sentence; `told` says where the rule comes from."""
    if rule is None:
        return "No exclusion rule is declared, so nobody is left out."
    out = [one.rater for one in marks if one.excluded]
    who = f"leaves out {len(out)} of {len(marks)} raters ({', '.join(out)})" if out else (
        f"leaves out none of {len(marks)} raters"
    )  # fmt: skip
    return f"The rule “{rule.text}” ({told}) {who}."


def exclusion_section(text: str, marks: Sequence[Marks], beside: pd.DataFrame | None) -> Section:
    """The part of a page on raters who are left out."""
    return section_of(
        "exclusion", "Raters left out", "rating_exclusion", text=text,
        marks=marks_table(marks), beside=beside,
    )  # fmt: skip
