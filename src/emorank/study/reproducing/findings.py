"""The data behind the paper's tables and figures, read from a study when they are needed."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import msgspec
import pandas as pd

from emorank.datasets.table import Card, Dataset
from emorank.errors import EmorankError, StudyError
from emorank.evaluation.rank_scores import RankValidation
from emorank.heatmaps import Pixels
from emorank.report.paper_figures import GalleryFace
from emorank.study.examples import pictures, ranked_faces, raters_said, surest
from emorank.study.folder import Study
from emorank.study.framed_faces import Framed, open_dataset
from emorank.study.run import is_done
from emorank.vocabulary import Emotion


class Findings:
    """The source of the tables and figures: each part is read when it is needed."""

    def __init__(self, study: Study) -> None:
        self.study = study

    @cached_property
    def dataset(self) -> Dataset:
        """The images' data set, opened."""
        return open_dataset(self.study)

    @property
    def plan(self) -> dict[str, Any]:
        """All settings, by table."""
        plan: dict[str, Any] = msgspec.to_builtins(self.study.plan)
        return plan

    @property
    def epochs(self) -> int:
        """How many were trained."""
        return len(self.study.table("training"))

    @property
    def card(self) -> Card:
        """What the authors of the data set say of it."""
        return self.dataset.card

    @property
    def rendered(self) -> bool:
        """Whether the faces are no photographs; not known where the images are gone."""
        try:
            return self.dataset.card.simulated
        except EmorankError:
            return False

    @cached_property
    def faces(self) -> pd.DataFrame:
        """All faces with their parts."""
        return self.study.table("faces").merge(self.study.table("split"), on="image")

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The test images with predictions and ranks."""
        return ranked_faces(self.study)

    @cached_property
    def examples(self) -> pd.DataFrame:
        """For every emotion and rank the surest face."""
        rows = surest(self.study, self.rows, 1)
        if rows.empty:
            raise StudyError("no test image with a rank was named rightly")
        return rows

    @cached_property
    def voted(self) -> bool:
        """Whether raters' votes are there."""
        return is_done(self.study, "validate") and len(self.study.table("votes")) > 0

    @property
    def votes(self) -> pd.DataFrame:
        """The raters' votes.

        Raises:
            StudyError: there are none.
        """
        if not self.voted:
            raise StudyError(
                f"nobody rated; give votes with: emorank validate --study {self.study.folder} "
                "--votes FILE"
            )
        return self.study.table("votes")

    @cached_property
    def ranks(self) -> RankValidation:
        """The ranks against the raters.

        Raises:
            StudyError: there are no votes.
        """
        ranks = self.study.measured().rank
        if self.votes.empty or ranks is None:
            raise StudyError("the ranks are not validated")
        return ranks

    def surest(self, by: tuple[str, ...]) -> pd.DataFrame:
        """The surest of the rightly named test faces, one for each kind."""
        return surest(self.study, self.rows, 1, by)

    def pixels(self, rows: pd.DataFrame) -> Iterator[Pixels]:
        """What the network sees of some faces."""
        framed = Framed(self.study, rows)
        return (framed(number) for number in range(len(rows)))

    def explained(self, rows: pd.DataFrame) -> list[GalleryFace]:
        """Faces with their relevance."""
        said = raters_said(self.study) if self.voted else {}
        return [
            GalleryFace(
                title=row["image"],
                pixels=pixels,
                relevance=relevance,
                emotion=Emotion(row["predicted"]).label,
                rank=None if pd.isna(row["rank"]) else row["rank"],
                counts=[row[f"n_{j}"] for j in range(1, 11)],
                zero=row["zero"],
                raters=said.get(row["image"], ""),
            )
            for (_, row), (pixels, relevance) in zip(
                rows.iterrows(), pictures(self.study, rows), strict=True
            )
        ]
