"""Votes on *which* emotion is expressed, as counts per image, without the raters' names.

That is another question than how strongly one emotion is expressed, so these votes are no answers
and have no ranks. The agreement of the raters can be computed all the same.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Int


@dataclass(frozen=True)
class EmotionVotes:
    """How many raters named which emotion, image by image.

    Attributes:
        images: `image` and `group` (strings; the group is the part of the data set, or says whether
            face or voice was shown); an image has at most one row in each group.
        words: the categories, emotions and others ("unknown").
    """

    images: pd.DataFrame
    words: tuple[str, ...]
    counts: Int[np.ndarray, "row word"]

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.images)

    def table(self) -> pd.DataFrame:
        """One row an image: `image`, `group`, a column per category, `votes`, `Final`, `tied`.

        `Final` is the category with the most votes, <NA> where several share them: categories have
        no order, so there is no median.
        """
        most = self.counts.max(axis=1, keepdims=True, initial=0)
        tied = (self.counts == most).sum(axis=1) > 1
        final = pd.Series(np.array(self.words)[self.counts.argmax(axis=1)], dtype="string")
        columns = dict(zip(self.words, self.counts.T, strict=True))
        return self.images.assign(
            **columns, votes=self.counts.sum(axis=1), Final=final.mask(tied), tied=tied
        )
