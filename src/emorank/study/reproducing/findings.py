"""What the paper's tables and figures are made from, read from a study when asked for."""

from functools import cached_property
from typing import Any

import pandas as pd

from emorank.datasets.table import Dataset
from emorank.errors import EmorankError, StudyError
from emorank.evaluation.rank_scores import RankValidation
from emorank.report.paper_figures import Face
from emorank.study.examples import pictures, ranked_faces, raters_said, surest
from emorank.study.folder import Study
from emorank.study.framing import open_dataset
from emorank.study.run import is_done
from emorank.vocabulary import Emotion, Rank


class Findings:
    """What the tables and figures are made from, read when asked for."""

    def __init__(self, study: Study) -> None:
        self.study = study

    @cached_property
    def dataset(self) -> Dataset:
        """The images' data set, opened."""
        return open_dataset(self.study)

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
        found = surest(self.study, self.rows, 1)
        if found.empty:
            raise StudyError("no test image with a rank was named rightly")
        return found

    @cached_property
    def voted(self) -> bool:
        """Whether raters' votes are there."""
        return is_done(self.study, "validate") and len(self.study.table("votes")) > 0

    @cached_property
    def ranks(self) -> RankValidation:
        """The ranks against the raters."""
        self.need_votes()
        ranks = self.study.measured().rank
        if ranks is None:
            raise StudyError("the ranks are not validated")
        return ranks

    def explained(self, rows: pd.DataFrame) -> list[Face]:
        """Faces with their relevance."""
        said = raters_said(self.study) if self.voted else {}
        return [
            Face(
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

    def need_votes(self) -> None:
        """Refuse where nobody rated.

        Raises:
            StudyError: there are no votes.
        """
        if not self.voted:
            raise StudyError(
                f"nobody rated; give votes with: emorank validate --study {self.study.folder} "
                "--votes FILE"
            )

    def persons(self) -> str:
        """Over how many persons the intervals are, and whether they are few."""
        number = self.faces.loc[self.faces["part"] == "test", "person"].nunique()
        if not number:
            return "Persons are not known, and the intervals are over images."
        return f"{number} test persons" + (", so the intervals are rough." if number < 10 else ".")


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
