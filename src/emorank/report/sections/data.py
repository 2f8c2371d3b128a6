"""The faces of a study, how they were parted, and which files were left out."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emorank.datasets.leakage import Kind, Leakage
from emorank.report.page import Section, section_of
from emorank.report.style import PALETTE, blank, short, styled
from emorank.vocabulary import Emotion

EXCLUSIONS = 50
"""So many excluded files are on the page; the study folder has all."""

_SHARED: dict[Kind, str] = {
    "person": "a person",
    "sequence": "a sequence",
    "pixels": "near-identical pixels",
}


@dataclass(frozen=True)
class FacesSummary:
    """The faces of a study, and the data set that they are from.

    Attributes:
        name: "KDEF".
        title: its full name.
        citation: how its authors want it cited.
        url: where it is described; shown as a link only if it is http or https.
        persons: None if no person is known.
        distribution: emotions (labels) as index, parts of the split as columns, counts.
        simulated: whether the faces were rendered instead of photographed.
        crop: how faces were cut out, in words.
        assumed: what was assumed of persons, in a sentence.
    """

    name: str
    title: str
    licence: str
    citation: str
    url: str
    images: int
    persons: int | None
    distribution: pd.DataFrame
    simulated: bool = False
    crop: str = ""
    assumed: str = ""


def faces_section(data: FacesSummary) -> Section:
    """The data set, and the number of faces in each part."""
    return section_of(
        "data",
        "Data",
        data=data,
        distribution=_with_totals(data.distribution),
        bars=distribution(data.distribution),
        about={"Licence": data.licence, "Citation": data.citation},
    )


def split_section(method: str, seed: int, leakage: Leakage, network: str = "") -> Section:
    """How the images were parted ("by person"), and what the test and the training part share.

    `network` says in a sentence whose network it is, if it was trained in another study.
    """
    return section_of(
        "split",
        "Split and leakage",
        method=method,
        seed=seed,
        network=network,
        unseen_persons=leakage.person == 0,
        leakage=leakage_table(leakage),
    )


def exclusions_section(excluded: pd.DataFrame) -> Section:
    """Files that were left out: `file`, `reason`."""
    return section_of("exclusions", "Exclusions", excluded=excluded, most=EXCLUSIONS)


def leakage_table(leakage: Leakage) -> pd.DataFrame:
    """A row for each thing that test images may share with training images."""
    return pd.DataFrame(
        {
            "test images that share with the training part": words,
            "images": "not known" if number is None else number,
            "of": leakage.test,
            "share": leakage.fractions[kind],
        }
        for kind, words in _SHARED.items()
        for number in [getattr(leakage, kind)]
    )


@styled
def distribution(table: pd.DataFrame) -> Figure:
    """Images per emotion (the index), stacked by part of the split (the columns)."""
    figure = blank(5.4, 0.36 * len(table) + 1.1)
    axes = figure.add_subplot()
    start = np.zeros(len(table))
    places = np.arange(len(table))
    for i, part in enumerate(table.columns):
        values = table[part].to_numpy(dtype=float)
        axes.barh(places, values, left=start, color=PALETTE[i % len(PALETTE)], label=str(part))
        start += values
    for place, total in zip(places, start, strict=True):
        axes.annotate(f" {total:,.0f}", (total, place), va="center")
    axes.set_yticks(places, [short(str(name), 24) for name in table.index])
    axes.invert_yaxis()
    axes.set_xlabel("images")
    axes.margins(x=0.1)
    axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside upper left", ncols=max(1, len(table.columns)))
    return figure


def by_emotion(table: pd.DataFrame) -> pd.DataFrame:
    """Emotions from the index into a first column, headers capitalised."""
    named = table.rename_axis("Emotion").reset_index()
    return named.rename(columns=lambda name: str(name)[:1].upper() + str(name)[1:])


def labelled(counts: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Counts per emotion with every column, the emotions in their order and as labels."""
    order = [emotion for emotion in Emotion if emotion in counts.index]
    counts = counts.reindex(index=order, columns=columns, fill_value=0)
    counts.index = pd.Index([emotion.label for emotion in order])
    return counts


def _with_totals(counts: pd.DataFrame) -> pd.DataFrame:
    table = counts.assign(total=counts.sum(axis=1))
    table.loc["Total"] = table.sum(axis=0)
    return by_emotion(table.astype("int64"))
