"""What raters' answers on any scale come to: scores, agreement, consistency."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from emorank.answers.answers_table import SKIP
from emorank.answers.names import natural
from emorank.answers.scales import TIE, Scale
from emorank.evaluation.raters.agreement import count_agreement
from emorank.evaluation.raters.careless import Marks, careless
from emorank.evaluation.raters.face_scores import face_scores, fitted_pairs
from emorank.evaluation.raters.interval_alpha import interval_alpha
from emorank.evaluation.raters.intraclass import intraclass
from emorank.evaluation.raters.speed import Speed, speed
from emorank.evaluation.statistics.uncertainty import RESAMPLES, Estimate
from emorank.vocabulary import NONE

SPLITS, SPLITS_OF_PAIRS = 50, 20  # scores of pairs are fitted anew for each half


@dataclass(frozen=True)
class ScaleSummary:
    """A summary of answers on one scale.

    Attributes:
        units: faces, or pairs, with an answer at the first showing.
        answers: of each kind at the first showing; of a slider "position" stands for all numbers.
        repeats: answers at a second showing.
        reaction_ms: the median; None if no time is known.
        agreement: statistics by name, with intervals over units.
        raters_marks: measures of each rater.
        notes: what a reader has to know, such as groups of faces that no pair connects.
    """

    scale: str
    levels: tuple[str, ...]
    images: int
    units: int
    raters: int
    answers: dict[str, int]
    repeats: int
    reaction_ms: float | None
    agreement: dict[str, Estimate]
    speed: tuple[Speed, ...]
    raters_marks: tuple[Marks, ...]
    notes: tuple[str, ...]


def summarise_scale(
    scale: Scale,
    answers: pd.DataFrame,
    rng: np.random.Generator,
    *,
    marks: tuple[Marks, ...] | None = None,
    resamples: int = RESAMPLES,
) -> ScaleSummary:
    """Summarise the answers of `room.scaled.scaled_answers`.

    The agreement of levels is that of `count_agreement`, with None as the level below the lowest;
    of a slider the intraclass correlations of `intraclass` and the alpha of `interval_alpha`, None
    being no number; of pairs the share of same choices and the nominal alpha. All scales have
    "split_half": the scores of one half of the raters against those of the other, Pearson's r with
    the Spearman-Brown correction, the mean of random halves; its range is the middle 95 % of them,
    which is no interval.
    """
    first = answers[~answers["repeat"]]
    pairs = scale.kind == "pairs"
    unit_names = ["first", "second", "emotion"] if pairs else ["image", "emotion"]
    times = answers["reaction_ms"].dropna()
    agreement = _agreement(scale, first, unit_names, rng, resamples) if len(first) else {}
    agreement["split_half"] = split_half(scale, first, rng)
    given = first["answer"]
    counts = {word: int((given == word).sum()) for word in scale.words}
    if scale.kind == "slider":
        counts = {"position": int(first["value"].notna().sum())} | counts
    faces = pd.concat([first["first"], first["second"]]) if pairs else first["image"]
    return ScaleSummary(
        scale=scale.name,
        levels=scale.levels,
        images=int(faces.nunique()),
        units=len(first[unit_names].drop_duplicates()),
        raters=int(answers["rater"].nunique()),
        answers=counts,
        repeats=int(answers["repeat"].sum()),
        reaction_ms=float(times.median()) if len(times) else None,
        agreement=agreement,
        speed=speed(answers),
        raters_marks=careless(scale, answers) if marks is None else marks,
        notes=_notes(first) if pairs else (),
    )


def split_half(scale: Scale, first: pd.DataFrame, rng: np.random.Generator) -> Estimate:
    """How well two halves of the raters agree on the scores, corrected to all raters.

    Of pairs the scores are fitted for each half, and emotions are correlated together, because each
    has the mean 0.

    Source: Spearman 1910 and Brown 1910, British Journal of Psychology 3: 2r / (1 + r).
    """
    names = sorted(first["rater"].unique(), key=natural)
    splits = SPLITS_OF_PAIRS if scale.kind == "pairs" else SPLITS
    method = f"mean and middle 95 % of {splits} random halves of raters"
    if len(names) < 2:
        return Estimate(None, method=method, reason="fewer than two raters")
    values = []
    for _ in range(splits):
        half = set(rng.permutation(names)[: len(names) // 2])
        parts = [first[first["rater"].isin(half)], first[~first["rater"].isin(half)]]
        one, other = (
            face_scores(scale, part).set_index(["image", "emotion"])["score"]
            if scale.kind == "pairs"
            else part.groupby(["image", "emotion"])["value"].mean()
            for part in parts
        )
        both = pd.concat([one, other], axis=1, keys=["one", "other"]).astype(float).dropna()
        if len(both) > 2 and both["one"].std() > 0 and both["other"].std() > 0:
            r = float(np.corrcoef(both["one"], both["other"])[0, 1])
            values.append(2 * r / (1 + r) if r > -1 else -1.0)
    if len(values) < splits / 2:
        return Estimate(None, method=method, reason="the halves share too few faces")
    low, high = np.quantile(values, [0.025, 0.975])
    return Estimate(float(np.mean(values)), float(low), float(high), method=method)


def _agreement(
    scale: Scale,
    first: pd.DataFrame,
    unit_names: list[str],
    rng: np.random.Generator,
    resamples: int,
) -> dict[str, Estimate]:
    voted = first[first["answer"] != SKIP]
    unit = voted.groupby(unit_names, sort=False).ngroup().to_numpy()
    number = int(unit.max(initial=-1)) + 1
    if scale.kind == "slider":
        rater, raters = pd.factorize(voted["rater"], sort=True)
        values = np.full((number, len(raters)), np.nan)
        values[unit, rater] = voted["value"].to_numpy(dtype=float, na_value=np.nan)
        image = np.zeros(number, np.int64)
        image[unit] = pd.factorize(voted["image"])[0]
        by_name = intraclass(values, image, rng, resamples=resamples)
        alpha = interval_alpha(values, image, rng, resamples=resamples)
        return {f"icc_{name}": value for name, value in by_name.items()} | {"alpha_interval": alpha}
    if scale.kind == "pairs":
        words: list[Any] = ["first", "second", TIE]
        chosen = np.where(voted["stronger"] == voted["first"], "first", "second")
        given = np.where(voted["stronger"] == TIE, TIE, chosen)
    else:
        words, given = [NONE, *scale.levels], voted["answer"].to_numpy(dtype=object)
    answer = pd.Index(words).get_indexer(pd.Index(given))
    counts = np.zeros((number, len(words)), np.int64)
    np.add.at(counts, (unit, answer), 1)
    image = np.zeros(number, np.int64)
    image[unit] = unit if scale.kind == "pairs" else pd.factorize(voted["image"])[0]
    ordinal = scale.kind == "levels"
    found = count_agreement(counts, image, rng, ordinal=ordinal, resamples=resamples)
    names = ("observed", "fleiss_kappa", "alpha_nominal", *(["alpha_ordinal"] if ordinal else []))
    return {name: getattr(found, name) for name in names}


def _notes(first: pd.DataFrame) -> tuple[str, ...]:
    notes = []
    for emotion, (_, model) in fitted_pairs(first).items():
        groups = int(model.group.max(initial=0)) + 1
        if groups > 1:
            notes.append(
                f"{emotion}: the answered pairs leave {groups} groups of faces that no pair "
                "connects; scores can be compared within a group only"
            )
    return tuple(notes)
