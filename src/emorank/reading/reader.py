"""How a photograph becomes a row: framed, measured once, ranked by every rank that is asked."""

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float32

from emorank.errors import PlanError
from emorank.framing import BOX, Picture, View, Views
from emorank.heatmaps import strip
from emorank.ranking.relevance_features import region_shares
from emorank.reading.emotion_network import EmotionNetwork
from emorank.reading.measured import Measured, Pixels
from emorank.reading.stream import Stream
from emorank.vocabulary import LEVELS, Emotion

Rank = Callable[[Measured], pd.DataFrame]
"""A function of `ranks.RANKS` with its setting in place."""
BATCH = 16
"""Faces at a time where no relevance of pixels has to fit into memory."""
TIMES_ON_GPU = 8
"""So many times as many faces at a time fill a GPU."""


@dataclass(frozen=True, eq=False)
class RankedFace:
    """One face of an image; a notebook shows it with its heatmap.

    Attributes:
        pixels: what the network saw.
        row: `image`, `face`, `box_…` where a face was sought; `predicted`, `p_EMOTION` of each
            emotion, `logit`; `expressed`, the emotion that is ranked, `expressed_p`,
            `expressed_logit`; `rank`, a word of `LEVELS` or None where the rank abstains,
            `abstained`, `score`, and the rank's own numbers. Of further ranks the same from `rank`
            on, each name after NAME_.
        relevance: of each pixel and channel for `expressed`, as computed; None where no rank
            needs it.
        heatmap: of each pixel and channel for `expressed` and against neutral, by the network's
            preset for people; None where nobody asked for it.
        logits: of the network's classes; of several crops the mean.
        frame: how wide the frame of the aligned face is, in usual crops; None where it is not
            aligned.
    """

    pixels: Pixels
    row: dict[str, Any]
    relevance: Float32[np.ndarray, "3 side side"] | None = None
    heatmap: Float32[np.ndarray, "3 side side"] | None = None
    frame: float | None = None
    logits: Float32[np.ndarray, " classes"] | None = None

    @property
    def sentence(self) -> str:
        """What is said of the face: "photo.jpg, face 1: happy 0.99, Strong (contrast 8.31)"."""
        row = self.row
        named = f"{row['predicted']} {row['p_' + row['predicted']]:.2f}"
        if row["expressed"] != row["predicted"]:
            named += f"; {row['expressed']} {row['expressed_p']:.2f}"
        score = f"{row['score']:.2f}".replace("-", "−")
        return f"{row['image']}, face {row['face']}: {named}, {row['rank'] or 'unsure'} ({score})"

    @property
    def regions(self) -> dict[str, float]:
        """The share of each region of the face in what speaks for the expression, 0 to 1.

        Regions may overlap. Empty without a heatmap, and where the face is not aligned.
        """
        if self.heatmap is None or self.frame is None:
            return {}
        return region_shares(self.heatmap, self.frame)

    def _repr_html_(self) -> str:
        relevance = self.relevance if self.heatmap is None else self.heatmap
        if relevance is None:
            relevance = np.zeros((3, *self.pixels.shape[:2]), np.float32)
        picture = base64.b64encode(strip(self.pixels, relevance)).decode()
        return (
            f'<figure style="margin:0"><img alt="face and heatmap" height="168" '
            f'src="data:image/jpeg;base64,{picture}"><figcaption>{escape(self.sentence)}'
            "</figcaption></figure>"
        )


