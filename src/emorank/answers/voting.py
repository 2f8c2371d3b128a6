"""From the votes of many raters to one rank: the majority, and Table 5's sheet.

`majority` and `sheet` take votes, which are ranks of images, as in the paper. `verdicts` and
`answer_sheet` take the table of answers: they rank pairs of image and emotion, and know the answer
None, "no such emotion here".
"""

from typing import Literal, get_args

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from emorank.answers.answers_table import RANKS, SKIP, UNIT, firsts_of
from emorank.answers.names import natural
from emorank.errors import DatasetError
from emorank.vocabulary import LEVELS, NONE, Emotion, Rank

Ties = Literal["median", "disputed"]

SHORT = {Rank.MINIMAL.label: "Min", Rank.AVERAGE.label: "Avg", Rank.STRONG.label: "Str"}


def majority(votes: pd.DataFrame, ties: Ties = "median") -> pd.DataFrame:
    """The rank that most raters gave to each image.

    Where two or three ranks share the greatest number of votes, `ties` decides:

    - "median": the ordinal median of *all* votes of the image, and of the two middle votes of an
      even number the lower one, because it claims no more than half of the raters saw. Five
      Minimal and five Strong give Minimal; 4 Minimal, 2 Average, 4 Strong give Average.
    - "disputed": no rank; the image is left out of what follows.

    `votes` has `image`, `rater`, `rank` (label), as `read_votes` returns it.

    Returns:
        One row per image in the order of first appearance: `image`, `rank` (label, <NA> when
        disputed), `n_minimal`, `n_average`, `n_strong` (int64 votes), `tied` (bool), `mean`
        (float64 in [1, 3], the mean of the ranks as numbers).
    """
    _check(ties)
    images, counts = _counts(votes)
    winner, tied = _most(counts)
    rank = pd.Series(np.array(RANKS)[winner], dtype="string")
    if ties == "disputed":
        rank = rank.mask(tied)
    return pd.DataFrame(
        {
            "image": images,
            "rank": rank,
            **{f"n_{r.name.lower()}": counts[:, i] for i, r in enumerate(Rank)},
            "tied": tied,
            "mean": counts @ np.array([*Rank]) / counts.sum(axis=1),
        }
    )


def winners(
    counts: Int[np.ndarray, "unit level"],
) -> tuple[Int[np.ndarray, " unit"], Bool[np.ndarray, " unit"]]:
    """The majority's answer to each unit; None may be that answer.

    Two questions, one after the other. *Is the emotion there?* None wins if more than half of the
    votes are None. *How strong is it?* Otherwise the most frequent rank wins. Where exactly half
    are None, or ranks share the greatest number, the unit is tied, and the lower ordinal median
    wins: None, or the median of the ranks.

    `counts` are of None, Minimal, Average, Strong. Returns the winner's number (0 for None … 3 for
    Strong, -1 without any vote), and whether it was a tie.
    """
    none, ranks = counts[:, 0], counts[:, 1:]
    total = counts.sum(axis=1)
    rank, tied = _most(ranks)
    absent, split = 2 * none > total, (2 * none == total) & (total > 0)
    winner = np.where(absent | split, 0, rank + 1)
    return np.where(total > 0, winner, -1), np.where(absent, False, split | tied) & (total > 0)


def verdicts(answers: pd.DataFrame, ties: Ties = "median") -> pd.DataFrame:
    """The raters' verdict on each unit: the rank of its emotion, or that it is not there.

    First showings only. The rules are those of `winners`; where every vote is a rank, the result is
    that of `majority`. With `ties` "median" the lower ordinal median decides a tie; with "disputed"
    nothing does.

    Returns:
        One row per unit in the order of first appearance: `image`, `emotion`, `rank` (label, <NA>
        when flagged, disputed or without a vote), `label` ("Strong Happy", "No Happy", <NA>),
        `flagged` (None won), `tied`, `disputed` (bool), `n_none`, `n_minimal`, `n_average`,
        `n_strong`, `n_skip` (int64), `median` (the lower ordinal median of all votes, None lowest;
        label), `mean` (float64 in [1, 3], of the ranks alone; NaN without one).
    """
    _check(ties)
    first = firsts_of(answers)
    unit = first.groupby(list(UNIT), dropna=False, sort=False).ngroup().to_numpy()
    units = first[list(UNIT)].drop_duplicates().reset_index(drop=True)
    words = pd.Index([*LEVELS, SKIP])
    level = words.get_indexer(pd.Index(first["answer"]))
    all_counts = _histogram(unit, level, (len(units), len(words)))
    counts = all_counts[:, :-1]
    winner, tied = winners(counts)
    disputed = tied & (ties == "disputed")
    voted = counts.sum(axis=1) > 0
    names = pd.Series(np.array(LEVELS)[winner], dtype="string").mask(~voted | disputed)
    ranks = counts[:, 1:]
    return units.assign(
        rank=names.mask(names == NONE),
        label=_named(names, units["emotion"]),
        flagged=(winner == 0) & ~disputed,
        tied=tied,
        disputed=disputed,
        **{f"n_{word.lower()}": all_counts[:, i] for i, word in enumerate(words)},
        median=pd.Series(np.array(LEVELS)[_median(counts)], dtype="string").mask(~voted),
        mean=ranks @ np.array([*Rank]) / np.where(ranks.any(axis=1), ranks.sum(axis=1), np.nan),
    )


