"""The paper's rule: Tables 6 to 9 and Figures 13 to 17 of the paper, and its maps and intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emorank.evaluation.rank_scores import (
    METRICS,
    RANKS,
    EmotionRanks,
    RankValidation,
    scores_table,
)
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.report.figures import draw_matrix
from emorank.report.headline import verdict
from emorank.report.page import Section, section_of
from emorank.report.sections.data import by_emotion
from emorank.report.style import RANK_COLOURS, blank, styled
from emorank.report.tables import baseline_row, estimates, floats
from emorank.report.words import capitalised
from emorank.vocabulary import Emotion


@dataclass(frozen=True)
class RuledFace:
    """One face as the paper's rule sees it.

    Attributes:
        image: its id.
        emotion: the predicted emotion (label).
        rank: Minimal, Average or Strong, by the paper's rule.
        figure: PNG or JPEG of maps, channels and the ten intervals, from `figures.explanation`.
    """

    image: str
    emotion: str
    rank: str
    figure: bytes


def section(
    result: RankValidation | None,
    faces: Sequence[RuledFace] = (),
    rank_counts: pd.DataFrame | None = None,
    *,
    simulated: bool,
) -> Section:
    """The validation of the rule, and faces; without votes the section says so.

    `rank_counts` has emotions (labels) as index, ranks as columns, images. Raters may be simulated.
    """
    values: dict[str, Any] = {"result": result, "faces": faces, "simulated": simulated}
    values["rank_counts"] = None if rank_counts is None else by_emotion(rank_counts)
    if result is not None:
        values |= {
            "verdict": verdict(result),
            "overall": overall_table(result),
            "rows": rank_table(result),
            "differs": lambda first, second: first != second,
            "reasons": reasons(result),
            "confusions": rank_confusions(result.emotions),
            "bars": metric_bars(scores_table(result)),
        }
    return section_of("papers-rule", "The paper’s rule", "papers_rule", **values)


def rank_table(result: RankValidation) -> pd.DataFrame:
    """Tables 6–9 in the paper's layout, with the number of images."""
    names = {"f1": "F1", "support": "Images"}
    return scores_table(result).rename(columns=lambda name: names.get(name, name.capitalize()))


def overall_table(result: RankValidation, *, apart: bool = False) -> pd.DataFrame:
    """Conditional, joint and baseline scores with intervals, one row each.

    With `apart` the ends of the intervals are numbers in columns of their own, for a program.
    """
    joint = result.joint
    rows: list[tuple[str, Estimate, int]] = [
        ("Rank accuracy, emotion recognised (conditional)", result.accuracy_over_persons, 0),
        *baseline_row("… always “{}”", result.baseline),
        ("Balanced accuracy", result.balanced_accuracy, 0),
        ("Quadratic-weighted kappa", result.quadratic_kappa, 0),
        ("Mean absolute rank error", result.mean_absolute_error, 0),
        ("Spearman correlation with the mean rating", result.spearman, 0),
        ("Emotion and rank both right (joint)", joint.accuracy_over_persons, 1),
        *((name, e, 1) for name, e, _ in baseline_row("… always “{}”", joint.baseline)),
        ("Emotion right, of the same images", joint.emotion_accuracy, 1),
    ]
    counts = (result.population.conditional, joint.count)
    chosen = [(name, e, counts[which]) for name, e, which in rows]
    table = estimates(chosen)
    if not apart:
        return table
    table.insert(2, "Low", floats(e.low for _, e, _ in chosen))
    table.insert(3, "High", floats(e.high for _, e, _ in chosen))
    return table.drop(columns="Interval")


def reasons(result: RankValidation) -> list[str]:
    """Why the dashes of the table are dashes, one sentence each."""
    return [
        f"{capitalised(e.emotion)}, {s.rank}: {s.reason}"
        for e in result.emotions
        for s in e.scores
        if s.reason
    ]


@styled
def rank_confusions(emotions: Sequence[EmotionRanks]) -> Figure:
    """One 3×3 matrix per emotion, annotated against predicted rank, as figures 15–17."""
    across = min(3, max(1, len(emotions)))
    down = max(1, -(-len(emotions) // across))
    figure = blank(2.7 * across, 2.75 * down)
    for i, ranks in enumerate(emotions):
        axes = figure.add_subplot(down, across, i + 1)
        draw_matrix(axes, np.asarray(ranks.confusion), ["Min", "Avg", "Str"])
        axes.set_title(f"{Emotion(ranks.emotion).label} ({ranks.count})")
        axes.set(xlabel="predicted rank", ylabel="raters" if i % across == 0 else "")
    return figure


@styled
def metric_bars(table: pd.DataFrame) -> Figure:
    """Accuracy, precision, recall and F1 per emotion and rank, as figures 13 and 14.

    The table is that of `scores_table`; undefined values leave a gap with a dash.
    """
    rows = table[table["rank"] != "all"]
    emotions = list(dict.fromkeys(rows["emotion"]))
    figure = blank(7.6, 5.4)
    for i, metric in enumerate(METRICS):
        axes = figure.add_subplot(2, 2, i + 1)
        for k, rank in enumerate(RANKS):
            values = rows[rows["rank"] == rank].set_index("emotion")[metric].reindex(emotions)
            x = np.arange(len(emotions)) + (k - 1) * 0.27
            heights = values.to_numpy(dtype=float)
            axes.bar(x, heights, 0.25, color=RANK_COLOURS[rank], label=rank if i == 0 else None)
            for place in x[np.isnan(heights)]:
                axes.annotate("–", (place, 0), ha="center", va="bottom")
        axes.set_title({"f1": "F1"}.get(metric, metric.capitalize()))
        axes.set_xticks(range(len(emotions)), [name[:8] for name in emotions], rotation=30)
        axes.set_ylim(0, 1.02)
        axes.grid(axis="y")
    figure.legend(loc="outside upper left", ncols=3)
    return figure
