"""The ranks of a study by name: each takes faces and says how strongly they express an emotion."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from emorank.errors import PlanError
from emorank.networks import checkpoint
from emorank.ranking import evidence
from emorank.ranking import rank as interval_rank
from emorank.study.folder import Study
from emorank.study.ranks.calibrate import RESULT as CALIBRATION
from emorank.study.ranks.calibrate import calibration
from emorank.study.ranks.evidence import RESULT as EVIDENCE
from emorank.study.ranks.evidence import evidence_cuts
from emorank.study.ranks.gauge import gauge
from emorank.study.ranks.intensity import OrdinalMeter
from emorank.study.ranks.measure import Meter, Pixels
from emorank.vocabulary import Emotion

Ranker = Callable[[Sequence[Pixels]], pd.DataFrame]
"""Framed faces in; a row for each out, in their order: `predicted`, `p_…`, `expressed`; `level`
(Int64, a place in `LEVELS`; 0 where no emotion is expressed, <NA> where the ranker abstains or has
no levels) and `score` (float64, the greater the stronger, also for faces that are called neutral;
NaN where there is none)."""
Build = Callable[[Study, Emotion | None], Ranker]


def ranker(study: Study, method: str, emotion: str | None = None) -> Ranker:
    """A rank of a study, ready for faces that nobody has seen.

    Args:
        study: trained, and calibrated where the rank needs it.
        method: a name of `METHODS`.
        emotion: how strongly this one is expressed, whatever the network names; None for the most
            probable one that is not neutral, which is the predicted one where that is not neutral.

    Raises:
        PlanError: there is no such rank, or the network does not know the emotion.
        StudyError: the study lacks what the rank needs.
        WeightsError: the study has no model.
    """
    if method not in METHODS:
        raise PlanError(f"'{method}' is no rank; expected one of {', '.join(METHODS)}")
    return METHODS[method](study, None if emotion is None else _asked(study, emotion))


def _asked(study: Study, word: str) -> Emotion:
    known = checkpoint.known(study.path("model.safetensors")).classes
    emotion = Emotion.parse(word)
    if emotion == Emotion.NEUTRAL or emotion not in known:
        words = ", ".join(str(one) for one in known if one != Emotion.NEUTRAL)
        raise PlanError(f"the intensity of '{word}': the model knows that of {words}")
    return emotion


def _paper(study: Study, asked: Emotion | None) -> Ranker:
    """The paper's rule; its score is where zero relevance lands, which is what its rank follows."""
    meter = Meter(study, asked)

    def ranks(pixels: Sequence[Pixels]) -> pd.DataFrame:
        tables = []
        for found in meter.stream(pixels):
            ruled = interval_rank(found.relevance, rule=study.plan.rank.rule)
            level = pd.array(ruled.ranks, dtype="Int64")
            tables.append(found.table.assign(level=level, score=ruled.zero))
        return _neutral_is_none(pd.concat(tables, ignore_index=True))

    return ranks


def _evidence(study: Study, asked: Emotion | None) -> Ranker:
    """The evidence in the relevance, cut into thirds; nobody's votes are asked."""
    by, cuts = gauge(study, asked), evidence_cuts(study, gauge(study))

    def ranks(pixels: Sequence[Pixels]) -> pd.DataFrame:
        table = by.faces(pixels)
        score = table[evidence.SCORE].to_numpy()
        shown = table["expressed"].where(table["predicted"] != Emotion.NEUTRAL, Emotion.NEUTRAL)
        level = evidence.levels(score, shown.to_list(), cuts)
        return table.assign(level=pd.array(level, dtype="Int64"), score=score)

    return ranks


def _calibrated(study: Study, asked: Emotion | None) -> Ranker:
    """The ordinal model fitted on rated faces; `p_none` … `p_strong`, and <NA> where unsure."""
    by, fitted = gauge(study, asked), calibration(study)

    def ranks(pixels: Sequence[Pixels]) -> pd.DataFrame:
        table = by.faces(pixels)
        return pd.concat([table, fitted.ranks(table)], axis=1)

    return ranks


def _of_column(column: str) -> Build:
    """A score that the network gives without an explanation; it has no levels."""

    def build(study: Study, asked: Emotion | None) -> Ranker:
        meter = Meter(study, asked)

        def ranks(pixels: Sequence[Pixels]) -> pd.DataFrame:
            table = meter.names(pixels)
            score = table[column].astype(np.float64)
            return table.assign(level=pd.array([pd.NA] * len(table), dtype="Int64"), score=score)

        return ranks

    return build


def _ordinal(study: Study, asked: Emotion | None) -> Ranker:
    """The ordinal network: the level of the expressed emotion, None among them, and its score.

    It has a None of its own, so it may find the intensity of a face that is called neutral.
    """
    return OrdinalMeter(study, asked=asked)


def _neutral_is_none(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(level=table["level"].mask(table["predicted"] == Emotion.NEUTRAL, 0))


METHODS: dict[str, Build] = {
    "paper": _paper,
    "evidence": _evidence,
    "calibrated": _calibrated,
    "ordinal": _ordinal,
    "probability": _of_column("expressed_p"),
    "logit": _of_column("expressed_logit"),
}

FILES = {
    "evidence": (f"{EVIDENCE}.json",),
    "calibrated": (f"{CALIBRATION}.json",),
}
"""What a method reads of the study besides its network: where one changes, so may the ranks."""

SCORES = ("probability", "logit")
RANKS = tuple(method for method in METHODS if method not in SCORES)
"""The methods that give levels; the others are scores to compare with."""