def answer_sheet(answers: pd.DataFrame, ties: Ties = "median") -> pd.DataFrame:
    """Table 5's sheet of a table of answers.

    As `sheet`, but `emotion` comes after `image` if any is known, the raters' columns have None and
    Skip too, and the counts have a column `None` if there are such answers. `Label` has the verdict
    in words.
    """
    first = firsts_of(answers)
    result = verdicts(answers, ties)
    unit = first.groupby(list(UNIT), dropna=False, sort=False).ngroup()
    names = ["image", "emotion"] if result["emotion"].notna().any() else ["image"]
    none = {NONE: result["n_none"]} if result["n_none"].any() else {}
    table = _sheet(result[names], unit, first["rater"], first["answer"], result, none)
    table["Final"] = table["Final"].mask(result["flagged"], NONE)
    return table.assign(Label=result["label"])


def sheet(votes: pd.DataFrame, ties: Ties = "median") -> pd.DataFrame:
    """The summary sheet of the paper's Table 5, of votes as `majority` takes them.

    Returns:
        One row per image: `image`, `A1` … (one column per rater: Min, Avg, Str or <NA>), `Min`,
        `Avg`, `Str` (int64 votes), `Final` (<NA> when disputed). `attrs["raters"]` names the
        raters behind A1, A2 …, in natural order (r2 before r10).
    """
    result = majority(votes, ties)
    unit = pd.Series(pd.factorize(votes["image"])[0], votes.index)
    return _sheet(result[["image"]], unit, votes["rater"], votes["rank"], result, {})


def _sheet(
    names: pd.DataFrame,
    unit: pd.Series,
    rater: pd.Series,
    answer: pd.Series,
    result: pd.DataFrame,
    none: dict[str, pd.Series],
) -> pd.DataFrame:
    """Names of units, a column of answers for each rater, the counts, the final rank."""
    raters = sorted(rater.unique(), key=natural)
    words = answer.map(SHORT | {NONE: NONE, SKIP: SKIP})
    cells = pd.DataFrame({"unit": unit, "rater": rater, "word": words})
    # pivot, not pivot_table: two answers in one cell are an error, not something to aggregate.
    by_rater = cells.pivot(index="unit", columns="rater", values="word")  # noqa: PD010
    wide = by_rater.reindex(columns=raters).astype("string").reset_index(drop=True)
    wide.columns = pd.Index([f"A{n}" for n in range(1, len(raters) + 1)])
    counts = {SHORT[rank.label]: result[f"n_{rank.name.lower()}"] for rank in Rank}
    final = result["rank"].map(SHORT).astype("string")
    table = pd.concat([names, wide], axis=1).assign(**none, **counts, Final=final)
    table.attrs["raters"] = raters
    return table


def _most(
    counts: Int[np.ndarray, "unit rank"],
) -> tuple[Int[np.ndarray, " unit"], Bool[np.ndarray, " unit"]]:
    """The most frequent rank, the lower median among equals; and whether there were equals."""
    tied = (counts == counts.max(axis=1, keepdims=True)).sum(axis=1) > 1
    return np.where(tied, _median(counts), counts.argmax(axis=1)), tied


def _median(counts: Int[np.ndarray, "unit rank"]) -> Int[np.ndarray, " unit"]:
    """The lower median: the first rank at which half of the votes are reached."""
    reached = 2 * counts.cumsum(axis=1) >= counts.sum(axis=1, keepdims=True)
    return np.asarray(reached.argmax(axis=1))


def _named(verdict: pd.Series, emotion: pd.Series) -> pd.Series:
    """Such as "Strong Happy"; "No Happy" where None won; the rank alone of an unknown emotion."""
    words = {word: emotion_label(word) for word in emotion.dropna().unique()}
    rank = verdict.mask((verdict == NONE).fillna(value=False), "No")
    named = rank + " " + emotion.map(words).astype("string")
    return named.fillna(verdict).astype("string")


def emotion_label(word: str) -> str:
    """An emotion for tables and figures: ours by its label, a word of the raters capitalised."""
    try:
        return Emotion.parse(word).label
    except DatasetError:  # a word of the raters' own, such as "outrage"
        return word[:1].upper() + word[1:]


def _check(ties: str) -> None:
    if ties not in get_args(Ties):
        raise ValueError(f"ties={ties!r}: expected one of {', '.join(get_args(Ties))}")


def _counts(votes: pd.DataFrame) -> tuple[pd.Series, Int[np.ndarray, "image rank"]]:
    """The images in the order of first appearance, and how often each has each rank."""
    codes, images = pd.factorize(votes["image"])
    ranks = pd.Index(RANKS, dtype="string").get_indexer(pd.Index(votes["rank"]))
    if (ranks < 0).any() or (codes < 0).any():
        raise ValueError(f"votes need an image and one of the ranks {', '.join(RANKS)}")
    return pd.Series(images, dtype="string"), _histogram(codes, ranks, (len(images), len(RANKS)))


def _histogram(
    unit: Int[np.ndarray, " vote"], word: Int[np.ndarray, " vote"], shape: tuple[int, int]
) -> Int[np.ndarray, "unit word"]:
    """How many votes each unit has of each word."""
    flat = np.bincount(unit * shape[1] + word, minlength=shape[0] * shape[1])
    return flat.reshape(shape).astype(np.int64)
