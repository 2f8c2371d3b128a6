"""A page on what raters said and how well they agreed: one HTML file that needs nothing else."""

from pathlib import Path

import pandas as pd

from emorank.answers.answers_table import RANKS
from emorank.answers.voting import emotion_label
from emorank.evaluation.raters.agreement import CountAgreement
from emorank.evaluation.raters.rating_summary import EmotionSummary, RatingSummary
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.files import replacing
from emorank.report import rating_figures, tables
from emorank.report.page import environment

ALL = "All"


def write(found: RatingSummary | EmotionSummary, path: Path, title: str) -> Path:
    """Render the page and put it at `path`, whole or not at all."""
    page = render(found, title).encode("utf-8", "backslashreplace")
    with replacing(path) as partial:
        partial.write_bytes(page)
    return path


def render(found: RatingSummary | EmotionSummary, title: str) -> str:
    """The page as one HTML document, figures and style in it."""
    name = "ratings" if isinstance(found, RatingSummary) else "emotion_votes"
    return (
        environment()
        .get_template(f"{name}.html.j2")
        .render(
            s=found,
            title=title,
            figures=rating_figures,
            answers=_answers(found) if isinstance(found, RatingSummary) else {},
            estimates=_estimates(found),
            measured=any(
                one.value is not None
                for part in _estimates(found).values()
                for one in part.values()
            ),
            statistics=_statistics(found),
            method=(
                found.agreement if isinstance(found, EmotionSummary) else found.agreement.counts
            ).observed.method,
            outcomes=_outcomes(found) if isinstance(found, RatingSummary) else None,
            emotions=_emotions(found) if isinstance(found, RatingSummary) else None,
            raters=_raters(found) if isinstance(found, RatingSummary) else None,
            label=_label,
        )
    )


def _label(emotion: str | None) -> str:
    return "Unknown" if emotion is None else emotion_label(emotion)


def _answers(found: RatingSummary) -> dict[str, dict[str, int]]:
    parts = {_label(one.emotion): one.answers for one in found.emotions}
    return {ALL: found.answers, **parts}


def _named(counts: CountAgreement) -> dict[str, Estimate]:
    found = {"Fleiss’ kappa": counts.fleiss_kappa, "Alpha, nominal": counts.alpha_nominal}
    return (
        found if counts.alpha_ordinal is None else found | {"Alpha, ordinal": counts.alpha_ordinal}
    )


def _estimates(found: RatingSummary | EmotionSummary) -> dict[str, dict[str, Estimate]]:
    if isinstance(found, EmotionSummary):
        groups = {ALL: found.agreement, **found.groups}
        return {name: _named(counts) for name, counts in groups.items()}
    parts = {ALL: found.agreement} | {_label(one.emotion): one.agreement for one in found.emotions}
    return {
        name: _named(one.counts)
        | {"Pair of raters": one.pairwise_kappa, "Human ceiling": one.leave_one_out_kappa}
        for name, one in parts.items()
    }


def _statistics(found: RatingSummary | EmotionSummary) -> pd.DataFrame:
    """Every statistic over everything, with its interval, and why there is none."""
    counts = found.agreement if isinstance(found, EmotionSummary) else found.agreement.counts
    rows = [
        ("Same answer, share of pairs of votes on a unit", counts.observed),
        ("Fleiss’ kappa", counts.fleiss_kappa),
        ("Krippendorff’s alpha, nominal", counts.alpha_nominal),
    ]
    if counts.alpha_ordinal is not None:
        rows.append(("Krippendorff’s alpha, ordinal", counts.alpha_ordinal))
    if isinstance(found, RatingSummary):
        rows.append(("Quadratic kappa of a pair of raters, mean", found.agreement.pairwise_kappa))
        rows.append(
            (
                "Human ceiling: quadratic kappa of a rater with the others’ majority, mean",
                found.agreement.leave_one_out_kappa,
            )
        )
    table = pd.DataFrame(
        {
            "Statistic": [name for name, _ in rows],
            "Value and 95 % interval": [tables.estimate(value, 3) for _, value in rows],
            "Note": [value.reason for _, value in rows],
        }
    )
    return table if table["Note"].any() else table.drop(columns="Note")


def _outcomes(found: RatingSummary) -> pd.DataFrame:
    columns: dict[str, list[object]] = {
        "Majority": [*RANKS, "No such emotion", "Disputed", "Skips only"]
    }
    for one in found.outcomes:
        name = "Ties to the median" if one.ties == "median" else "Ties disputed"
        ranks: list[object] = [one.ranks[rank] for rank in RANKS]
        columns[name] = [*ranks, one.flagged, one.disputed, one.unvoted]
    table = pd.DataFrame(columns)
    return table if found.outcomes[0].unvoted else table.iloc[:-1]


def _emotions(found: RatingSummary) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Emotion": _label(one.emotion),
                "Images": one.units,
                **one.outcome.ranks,
                "No such emotion": one.outcome.flagged,
                "Tied": one.outcome.tied,
                "Alpha, ordinal": tables.estimate(
                    one.agreement.counts.alpha_ordinal or Estimate(None)
                ),
                "Human ceiling": tables.estimate(one.agreement.leave_one_out_kappa),
            }
            for one in found.emotions
        ]
    )


def _raters(found: RatingSummary) -> pd.DataFrame:
    own = {one.rater: one for one in found.consistency}
    rows = []
    for one in found.agreement.raters:
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
                "Same again": tables.estimate(again.same) if again else tables.NONE,
                "Kappa with self": again.kappa if again else None,
            }
        rows.append(row)
    table = pd.DataFrame(rows)
    floats = [name for name in table.columns if name.startswith(("With", "Kappa"))]
    return table.astype(dict.fromkeys(floats, "float64"))
