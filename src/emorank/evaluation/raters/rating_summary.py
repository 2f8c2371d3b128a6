"""The summary of answers, or of votes on emotions, for the terminal and the page."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from emorank.answers.answers_table import ANSWERS, RANKS
from emorank.answers.dawid_skene import dawid_skene_verdicts
from emorank.answers.emotion_votes import EmotionVotes
from emorank.answers.voting import Ties, verdicts
from emorank.evaluation.raters.agreement import (
    Agreement,
    CountAgreement,
    agreement,
    count_agreement,
)
from emorank.evaluation.raters.consistency import Consistency, consistency
from emorank.evaluation.raters.ratings import NoneAs
from emorank.evaluation.raters.speed import Speed, speed
from emorank.evaluation.statistics.uncertainty import RESAMPLES
from emorank.vocabulary import NONE


@dataclass(frozen=True)
class Outcome:
    """The verdicts of the majority under one tie policy; units are the sum of all but `tied`.

    Attributes:
        ranks: number of units with each rank.
        flagged: number of units with the verdict None.
        disputed: number of units that tied, if the policy decides no ties.
        unvoted: number of units with skips only.
        tied: number of units that tied, whether the tie was decided or not.
    """

    ties: str
    ranks: dict[str, int]
    flagged: int
    disputed: int
    unvoted: int
    tied: int


@dataclass(frozen=True)
class Sensitivity:
    """How far another method to reach verdicts agrees with the majority (ties by the median).

    Of all `units` with a vote, `same` have the same verdict.
    """

    method: str
    units: int
    same: int


@dataclass(frozen=True)
class EmotionAgreement:
    """The part of the answers on one emotion; `emotion` is None if it is unknown."""

    emotion: str | None
    units: int
    answers: dict[str, int]
    outcome: Outcome
    agreement: Agreement


@dataclass(frozen=True)
class RatingSummary:
    """The answers of raters, their verdicts and their agreement.

    Attributes:
        named: whether a rater's name stands for the same person on every image.
        units: number of pairs of image and emotion.
        answers: number of each answer at first showings.
        repeats: number of answers at second showings.
        reaction_ms: the median time to answer, None if unknown.
        speed: how many answers came too fast, of all raters together, then of each; empty if
            reaction times are unknown.
        outcomes: under both tie policies.
        sensitivity: the verdicts of the ordinal median, and of Dawid and Skene's model.
        emotions: each emotion, if there are several.
        consistency: of all raters together, then of each.
    """

    named: bool
    images: int
    units: int
    raters: int
    answers: dict[str, int]
    repeats: int
    reaction_ms: float | None
    speed: tuple[Speed, ...]
    outcomes: tuple[Outcome, Outcome]
    sensitivity: tuple[Sensitivity, ...]
    agreement: Agreement
    emotions: tuple[EmotionAgreement, ...]
    consistency: tuple[Consistency, ...]


@dataclass(frozen=True)
class EmotionSummary:
    """Votes on which emotion is expressed, and their agreement.

    Attributes:
        images: number of rows of the table.
        votes: number of votes for each category.
        finals: for each category, number of images with more votes for it than for any other.
        tied: number of images without such a category.
        groups: agreement within each group of images, if there are several.
    """

    images: int
    votes: dict[str, int]
    finals: dict[str, int]
    tied: int
    agreement: CountAgreement
    groups: dict[str, CountAgreement]


def summarise(
    answers: pd.DataFrame,
    rng: np.random.Generator,
    *,
    none_as: NoneAs = "level",
    named: bool = True,
    resamples: int = RESAMPLES,
) -> RatingSummary:
    """Summarise answers, from `answers_table`.

    `none_as` says how None is used, as in `agreement`; `named` whether a rater's name stands for
    the same person on every image.
    """
    first = answers[~answers["repeat"]]
    units = verdicts(answers)
    times = answers["reaction_ms"].dropna()
    options: dict[str, Any] = {"none_as": none_as, "resamples": resamples}
    words = list(dict.fromkeys(first["emotion"].fillna("")))
    parts = [(word, answers[answers["emotion"].fillna("") == word]) for word in words]
    return RatingSummary(
        named=named,
        images=first["image"].nunique(),
        units=len(units),
        raters=answers["rater"].nunique(),
        answers=_counts(first),
        repeats=int(answers["repeat"].sum()),
        reaction_ms=float(times.median()) if len(times) else None,
        speed=speed(answers),
        outcomes=(outcome(answers, "median"), outcome(answers, "disputed")),
        sensitivity=_sensitivity(answers, units),
        agreement=agreement(answers, rng, **options),
        emotions=tuple(
            EmotionAgreement(
                word or None,
                len(verdicts(part)),
                _counts(part[~part["repeat"]]),
                outcome(part, "median"),
                agreement(part, rng, **options),
            )
            for word, part in parts
        )
        if len(parts) > 1
        else (),
        consistency=consistency(answers),
    )


def outcome(answers: pd.DataFrame, ties: Ties) -> Outcome:
    """Count the verdicts under a tie policy."""
    units = verdicts(answers, ties)
    ranks = units["rank"].value_counts()
    unvoted = units[["n_none", *(f"n_{word.lower()}" for word in RANKS)]].sum(axis=1) == 0
    return Outcome(
        ties=ties,
        ranks={word: int(ranks.get(word, 0)) for word in RANKS},
        flagged=int(units["flagged"].sum()),
        disputed=int(units["disputed"].sum()),
        unvoted=int(unvoted.sum()),
        tied=int(units["tied"].sum()),
    )


def summarise_emotions(
    votes: EmotionVotes, rng: np.random.Generator, *, resamples: int = RESAMPLES
) -> EmotionSummary:
    """Summarise votes on emotions; all showings of an image are drawn together."""
    table = votes.table()
    image = pd.factorize(votes.images["image"])[0]
    finals = table["Final"].value_counts()
    groups = votes.images["group"]

    def agreed(rows: np.ndarray[Any, Any]) -> CountAgreement:
        return count_agreement(
            votes.counts[rows], image[rows], rng, ordinal=False, resamples=resamples
        )

    names = list(dict.fromkeys(groups))
    return EmotionSummary(
        images=len(table),
        votes=dict(zip(votes.words, votes.counts.sum(axis=0).tolist(), strict=True)),
        finals={word: int(finals.get(word, 0)) for word in votes.words},
        tied=int(table["tied"].sum()),
        agreement=agreed(np.ones(len(table), bool)),
        groups={name: agreed((groups == name).to_numpy(dtype=bool)) for name in names}
        if len(names) > 1
        else {},
    )


def _counts(first: pd.DataFrame) -> dict[str, int]:
    counts = first["answer"].value_counts()
    return {word: int(counts.get(word, 0)) for word in ANSWERS}


def _sensitivity(answers: pd.DataFrame, units: pd.DataFrame) -> tuple[Sensitivity, ...]:
    verdict = units["rank"].mask(units["flagged"], NONE)
    # Units in the same order; Dawid and Skene's are those with a vote.
    voted = verdict.notna().to_numpy(dtype=bool)
    majority = verdict[voted].to_numpy(dtype=object)
    others = {
        "ordinal median": units.loc[voted, "median"],
        "Dawid and Skene": dawid_skene_verdicts(answers)[0]["answer"],
    }
    return tuple(
        Sensitivity(name, len(majority), int((majority == other.to_numpy(dtype=object)).sum()))
        for name, other in others.items()
    )
