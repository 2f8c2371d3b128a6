"""From the votes of many raters to one rank per image: the majority, and Table 5's sheet."""

import re
from typing import Literal, get_args

import numpy as np
import pandas as pd
from jaxtyping import Int

from emorank.vocabulary import Rank

Ties = Literal["median", "disputed"]

_LABELS = [rank.label for rank in Rank]
_SHORT = {Rank.MINIMAL.label: "Min", Rank.AVERAGE.label: "Avg", Rank.STRONG.label: "Str"}


def majority(votes: pd.DataFrame, ties: Ties = "median") -> pd.DataFrame:
    """The rank that most raters gave to each image.

    Where two or three ranks share the greatest number of votes, `ties` decides:

    - "median": the ordinal median of *all* votes of the image, and of the two middle votes of an
      even number the lower one, because it claims no more than half of the raters saw. Five
      Minimal and five Strong give Minimal; 4 Minimal, 2 Average, 4 Strong give Average.
    - "disputed": no rank; the image is left out of what follows.

    Args:
        votes: `image`, `rater`, `rank` (label), as `read_votes` returns it.
        ties: what happens to ties.

    Returns:
        One row per image in the order of first appearance: `image`, `rank` (label, <NA> when
        disputed), `n_minimal`, `n_average`, `n_strong` (int64 votes), `tied` (bool), `mean`
        (float64 in [1, 3], the mean of the ranks as numbers).
    """
    _check(ties)
    images, counts = _counts(votes)
    greatest = counts.max(axis=1, keepdims=True)
    tied = (counts == greatest).sum(axis=1) > 1
    # The lower median is the first rank at which half of the votes are reached.
    median = (2 * counts.cumsum(axis=1) >= counts.sum(axis=1, keepdims=True)).argmax(axis=1)
    winner = np.where(tied, median, counts.argmax(axis=1))
    rank = pd.Series(np.array(_LABELS)[winner], dtype="string")
    if ties == "disputed":
        rank = rank.mask(tied)
    values = np.array([int(rank) for rank in Rank])
    return pd.DataFrame(
        {
            "image": images,
            "rank": rank,
            **{f"n_{r.name.lower()}": counts[:, i] for i, r in enumerate(Rank)},
            "tied": tied,
            "mean": counts @ values / counts.sum(axis=1),
        }
    )


def sheet(votes: pd.DataFrame, ties: Ties = "median") -> pd.DataFrame:
    """The summary sheet of the paper's Table 5.

    Args:
        votes: `image`, `rater`, `rank` (label).
        ties: as for `majority`.

    Returns:
        One row per image: `image`, `A1` … (one column per rater: Min, Avg, Str or <NA>), `Min`,
        `Avg`, `Str` (int64 votes), `Final` (<NA> when disputed). `attrs["raters"]` names the
        raters behind A1, A2 …, in natural order (r2 before r10).
    """
    _check(ties)
    raters = sorted(votes["rater"].unique(), key=natural)
    result = majority(votes, ties)
    # pivot, not pivot_table: two votes in one cell are an error, not something to aggregate.
    cells = votes.assign(rank=votes["rank"].map(_SHORT))
    by_rater = cells.pivot(index="image", columns="rater", values="rank")  # noqa: PD010
    wide = by_rater.reindex(index=result["image"], columns=raters).astype("string")
    wide.columns = pd.Index([f"A{n}" for n in range(1, len(raters) + 1)])
    table = wide.reset_index().assign(
        Min=result["n_minimal"],
        Avg=result["n_average"],
        Str=result["n_strong"],
        Final=result["rank"].map(_SHORT).astype("string"),
    )
    table.attrs["raters"] = raters
    return table


def _check(ties: str) -> None:
    allowed = get_args(Ties)
    if ties not in allowed:
        raise ValueError(f"ties={ties!r}: expected one of {', '.join(allowed)}")


def _counts(votes: pd.DataFrame) -> tuple[pd.Series, Int[np.ndarray, "image rank"]]:
    """The images in the order of first appearance, and how often each rank was given."""
    codes, images = pd.factorize(votes["image"])
    ranks = pd.Index(_LABELS, dtype="string").get_indexer(pd.Index(votes["rank"]))
    if (ranks < 0).any() or (codes < 0).any():
        raise ValueError(f"votes need an image and one of the ranks {', '.join(_LABELS)}")
    flat = np.bincount(codes * len(_LABELS) + ranks, minlength=len(images) * len(_LABELS))
    return pd.Series(images, dtype="string"), flat.reshape(-1, len(_LABELS)).astype(np.int64)


def natural(name: str) -> list[tuple[int, int, str]]:
    """A sort key that takes runs of digits as numbers."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part)
        for part in re.split(r"(\d+)", name)
        if part
    ]
