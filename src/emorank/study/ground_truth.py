"""What is known of how strongly each face of a study expresses its emotion, from whoever knows it.

Three things may be known: the intensity that a data set records or that was set when a face was
rendered; the raters' votes; and that a neutral face expresses nothing, whoever looks at it.
"""

from pathlib import Path

import pandas as pd

from emorank.annotations.votes import read_votes
from emorank.annotations.voting import majority
from emorank.study.folder import Study
from emorank.vocabulary import LEVELS, Emotion

FACES = ["image", "part", "person", "emotion", "sequence", "frame", "intensity", "digest"]


def ground_truth(study: Study, votes: Path | str | None = None) -> pd.DataFrame:
    """One row per face, in the order of the study's table of faces.

    Args:
        study: prepared.
        votes: a votes file or rating project; None for the votes that the plan names, if any.

    Returns:
        `image`, `part`, `person`, `emotion`, `sequence`, `frame`, `intensity`, `digest` and, where
        the study has them, `landmarks`; `level` (Int64): what the majority of the raters says, by
        its place in `LEVELS`; 0 for neutral faces; <NA> where nobody voted, or the votes tie and
        the plan calls ties disputed; `mean` (float64 in [1, 3]) of the votes; `voters` (Int64).

    Raises:
        StudyError: the study is not prepared.
        VotesError: the votes cannot be read, or are on images that the study does not have.
    """
    faces = study.table("faces").merge(study.table("split"), on="image")
    table = faces[[*FACES, *(["landmarks"] if "landmarks" in faces else [])]].copy()
    source = str(votes or study.plan.validate.votes)
    table["level"] = pd.array([pd.NA] * len(table), dtype="Int64")
    table["mean"], table["voters"] = float("nan"), pd.array([0] * len(table), dtype="Int64")
    if source:
        # Raters may have seen faces that the study had to leave out.
        known = {*faces["image"], *study.table("excluded")["file"]}
        voted = majority(read_votes(Path(source), known), study.plan.validate.ties)
        rows = voted.set_index("image").reindex(table["image"]).reset_index()
        table["level"] = rows["rank"].map(LEVELS.index, na_action="ignore").astype("Int64").array
        table["mean"] = rows["mean"].to_numpy()
        counts = rows[["n_minimal", "n_average", "n_strong"]].sum(axis=1)
        table["voters"] = counts.astype("Int64").array
    neutral = (table["emotion"] == Emotion.NEUTRAL).fillna(False)
    table["level"] = table["level"].mask(neutral, 0)
    return table
