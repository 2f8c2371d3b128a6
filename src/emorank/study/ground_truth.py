"""How strongly each face of a study expresses its emotion, as far as the study has data on it.

There are three sources: the intensity that a data set records or that a face was rendered with; the
raters' votes; and the emotion neutral, which means that the face expresses nothing.
"""

from pathlib import Path

import pandas as pd

from emorank.answers.answers_table import answers_table
from emorank.answers.on_images import answers_on
from emorank.answers.votes import votes_of
from emorank.answers.voting import majority
from emorank.room.sources import read_answers
from emorank.study.folder import IMAGES, Study
from emorank.study.plan import AnswersPlan
from emorank.vocabulary import LEVELS, Emotion

FACES = ["image", "part", "person", "emotion", "sequence", "frame", "intensity", "digest"]


def ground_truth(study: Study, votes: Path | str | None = None) -> pd.DataFrame:
    """One row per face, in the order of the study's table of faces.

    Returns:
        `image`, `part`, `person`, `emotion`, `sequence`, `frame`, `intensity`, `digest` and, where
        the study has them, `landmarks`; `level` (Int64): the raters' majority, by its
        place in `LEVELS`; 0 for neutral faces, and where at least half of the raters said None;
        <NA> where nobody voted, or the votes tie and the plan calls ties disputed; `mean` (float64
        in [0, 3], None being 0) of the votes; `voters` (Int64).

    Raises:
        StudyError: the study is not prepared.
        VotesError: the votes cannot be read, or are on images that the study does not have.
    """
    faces = study.table("faces").merge(study.table("split"), on="image")
    table = faces[[*FACES, *(["landmarks"] if "landmarks" in faces else [])]].copy()
    table["level"] = pd.array([pd.NA] * len(table), dtype="Int64")
    table["mean"], table["voters"] = float("nan"), pd.array([0] * len(table), dtype="Int64")
    answers = answers_of(study, votes)
    if len(answers):
        given = votes_of(answers)
        rank = majority(given, study.plan.validate.ties).set_index("image")["rank"]
        level = table["image"].map(rank).map(LEVELS.index, na_action="ignore").astype("Int64")
        table["level"] = level.mask(table["image"].isin(given.attrs["flagged"]), 0)
        place = answers["answer"].map(LEVELS.index).groupby(answers["image"])
        table["mean"] = table["image"].map(place.mean()).astype("float64")
        table["voters"] = table["image"].map(place.size()).fillna(0).astype("Int64")
    neutral = (table["emotion"] == Emotion.NEUTRAL).fillna(False)
    table["level"] = table["level"].mask(neutral, 0)
    return table


def answers_of(study: Study, votes: Path | str | None = None) -> pd.DataFrame:
    """The raters' answers on the study's faces, as `answers_on` returns them; empty without votes.

    `votes` is any file of answers or a rating project; None for the one that the plan names, which
    is read as the plan's table `answers` says.

    Raises:
        StudyError: the study is not prepared.
        VotesError: they cannot be read, or are on images that the study does not have.
    """
    source = str(votes or study.plan.validate.votes)
    if not source:
        return answers_table([])
    faces = study.table("faces")
    emotions = dict(zip(faces["image"], faces["emotion"], strict=True))
    # Raters may have seen faces that the study had to leave out, or that its plan does not ask for.
    others = set(study.table("excluded")["file"])
    if study.path(f"{IMAGES}.parquet").exists():  # studies of earlier versions have none
        others |= set(study.table(IMAGES)["image"])
    said = AnswersPlan() if votes else study.plan.answers
    read = read_answers(source, cut=said.cut, control=said.control, words=said.words)
    return answers_on(read, emotions, others, source=Path(source))
