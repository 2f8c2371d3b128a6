"""Votes, of the table of answers: the ranks that raters gave at the first showing."""

import pandas as pd

from emorank.answers.answers_table import RANKS, SKIP, UNIT
from emorank.errors import VotesError
from emorank.vocabulary import NONE, emotion_word


def unit_votes_of(answers: pd.DataFrame) -> pd.DataFrame:
    """The ranks at the first showing: `image`, `emotion`, `rater`, `rank` (label)."""
    ranks = answers[~answers["repeat"] & answers["answer"].isin(RANKS)]
    votes = ranks[["image", "emotion", "rater", "answer"]].rename(columns={"answer": "rank"})
    return votes.reset_index(drop=True)


def votes_of(answers: pd.DataFrame, emotion: str | None = None) -> pd.DataFrame:
    """The votes that a study uses: `image`, `rater`, `rank` (label).

    First showings only, and ranks only: None and Skip are no ranks. Images of which half of the
    raters or more said None have no intensity to rank; they are left out, and `attrs["flagged"]`
    names them.

    With `emotion`, only the answers to the question for this emotion count.

    Raises:
        VotesError: an image was rated for several emotions and `emotion` chooses none of them.
    """
    first = answers[~answers["repeat"] & (answers["answer"] != SKIP)]
    if emotion is not None:
        first = first[first["emotion"].eq(emotion_word(emotion)).fillna(value=False)]
    units = first[list(UNIT)].drop_duplicates()
    several = units.loc[units["image"].duplicated(), "image"]
    if len(several):
        image = several.iloc[0]
        words = units.loc[units["image"] == image, "emotion"].fillna("(unknown)")
        raise VotesError(
            f"{several.nunique()} images were rated for several emotions ({image!r} for "
            f"{', '.join(words)}), and a study has one rank an image; choose one with emotion=…"
        )
    absent = (first["answer"] == NONE).groupby(first["image"], sort=False).mean() >= 0.5
    flagged = absent.index[absent]
    votes = unit_votes_of(first[~first["image"].isin(flagged)])[["image", "rater", "rank"]]
    votes.attrs["flagged"] = list(flagged)
    return votes
