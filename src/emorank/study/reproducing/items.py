"""One function per numbered table or figure of the paper, in its order."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import pandas as pd

from emorank.answers.voting import sheet
from emorank.datasets.inspect import TABLE_2
from emorank.errors import StudyError
from emorank.evaluation.rank_scores import scores_table
from emorank.report import figures, paper_figures, paper_tables, tables
from emorank.study.described import PARTS, labelled
from emorank.study.examples import ORDER, surest
from emorank.study.framing import Framed
from emorank.study.reproducing.findings import Findings, spread
from emorank.vocabulary import Emotion

SAMPLES, PAIRS = 4, 6  # rows of figures 6 and 7; faces of figures 10 to 12

Made = dict[str, Any]  # `content`, and what else of `report.paper.Item` there is to say
Maker = Callable[[Findings], Made]


@dataclass(frozen=True)
class Entry:
    """What is made: the name of its files, its number and caption, the stage it needs."""

    name: str
    number: str
    title: str
    stage: str
    make: Maker


ENTRIES: list[Entry] = []


def _entry(name: str, number: str, title: str, stage: str) -> Callable[[Maker], Maker]:
    def enter(make: Maker) -> Maker:
        ENTRIES.append(Entry(name, number, title, stage, make))
        return make

    return enter


@_entry("table_1", "Table 1", "Settings of the training", "train")
def _table_1(found: Findings) -> Made:
    plan = msgspec.to_builtins(found.study.plan)
    return {"content": paper_tables.hyperparameters(plan, len(found.study.table("training")))}


@_entry("table_2", "Table 2", "Images per expressed emotion", "prepare")
def _table_2(found: Findings) -> Made:
    card = found.dataset.card
    printed = TABLE_2.get(card.name)
    note = f"{card.title}. Without images that could not be used."
    if printed is not None and Emotion.NEUTRAL in printed:
        note += " The paper's column of contempt holds neutral faces."
    return {"content": paper_tables.counts(found.faces, card.counts, printed), "note": note}


@_entry("figure_6-7", "Figures 6 and 7", "Faces, as the network sees them", "prepare")
def _figure_6(found: Findings) -> Made:
    faces = found.faces
    if faces["person"].notna().any():
        several = faces.groupby("person")["emotion"].nunique().nlargest(SAMPLES).index
        known = faces[faces["person"].isin(several)]
        known = known.sort_values(["intensity", "frame", "image"], na_position="first")
        chosen = known.groupby(["emotion", "person"]).tail(1).sort_values("person")
        note = "A row is a person, at the peak of each expression as far as it is known."
    else:
        chosen = faces.sort_values("digest").groupby("emotion").head(SAMPLES)
        note = "Drawn by lot."
    chosen = chosen.sort_values("emotion", key=lambda words: words.map(ORDER), kind="stable")
    framed = Framed(found.study, chosen)
    columns: dict[str, list[Any]] = {}
    for number, word in enumerate(chosen["emotion"]):
        columns.setdefault(Emotion(word).label, []).append(framed(number))
    return {"content": paper_figures.samples(columns), "note": note, "photographs": True}


@_entry("figure_8", "Figure 8", "Images per expressed emotion and part", "prepare")
def _figure_8(found: Findings) -> Made:
    counts = pd.crosstab(found.faces["emotion"], found.faces["part"])
    return {"content": figures.distribution(labelled(counts, PARTS))}


@_entry("figure_9", "Figure 9", "Heatmaps of some faces", "rank")
def _figure_9(found: Findings) -> Made:
    rows = surest(found.study, found.rows, 1, by=("predicted",))
    if rows.empty:
        raise StudyError("no test image was named rightly")
    return {
        "content": paper_figures.gallery(found.explained(rows)),
        "note": "Of each emotion the surest of the rightly named test images; red speaks for the "
        "emotion, blue against it. Every face has a scale of its own.",
        "photographs": True,
    }


@_entry(
    "figure_10-12",
    "Figures 10 to 12",
    "Relevance by colour channel and interval",
    "rank",
)
def _figure_10(found: Findings) -> Made:
    faces = found.explained(spread(found.examples, PAIRS))
    return {"content": paper_figures.channels(faces), "photographs": True}


@_entry("table_3-4", "Tables 3 and 4", "Relevance by interval, and the rank that follows", "rank")
def _table_3(found: Findings) -> Made:
    rule = found.study.plan.rank.rule
    table = paper_tables.intervals(found.examples, rule)
    note = (
        "Of each emotion and rank the surest of the rightly named test images. The maximum lies in "
        f"no interval. Relevance by the preset {found.study.plan.explain.preset}."
    )
    return {"content": table, "shown": paper_tables.intervals_shown(table, rule), "note": note}


@_entry("table_5", "Table 5", "The raters' sheet", "validate")
def _table_5(found: Findings) -> Made:
    found.need_votes()
    votes = found.study.table("votes")
    whole = sheet(votes, found.study.plan.validate.ties)
    chosen = paper_tables.few(whole, found.examples["image"])
    note = f"{len(chosen)} of {len(whole):,} images; the CSV has all."
    return {"content": whole, "shown": paper_tables.sheet_shown(chosen), "note": note}


@_entry("table_6-9", "Tables 6 to 9", "Scores by emotion and rank", "validate")
def _table_6(found: Findings) -> Made:
    ranks = found.ranks
    shown = tables.estimate(ranks.accuracy_over_persons)
    joint = tables.estimate(ranks.joint.accuracy_over_persons)
    note = (
        f"As in the paper, on recognised test images only ({ranks.population.conditional}): there "
        f"the rank is right in {shown}. With wrong emotions counted as wrong ({ranks.joint.count} "
        f"images) {joint}."
    )
    if ranks.baseline is not None:
        note += f" Always {ranks.baseline.label}: {tables.estimate(ranks.baseline.accuracy)}."
    return {"content": tables.rank_table(ranks), "note": f"{note} {found.persons()}"}


@_entry("table_6-9_overall", "beside Tables 6 to 9", "Scores over all emotions", "validate")
def _overall(found: Findings) -> Made:
    whole, shown = (tables.overall_table(found.ranks, apart=apart) for apart in (True, False))
    return {"content": whole, "shown": shown, "note": found.persons()}


@_entry("figure_13-14", "Figures 13 and 14", "The four scores by emotion and rank", "validate")
def _figure_13(found: Findings) -> Made:
    return {"content": figures.metric_bars(scores_table(found.ranks)), "note": found.persons()}


@_entry("figure_15-17", "Figures 15 to 17", "Raters' and predicted ranks, by emotion", "validate")
def _figure_15(found: Findings) -> Made:
    note = f"{found.ranks.population.conditional} test images whose emotion was recognised."
    return {"content": figures.rank_confusions(found.ranks.emotions), "note": note}
