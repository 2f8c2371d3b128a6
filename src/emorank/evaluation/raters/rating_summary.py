"""Everything that a set of answers, or of votes on emotions, comes to; for terminal and page."""

from dataclasses import dataclass
from typing import Any

import msgspec
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
from emorank.evaluation.statistics.uncertainty import RESAMPLES
from emorank.vocabulary import NONE


@dataclass(frozen=True)
class Outcome:
    """What the majority came to under one tie policy; units = the sum of all but `tied`.

    Attributes:
        ties: the policy.
        ranks: units of each rank.
        flagged: units where None won.
        disputed: units that tied, under the policy that decides no tie.
        unvoted: units with skips only.
        tied: units that tied, whatever became of them.
    """

    ties: str
    ranks: dict[str, int]
    flagged: int
    disputed: int
    unvoted: int
    tied: int


@dataclass(frozen=True)
class Sensitivity:
    """How far another way to reach one verdict agrees with the majority (ties by the median).

    Attributes:
        method: which.
        units: compared: those with a vote.
        same: of them, with the same verdict.
    """

    method: str
    units: int
    same: int


@dataclass(frozen=True)
class EmotionAgreement:
    """One emotion's part; `emotion` is None where it is unknown."""

    emotion: str | None
    units: int
    answers: dict[str, int]
    outcome: Outcome
    agreement: Agreement


@dataclass(frozen=True)
class RatingSummary:
    """What raters said and how well they agreed.

    Attributes:
        named: whether a rater's name stands for the same person on every image.
        images: how many.
        units: pairs of image and emotion.
        raters: how many.
        answers: first showings, by answer.
        repeats: answers at second showings.
        reaction_ms: the median time to answer, None if unknown.
        outcomes: under both tie policies.
        sensitivity: the ordinal median, and Dawid and Skene's model.
        agreement: over all emotions.
        emotions: one by one, if there are several.
        consistency: raters against themselves, all of them first.
    """

    named: bool
    images: int
    units: int
    raters: int
    answers: dict[str, int]
    repeats: int
    reaction_ms: float | None
    outcomes: tuple[Outcome, Outcome]
    sensitivity: tuple[Sensitivity, ...]
    agreement: Agreement
    emotions: tuple[EmotionAgreement, ...]
    consistency: tuple[Consistency, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, dicts and numbers for JSON; undefined is None."""
        result: dict[str, Any] = msgspec.to_builtins(self)
        return result


@dataclass(frozen=True)
class EmotionSummary:
    """What voters said which emotion is expressed.

    Attributes:
        images: rows of the table.
        votes: of each category.
        finals: images whose single most frequent category it is.
        tied: images without one.
        agreement: over all rows.
        groups: of each group, if there are several.
    """

    images: int
    votes: dict[str, int]
    finals: dict[str, int]
    tied: int
    agreement: CountAgreement
    groups: dict[str, CountAgreement]

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, dicts and numbers for JSON; undefined is None."""
        result: dict[str, Any] = msgspec.to_builtins(self)
        return result


def summarise(
    answers: pd.DataFrame,
    rng: np.random.Generator,
    *,
    none_as: NoneAs = "level",
    named: bool = True,
    resamples: int = RESAMPLES,
) -> RatingSummary:
    """Summarise answers.

    Args:
        answers: from `answers_table`.
        rng: draws the resamples.
        none_as: how None enters the agreement, as in `agreement`.
        named: whether raters are persons, from `Reading`.
        resamples: of the bootstrap.
    """
    first = answers[~answers["repeat"]]
    found = verdicts(answers)
    times = answers["reaction_ms"].dropna()
    options: dict[str, Any] = {"none_as": none_as, "resamples": resamples}
    words = list(dict.fromkeys(first["emotion"].fillna("")))
    parts = [(word, answers[answers["emotion"].fillna("") == word]) for word in words]
    return RatingSummary(
        named=named,
        images=first["image"].nunique(),
        units=len(found),
        raters=answers["rater"].nunique(),
        answers=_given(first),
        repeats=int(answers["repeat"].sum()),
        reaction_ms=float(times.median()) if len(times) else None,
        outcomes=(outcome(answers, "median"), outcome(answers, "disputed")),
        sensitivity=_sensitivity(answers, found),
        agreement=agreement(answers, rng, **options),
        emotions=tuple(
            EmotionAgreement(
                word or None,
                len(verdicts(part)),
                _given(part[~part["repeat"]]),
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
    found = verdicts(answers, ties)
    ranks = found["rank"].value_counts()
    unvoted = found[["n_none", *(f"n_{word.lower()}" for word in RANKS)]].sum(axis=1) == 0
    return Outcome(
        ties=ties,
        ranks={word: int(ranks.get(word, 0)) for word in RANKS},
        flagged=int(found["flagged"].sum()),
        disputed=int(found["disputed"].sum()),
        unvoted=int(unvoted.sum()),
        tied=int(found["tied"].sum()),
    )


def summarise_emotions(
    votes: EmotionVotes, rng: np.random.Generator, *, resamples: int = RESAMPLES
) -> EmotionSummary:
    """Summarise votes on emotions; images that were shown in several ways are drawn together."""
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


def _given(first: pd.DataFrame) -> dict[str, int]:
    counts = first["answer"].value_counts()
    return {word: int(counts.get(word, 0)) for word in ANSWERS}


def _sensitivity(answers: pd.DataFrame, found: pd.DataFrame) -> tuple[Sensitivity, ...]:
    verdict = found["rank"].mask(found["flagged"], NONE)
    # Units in the same order; Dawid and Skene's are those with a vote.
    voted = verdict.notna().to_numpy(dtype=bool)
    majority = verdict[voted].to_numpy(dtype=object)
    others = {
        "ordinal median": found.loc[voted, "median"],
        "Dawid and Skene": dawid_skene_verdicts(answers)[0]["answer"],
    }
    return tuple(
        Sensitivity(name, len(majority), int((majority == other.to_numpy(dtype=object)).sum()))
        for name, other in others.items()
    )
