"""The audit on the page: its tables, and what its section shows."""

from collections.abc import Sequence

import pandas as pd

from emorank.evaluation.laboratory.separation import ALL
from emorank.evaluation.laboratory.verdict import Examination, moved, shift
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.report.page import Section, section_of
from emorank.report.sections import audit_figures
from emorank.report.sections.audit_words import explanation, question
from emorank.report.words import NONE, cell, estimate
from emorank.results.audit import Audit

_MARK = {
    "bad": "✗ bad",
    "unknown": "? unknown",
    "weak": "△ weak",
    "fair": "○ fair",
    "good": "✓ good",
}


def section(audit: Audit | None, scores: pd.DataFrame | None) -> Section | None:
    """The section; None if nobody audited the ranks. The scores are those of `audit.parquet`."""
    if audit is None or scores is None:
        return None
    ranks, own = audit.ranks, [one for one in audit.ranks if one.kind != "control"]
    names = [one.rank for one in own]
    sequences = scores["sequence"].notna().any()
    dots = None
    if audit.truth_column and names:
        dots = audit_figures.scores(scores, names, audit.truth_column, audit.truth)
    return section_of(
        "audit",
        "How far the ranks can be believed",
        audit=audit,
        question=question(asked=audit.asked),
        ranks=ranks_table(ranks),
        verdicts=verdicts(ranks, audit.ceiling),
        dots=dots,
        by_emotion=emotions_table(ranks),
        correlations=correlations_table(ranks),
        order=order_table(ranks),
        separation=separation_table(ranks) if ranks and ranks[0].separation else None,
        transitions={
            one.rank: audit_figures.transitions(scores, one.rank)
            for one in own
            if sequences and one.of_levels
        },
        levels=audit_figures.calibration(ranks, audit.truth) if audit.truth else None,
        moves=audit_figures.stability(ranks) if audit.tried else None,
    )


def ranks_table(ranks: Sequence[Examination]) -> pd.DataFrame:
    """One row per rank: the verdict, and the numbers that it rests on."""
    return pd.DataFrame(
        {
            "Rank": f"{one.rank} (control)" if one.kind == "control" else one.rank,
            "Verdict": _MARK[one.verdict.word],
            "Spearman within emotion": _of(one, "spearman_within"),
            "By chance": _chance(one),
            "Kappa with majority": _at(one.levels, "quadratic_kappa"),
            "AUC against neutral": estimate(one.separation.get(ALL)),
            "Moved by": cell(shift(one.changes)),
        }
        for one in ranks
    )


def correlations_table(ranks: Sequence[Examination]) -> pd.DataFrame:
    """The other correlations, and what brightness has to do with it."""
    return pd.DataFrame(
        {
            "Rank": one.rank,
            "Scored": f"{one.scored} of {one.faces}",
            "Spearman overall": _of(one, "spearman"),
            "Kendall within": _of(one, "kendall_within"),
            "Brightness beyond intensity": _at(one.brightness, "score_given_truth"),
            "Intensity beyond brightness": _at(one.brightness, "truth_given_nuisance"),
        }
        for one in ranks
    )


def order_table(ranks: Sequence[Examination]) -> pd.DataFrame:
    """Along sequences and morphs, and how levels err and change."""
    return pd.DataFrame(
        {
            "Rank": one.rank,
            "Frame order": _at(one.sequences, "spearman"),
            "Rising steps": _at(one.sequences, "rising"),
            "Rising in morphs": _at(one.morphs, "rising"),
            "Ranked": _ranked(one),
            "Error in levels": _at(one.levels, "mean_absolute_error"),
            "Levels changed": cell(moved(one.changes)),
            "Calibration error": estimate(one.calibration_error),
        }
        for one in ranks
    )


def emotions_table(ranks: Sequence[Examination]) -> pd.DataFrame:
    """Spearman's rho of each rank within each emotion."""
    rows = []
    for one in ranks:
        main = one.correlations.get(one.truth)
        within = {} if main is None else main.emotions
        rows.append({"Rank": one.rank} | {e.capitalize(): estimate(v) for e, v in within.items()})
    return pd.DataFrame(rows).fillna(NONE)


def separation_table(ranks: Sequence[Examination]) -> pd.DataFrame:
    """The area under the ROC curve of each emotion against neutral faces."""
    return pd.DataFrame(
        {"Rank": one.rank} | {e.capitalize(): estimate(v) for e, v in one.separation.items()}
        for one in ranks
    ).fillna(NONE)


def verdicts(ranks: Sequence[Examination], ceiling: Estimate | None) -> dict[str, str]:
    """Each rank's verdict in words."""
    return {one.rank: f"{one.verdict.word} – {explanation(one, ceiling)}" for one in ranks}


def _of(one: Examination, name: str) -> str:
    main = one.correlations.get(one.truth)
    return NONE if main is None else estimate(getattr(main, name))


def _at(part: object, name: str) -> str:
    """An estimate of a part of the audit that may be missing."""
    return NONE if part is None else estimate(getattr(part, name))


def _ranked(one: Examination) -> str:
    """How many of the rated faces have a level."""
    levels = one.levels
    return NONE if levels is None else f"{levels.count} of {levels.count + levels.abstained}"


def _chance(one: Examination) -> str:
    main = one.correlations.get(one.truth)
    if main is None or main.chance.high is None:
        return NONE
    return f"up to {main.chance.high:.2f}"
