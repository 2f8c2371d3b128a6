"""The answers on the owner's page: distribution, disputed and flagged images."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from emorank.answers.answers_table import ANSWERS, firsts_of
from emorank.answers.names import natural
from emorank.answers.scales import Scale
from emorank.answers.votes import unit_votes_of
from emorank.answers.voting import majority
from emorank.evaluation.raters.face_scores import face_scores
from emorank.vocabulary import NONE

SHOWN = 24


@dataclass(frozen=True)
class Bar:
    """Answers of one expressed emotion, in the order of `ANSWERS`.

    Attributes:
        counts: answers of each kind, at the first showing.
        spans: (start, length) of each as per cent of the whole.
    """

    emotion: str
    counts: tuple[int, ...]
    spans: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Case:
    """An image to look at again, with the answer of each rater.

    Attributes:
        picture: its id; `name` is its name in the data set.
        answers: (rater, answer) at the first showing, by rater.
    """

    picture: str
    name: str
    emotion: str
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Panels:
    """All that the page shows of the answers.

    Attributes:
        answers: number of current answers, repeats too.
        bars: one per emotion, and one for all if there are several.
        disputed: images without a single most frequent rank, the widest apart first.
        flagged: images of which a rater says that they do not show the emotion, most often first.
    """

    answers: int
    bars: tuple[Bar, ...]
    disputed: tuple[Case, ...]
    flagged: tuple[Case, ...]


def panels(answers: pd.DataFrame, pictures: dict[tuple[str, str], str]) -> Panels:
    """Sum up the answers of a project; `given_pictures` is the result of `overview.pictures`."""
    first = firsts_of(answers)
    units = zip(first["image"], first["emotion"], strict=True)
    first = first.assign(picture=[pictures[unit] for unit in units])
    flagged = first.loc[first["answer"] == NONE, "picture"].value_counts().index
    return Panels(len(answers), _bars(first), _disputed(first), _cases(first, flagged))


@dataclass(frozen=True)
class Face:
    """A face with the score that raters gave it.

    Attributes:
        picture: the id of its picture.
        score: mean level or position, or the Bradley-Terry score; NaN without one.
        error: its standard error; NaN where one cannot be given.
        number: ratings, or comparisons.
    """

    picture: str
    name: str
    emotion: str
    score: float
    error: float
    number: int


@dataclass(frozen=True)
class ScalePanels:
    """What the page shows of answers on another scale.

    Attributes:
        counts: of each emotion, see `scale_counts`.
        faces: of each emotion, the strongest first.
    """

    counts: list[tuple[str, list[int], float | None]]
    faces: dict[str, tuple[Face, ...]]


def scale_panels(
    scale: Scale, answers: pd.DataFrame, pictures: dict[tuple[str, str], str]
) -> ScalePanels:
    """Sum up answers on another scale; `pictures` is the result of `overview.pictures`."""
    scores = face_scores(scale, answers).dropna(subset=["score"])
    scores = scores.sort_values("score", ascending=False, kind="stable")
    faces: dict[str, tuple[Face, ...]] = {}
    for emotion, mine in scores.groupby("emotion", sort=True):
        columns = (mine[name] for name in ("image", "score", "error", "n"))
        faces[str(emotion)] = tuple(
            Face(pictures[image, str(emotion)], image, str(emotion), *numbers)
            for image, *numbers in zip(*columns, strict=True)
        )
    return ScalePanels(scale_counts(scale, answers), faces)


def scale_counts(scale: Scale, answers: pd.DataFrame) -> list[tuple[str, list[int], float | None]]:
    """Of each emotion: first answers by kind, and the median position of a slider.

    A slider's kinds are all positions together, None and Skip; of the other scales, its words.
    """
    first = answers[~answers["repeat"]]
    rows: list[tuple[str, list[int], float | None]] = []
    for word, mine in first.groupby("emotion", sort=True):
        given = mine["answer"]
        counts = [int((given == name).sum()) for name in scale.words]
        if scale.kind != "slider":
            rows.append((str(word), counts, None))
            continue
        positions = mine["value"].dropna()
        median = float(positions.median()) if len(positions) else None
        rows.append((str(word), [len(positions), *counts], median))
    return rows


def _bars(first: pd.DataFrame) -> tuple[Bar, ...]:
    counts = pd.crosstab(first["emotion"], first["answer"]).reindex(
        columns=list(ANSWERS), fill_value=0
    )
    bars = [_bar(str(word), row) for word, row in zip(counts.index, counts.to_numpy(), strict=True)]
    if len(bars) > 1:
        bars.append(_bar("all", counts.to_numpy().sum(axis=0)))
    return tuple(bars)


def _bar(emotion: str, row: np.ndarray) -> Bar:
    counts = tuple(int(count) for count in row)
    starts = [100 * sum(counts[:i]) / sum(counts) for i in range(len(counts))]
    lengths = [100 * count / sum(counts) for count in counts]
    return Bar(emotion, counts, tuple(zip(starts, lengths, strict=True)))


def _disputed(first: pd.DataFrame) -> tuple[Case, ...]:
    votes = unit_votes_of(first.assign(image=first["picture"]))
    if votes.empty:
        return ()
    ranks = majority(votes)
    tied = ranks.assign(spread=ranks["n_minimal"] * ranks["n_strong"])[ranks["tied"]]
    return _cases(first, tied.sort_values("spread", ascending=False, kind="stable")["image"])


def _cases(first: pd.DataFrame, pictures: "pd.Series[str] | pd.Index[str]") -> tuple[Case, ...]:
    by_picture = dict(iter(first[first["picture"].isin(pictures)].groupby("picture")))
    cases = []
    for picture in pictures:
        rows = by_picture[picture]
        answers = zip(rows["rater"], rows["answer"], strict=True)
        by_rater = sorted(answers, key=lambda answer: natural(answer[0]))
        cases.append(Case(picture, rows["image"].iloc[0], rows["emotion"].iloc[0], tuple(by_rater)))
    return tuple(cases)
