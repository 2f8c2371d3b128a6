"""One function per numbered table or figure of the paper, in its order."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from emorank.answers.voting import sheet
from emorank.datasets.inspect import TABLE_2
from emorank.datasets.splits import PARTS
from emorank.datasets.table import Card
from emorank.errors import StudyError
from emorank.evaluation.rank_scores import RankValidation, scores_table
from emorank.evaluation.statistics.uncertainty import FEW
from emorank.heatmaps import Pixels
from emorank.report import paper_figures, paper_tables
from emorank.report.paper_figures import GalleryFace
from emorank.report.sections import papers_rule as rank_tables
from emorank.report.sections.data import distribution, labelled
from emorank.report.words import estimate
from emorank.vocabulary import Emotion, Rank

_PLACE = {str(emotion): place for place, emotion in enumerate(Emotion)}
SAMPLES, PAIRS = 4, 6  # rows of figures 6 and 7; faces of figures 10 to 12


class PaperSource(Protocol):
    """A study, as the tables and figures need it; each raises a `StudyError` for what it lacks."""

    @property
    def plan(self) -> Mapping[str, Any]:
        """All settings, by table."""

    @property
    def epochs(self) -> int:
        """How many were trained."""

    @property
    def card(self) -> Card:
        """What the authors of the data set say of it."""

    @property
    def faces(self) -> pd.DataFrame:
        """`faces.parquet`, with the `part` of each face."""

    @property
    def examples(self) -> pd.DataFrame:
        """Of each emotion and rank the surest of the rightly named test faces."""

    @property
    def votes(self) -> pd.DataFrame:
        """`image`, `rater`, `rank`."""

    @property
    def ranks(self) -> RankValidation:
        """The ranks against the raters."""

    def surest(self, by: tuple[str, ...]) -> pd.DataFrame:
        """The surest of the rightly named test faces, one for each kind."""

    def explained(self, rows: pd.DataFrame) -> Sequence[GalleryFace]:
        """Faces with their relevance."""

    def pixels(self, rows: pd.DataFrame) -> Iterator[Pixels]:
        """What the network sees of some faces."""


Made = dict[str, Any]  # `content`, and what else of `report.paper.Item` there is to say
Maker = Callable[[PaperSource], Made]


@dataclass(frozen=True)
class PaperEntry:
    """What is made: the name of its files, its number and caption, the stage it needs."""

    name: str
    number: str
    title: str
    stage: str
    make: Maker


ENTRIES: list[PaperEntry] = []


def _entry(name: str, number: str, title: str, stage: str) -> Callable[[Maker], Maker]:
    def enter(make: Maker) -> Maker:
        ENTRIES.append(PaperEntry(name, number, title, stage, make))
        return make

    return enter


@_entry("table_1", "Table 1", "Settings of the training", "train")
def _table_1(source: PaperSource) -> Made:
    return {"content": paper_tables.hyperparameters(source.plan, source.epochs)}


@_entry("table_2", "Table 2", "Images per expressed emotion", "prepare")
def _table_2(source: PaperSource) -> Made:
    card = source.card
    printed = TABLE_2.get(card.name)
    note = f"{card.title}. Without images that could not be used."
    if printed is not None and Emotion.NEUTRAL in printed:
        note += " The paper's column of contempt holds neutral faces."
    return {"content": paper_tables.counts(source.faces, card.counts, printed), "note": note}


@_entry("figure_6-7", "Figures 6 and 7", "Faces, as the network sees them", "prepare")
def _figure_6(source: PaperSource) -> Made:
    faces = source.faces
    if faces["person"].notna().any():
        several = faces.groupby("person")["emotion"].nunique().nlargest(SAMPLES).index
        known = faces[faces["person"].isin(several)]
        known = known.sort_values(["intensity", "frame", "image"], na_position="first")
        chosen = known.groupby(["emotion", "person"]).tail(1).sort_values("person")
        note = "A row is a person, at the peak of each expression as far as it is known."
    else:
        chosen = faces.sort_values("digest").groupby("emotion").head(SAMPLES)
        note = "Drawn by lot."
    chosen = chosen.sort_values("emotion", key=lambda words: words.map(_PLACE), kind="stable")
    columns: dict[str, list[Pixels]] = {}
    for word, pixels in zip(chosen["emotion"], source.pixels(chosen), strict=True):
        columns.setdefault(Emotion(word).label, []).append(pixels)
    return {"content": paper_figures.samples(columns), "note": note, "photographs": True}


@_entry("figure_8", "Figure 8", "Images per expressed emotion and part", "prepare")
def _figure_8(source: PaperSource) -> Made:
    counts = pd.crosstab(source.faces["emotion"], source.faces["part"])
    return {"content": distribution(labelled(counts, PARTS))}


@_entry("figure_9", "Figure 9", "Heatmaps of some faces", "rank")
def _figure_9(source: PaperSource) -> Made:
    rows = source.surest(("predicted",))
    if rows.empty:
        raise StudyError("no test image was named rightly")
    return {
        "content": paper_figures.gallery(source.explained(rows)),
        "note": "Of each emotion the surest of the rightly named test images; red speaks for the "
        "emotion, blue against it. Every face has a scale of its own.",
        "photographs": True,
    }


@_entry("figure_10-12", "Figures 10 to 12", "Relevance by colour channel and interval", "rank")
def _figure_10(source: PaperSource) -> Made:
    faces = source.explained(spread(source.examples, PAIRS))
    return {"content": paper_figures.channels(faces), "photographs": True}


@_entry("table_3-4", "Tables 3 and 4", "Relevance by interval, and the rank that follows", "rank")
def _table_3(source: PaperSource) -> Made:
    rule = source.plan["rank"]["rule"]
    table = paper_tables.intervals(source.examples, rule)
    note = (
        "Of each emotion and rank the surest of the rightly named test images. The maximum lies in "
        f"no interval. Relevance by the preset {source.plan['explain']['preset']}."
    )
    return {"content": table, "shown": paper_tables.intervals_shown(table, rule), "note": note}


@_entry("table_5", "Table 5", "The raters' sheet", "validate")
def _table_5(source: PaperSource) -> Made:
    whole = sheet(source.votes, source.plan["validate"]["ties"])
    chosen = paper_tables.few(whole, source.examples["image"])
    note = f"{len(chosen)} of {len(whole):,} images; the CSV has all."
    return {"content": whole, "shown": paper_tables.sheet_shown(chosen), "note": note}


@_entry("table_6-9", "Tables 6 to 9", "Scores by emotion and rank", "validate")
def _table_6(source: PaperSource) -> Made:
    ranks = source.ranks
    shown = estimate(ranks.accuracy_over_persons)
    joint = estimate(ranks.joint.accuracy_over_persons)
    note = (
        f"As in the paper, on recognised test images only ({ranks.population.conditional}): there "
        f"the rank is right in {shown}. With wrong emotions counted as wrong ({ranks.joint.count} "
        f"images) {joint}."
    )
    if ranks.baseline is not None:
        note += f" Always {ranks.baseline.label}: {estimate(ranks.baseline.accuracy)}."
    return {"content": rank_tables.rank_table(ranks), "note": f"{note} {_persons(source)}"}


@_entry("table_6-9_overall", "beside Tables 6 to 9", "Scores over all emotions", "validate")
def _overall(source: PaperSource) -> Made:
    whole, shown = (rank_tables.overall_table(source.ranks, apart=apart) for apart in (True, False))
    return {"content": whole, "shown": shown, "note": _persons(source)}


@_entry("figure_13-14", "Figures 13 and 14", "The four scores by emotion and rank", "validate")
def _figure_13(source: PaperSource) -> Made:
    bars = rank_tables.metric_bars(scores_table(source.ranks))
    return {"content": bars, "note": _persons(source)}


@_entry("figure_15-17", "Figures 15 to 17", "Raters' and predicted ranks, by emotion", "validate")
def _figure_15(source: PaperSource) -> Made:
    note = f"{source.ranks.population.conditional} test images whose emotion was recognised."
    return {"content": rank_tables.rank_confusions(source.ranks.emotions), "note": note}


def _persons(source: PaperSource) -> str:
    """Over how many persons the intervals are, and whether they are few."""
    faces = source.faces
    number = faces.loc[faces["part"] == "test", "person"].nunique()
    if not number:
        return "Persons are not known, and the intervals are over images."
    return f"{number} test persons" + (", so the intervals are rough." if number < FEW else ".")


def spread(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    """Rows of all ranks in turn, of as many emotions as can be."""
    left = rows
    chosen: list[Any] = []
    seen: set[str] = set()
    while len(chosen) < most and len(left):
        for rank in Rank:
            here = left[left["rank"] == rank.label]
            if here.empty or len(chosen) == most:
                continue
            fresh = here[~here["predicted"].isin(seen)]
            place = (fresh if len(fresh) else here).index[0]
            chosen.append(place)
            seen.add(rows.loc[place, "predicted"])
            left = left.drop(index=place)
    return rows.loc[sorted(chosen)]