@dataclass(frozen=True)
class Reader:
    """A network and some of its ranks, ready for any faces.

    Attributes:
        ranks: by their names; the first one's columns have no prefix.
        emotion: the one to rank in every face; None for the one that is expressed.
        neutral: rank and explain neutral too where it is named, as heatmaps do.
        heatmaps: give each face the relevance that people look at.
        crops: of each face, whose logits are averaged: 1 or 3.
    """

    network: EmotionNetwork
    ranks: Mapping[str, Rank]
    emotion: Emotion | None = None
    neutral: bool = False
    heatmaps: bool = False
    crops: int = 1

    @property
    def batch(self) -> int:
        """Faces at a time: relevance at the pixels takes much memory."""
        most = self.network.batch if self.heatmaps or "paper" in self.ranks else BATCH
        return most * (TIMES_ON_GPU if self.network.device.type == "cuda" else 1)

    def read(
        self,
        images: Picture | Iterable[Picture],
        *,
        crop: str | None = None,
        nearest: bool = False,
        strict: bool = False,
        names: Iterable[str] | None = None,
    ) -> Stream[RankedFace]:
        """Rank every face in images.

        Args:
            images: pictures in any form of `given_pictures`, or framed faces (`framing.View`);
                one, or any number of them. What has no name is called by its place, from 0.
            crop: "face" or "none"; None for the framing of the network's training.
            nearest: only the nearest face of an image instead of every one.
            strict: raise at the first image that cannot be used.
            names: of the images, where they have none of their own.

        Raises:
            ImageError: an image cannot be used, if `strict`.
        """
        views = self.views(images, crop=crop, nearest=nearest, strict=strict, names=names)
        return Stream(views, self.batch, partial(self.rank, crop=crop))

    def views(
        self,
        images: Picture | Iterable[Picture],
        *,
        crop: str | None = None,
        nearest: bool = False,
        strict: bool = False,
        names: Iterable[str] | None = None,
    ) -> Views:
        """The same images as the network sees them, not yet ranked.

        Raises:
            PlanError: several crops of faces that are not aligned.
        """
        crop = crop or self.network.crop
        if self.crops > 1 and crop != "face":
            raise PlanError(f"{self.crops} crops go with faces that are aligned (crop = 'face')")
        return Views(
            images,
            self.network.size,
            crop,
            nearest=nearest,
            strict=strict,
            names=names,
            width=self.network.width,
            crops=self.crops,
        )

    def measure(
        self, pixels: Sequence[Pixels], others: Sequence[Sequence[Pixels]] = ()
    ) -> Measured:
        """A batch of framed faces, ready to be ranked; `others` are their other crops."""
        return Measured(self.network, pixels, self.emotion, self.neutral, others=others)

    def levels(self, pixels: Sequence[Pixels]) -> pd.DataFrame:
        """A row for each framed face: the emotions, and what the first rank says of them.

        As `RankedFace.row`, but with `level`, a place in `LEVELS` (<NA>: abstains), for the word.
        """
        rank = next(iter(self.ranks.values()))
        parts = []
        for start in range(0, len(pixels), self.batch):
            measured = self.measure(pixels[start : start + self.batch])
            said = rank(measured)  # before the table: a rank's pass through the network has logits
            parts.append(pd.concat([measured.table, said], axis=1))
        return pd.concat(parts, ignore_index=True)

    def rank(self, views: list[View], crop: str | None = None) -> Iterator[RankedFace]:
        """The records of a batch of framed faces, by all ranks; the faces are measured once.

        `crop` says how they were framed; None for the framing of the network's training.
        """
        others = [view.others for view in views] if self.crops > 1 else ()
        return self.rank_measured(
            views, self.measure([view.pixels for view in views], others), crop
        )

    def rank_measured(
        self, views: Sequence[View], measured: Measured, crop: str | None = None
    ) -> Iterator[RankedFace]:
        """The same of faces that `measure` has measured, or will when a rank asks."""
        frame = self.network.width if (crop or self.network.crop) == "face" else None
        tables = [
            in_words(rank(measured)).add_prefix(f"{name}_" if number else "")
            for number, (name, rank) in enumerate(self.ranks.items())
        ]
        rows = pd.concat([measured.table, *tables], axis=1).to_dict("records")
        nothing = [None] * len(views)
        maps = vars(measured).get("relevance", nothing)
        heatmaps = measured.heatmap if self.heatmaps else nothing
        parts = zip(views, rows, maps, heatmaps, measured.logits, strict=True)
        for view, row, relevance, heatmap, logits in parts:
            values = {str(key): None if value is pd.NA else value for key, value in row.items()}
            yield RankedFace(
                view.pixels, view_row(view) | values, relevance, heatmap, frame, logits
            )


def in_words(table: pd.DataFrame) -> pd.DataFrame:
    """The table with two columns in the place of `level`.

    They are `rank`, the level as a word, <NA> where there is none; and whether it `abstained`.
    """
    level, columns = table["level"], {str(name): table[name] for name in table}
    missing = level.isna()
    words = [None if no else LEVELS[int(k)] for k, no in zip(level, missing, strict=True)]
    said = {
        "rank": pd.Series(words, index=table.index, dtype="string"), "abstained": missing
    }  # fmt: skip
    names = list(columns)
    before, after = names[: names.index("level")], names[names.index("level") + 1 :]
    parts = [{name: columns[name] for name in some} for some in (before, after)]
    return pd.DataFrame(parts[0] | said | parts[1])


def view_row(view: View) -> dict[str, Any]:
    """Which image and face it is, and where in the image: the first columns of a row."""
    box = () if view.box is None else (round(float(v), 1) for v in view.box)
    return {"image": str(view.image), "face": view.number} | dict(zip(BOX, box, strict=False))
