"""The report: one HTML file that needs nothing else, to read, print and pass on."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from emorank.evaluation.classification import Classification
from emorank.evaluation.group_tests import LEAST_PERSONS
from emorank.evaluation.rank_scores import RankValidation
from emorank.files import replacing
from emorank.report import audit as audited
from emorank.report import (
    audit_figures,
    faithfulness,
    faithfulness_figures,
    figures,
    learnt,
    style,
    tables,
)
from emorank.report import groups as by_group
from emorank.report.faithfulness import Faithfulness
from emorank.report.headline import verdict
from emorank.report.learnt import Learnt
from emorank.results.groups import GroupResults

if TYPE_CHECKING:
    from emorank.report.comparison import Comparison

EXCLUSIONS_SHOWN = 50
SHEET_SHOWN = 12


@dataclass(frozen=True)
class Data:
    """The faces of the study.

    Attributes:
        name: of the data set, "KDEF".
        title: its full name.
        licence: in words.
        citation: how its authors want it cited.
        url: where it is described; shown as a link only if it is http or https.
        images: faces used.
        persons: None if no person is known.
        distribution: emotions (labels) as index, parts of the split as columns, counts.
        simulated: whether the faces were rendered instead of photographed.
        crop: how faces were cut out, in words.
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


@dataclass(frozen=True)
class Split:
    """How the images were parted, and what the parts share.

    Attributes:
        method: in words, "by person".
        seed: of the split.
        unseen_persons: whether no test person is in the training part.
        leakage: any columns; one row for each thing that test images may share with training
            images.
    """

    method: str
    seed: int | None
    unseen_persons: bool
    leakage: pd.DataFrame


@dataclass(frozen=True)
class Votes:
    """What the raters said.

    Attributes:
        raters: how many.
        votes: how many.
        ties: the tie policy, in words.
        tied: images whose raters tied.
        sheet: Table 5's sheet, from `annotations.sheet`.
        simulated: whether the raters were simulated.
    """

    raters: int
    votes: int
    ties: str
    tied: int
    sheet: pd.DataFrame
    simulated: bool = False


@dataclass(frozen=True)
class Example:
    """One face with its heatmap.

    Attributes:
        image: its id.
        emotion: the predicted emotion (label).
        rank: Minimal, Average or Strong.
        probability: of that emotion.
        strip: JPEG of image, overlay and heatmap, from `heatmaps.strip`.
        figure: PNG or JPEG of the whole explanation, from `figures.explanation`; None for none.
        note: anything else to say, "raters: Strong".
    """

    image: str
    emotion: str
    rank: str
    probability: float
    strip: bytes
    figure: bytes | None = None
    note: str = ""


@dataclass(frozen=True)
class Contents:
    """Everything that the report shows.

    Attributes:
        title: of the study.
        created: date in words; given, so that the same study makes the same page.
        headline: the lines of results, from `headline.headline`.
        data: the faces.
        split: the parts.
        plan: settings by name; a mapping as value becomes a group of its own.
        training: the training table; None if nothing was trained.
        emotions: the emotion test.
        examples: faces for the grid, at best one for every emotion and rank.
        rank_counts: emotions (labels) as index, ranks as columns, images; None to leave it out.
        ranks: ranks against raters; None without votes.
        votes: None without votes.
        audit: how far the ranks can be believed; None if nobody asked.
        groups: results by group of persons; None if they were not asked for.
        learnt: the ranks learnt from ratings; None if there is none.
        known_intensity: `intensity` in [0, 1] and `rank` of test images whose intensity is known.
        exclusions: `file`, `reason`.
        versions: program or library → version.
        hashes: what → SHA-256 or other digest.
        cite: references, one each.
        faithfulness: of the explanations; None if it was not measured.
        comparison: other estimators on the same faces; None where nobody compared.
        network: whose network it is, in a sentence, if it was trained in another study.
    """

    title: str
    created: str
    headline: tuple[str, ...]
    data: Data
    split: Split
    plan: Mapping[str, object]
    emotions: Classification
    training: pd.DataFrame | None = None
    examples: tuple[Example, ...] = ()
    rank_counts: pd.DataFrame | None = None
    ranks: RankValidation | None = None
    votes: Votes | None = None
    audit: audited.Section | None = None
    groups: GroupResults | None = None
    learnt: Learnt | None = None
    known_intensity: pd.DataFrame | None = None
    exclusions: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame({"file": [], "reason": []}, dtype="string")
    )
    versions: Mapping[str, str] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    cite: tuple[str, ...] = ()
    faithfulness: Faithfulness | None = None
    comparison: "Comparison | None" = None
    network: str = ""


def write(contents: Contents, path: Path | str) -> Path:
    """Render the report and put it at `path`, whole or not at all.

    Missing folders are made. Returns the path.

    Raises:
        OSError: the file cannot be written; an earlier report is still there.
    """
    path = Path(path)
    page = render(contents).encode("utf-8", "backslashreplace")
    with replacing(path) as partial:
        partial.write_bytes(page)
    return path


def render(contents: Contents) -> str:
    """The report as one HTML document, figures and style in it."""
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            c=contents,
            figures=figures,
            audited=audited,
            audit_figures=audit_figures,
            tables=tables,
            faithfulness=faithfulness,
            faithfulness_figures=faithfulness_figures,
            verdict=verdict,
            groups=contents.groups,
            learnt=learnt,
            by_group=by_group,
            least=LEAST_PERSONS,
            distribution=_with_totals(contents.data.distribution),
            rank_counts=None if contents.rank_counts is None else _named(contents.rank_counts),
            grid=_grid(contents.examples),
            exclusions_shown=EXCLUSIONS_SHOWN,
            sheet_shown=SHEET_SHOWN,
            simulated=contents.data.simulated or bool(contents.votes and contents.votes.simulated),
            differs=lambda a, b: a != b,
        )
    )


def environment() -> Environment:
    """Templates that escape everything, and the filters that they use."""
    made = Environment(
        loader=PackageLoader("emorank.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "picture": _picture,
        "table": tables.html,
        "pairs": tables.pairs,
        "estimate": tables.estimate,
        "emotion": tables.emotion_label,
        "clean": tables.text,
    }
    return made


def _picture(figure: Figure | bytes, alt: str) -> Markup:
    """An <img> with the picture in it; a matplotlib figure or the bytes of a PNG or JPEG."""
    data = figure if isinstance(figure, bytes) else style.png(figure)
    kind = "png" if data.startswith(b"\x89PNG") else "jpeg"
    code = base64.b64encode(data).decode("ascii")
    return Markup('<img alt="{}" src="data:image/{};base64,{}">').format(
        tables.text(alt), kind, code
    )


def _grid(examples: tuple[Example, ...]) -> dict[str, list[Example]]:
    """Examples by emotion, in the order given."""
    grid: dict[str, list[Example]] = {}
    for example in examples:
        grid.setdefault(example.emotion, []).append(example)
    return grid


def _with_totals(distribution: pd.DataFrame) -> pd.DataFrame:
    table = distribution.assign(total=distribution.sum(axis=1))
    table.loc["Total"] = table.sum(axis=0)
    return _named(table.astype("int64"))


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """Emotions from the index into a first column, headers capitalised."""
    named = table.rename_axis("Emotion").reset_index()
    return named.rename(columns=lambda name: str(name)[:1].upper() + str(name)[1:])
