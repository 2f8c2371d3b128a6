"""All measurements of the laboratory for one rank, on the faces of a study."""

from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np
import pandas as pd

from emorank.evaluation.laboratory.calibration_curve import expected_error, of_levels, of_scores
from emorank.evaluation.laboratory.separation import separation
from emorank.evaluation.laboratory.sequences import Sequences, sequences
from emorank.evaluation.laboratory.stability import ScoreChange, change, spread_of
from emorank.evaluation.laboratory.validity import correlations, nuisance
from emorank.evaluation.laboratory.verdict import EXPRESSIVE, Examination, judge
from emorank.evaluation.level_agreement import LevelAgreement, level_agreement
from emorank.evaluation.statistics.columns import Options, floats, same
from emorank.evaluation.statistics.uncertainty import FEW, Estimate
from emorank.vocabulary import LEVEL_COLUMNS, Emotion

TRUTHS = {"intensity": "known intensity", "mean": "mean rating", "majority": "raters' majority"}
"""Columns that may hold how strong an expression is, the best first, and their names in words."""

_FEWEST = 3  # expressive faces with a known intensity


def examine(
    rank: str,
    kind: Literal["rank", "control", "file"],
    faces: pd.DataFrame,
    given: pd.DataFrame,
    *,
    changed: Mapping[str, pd.DataFrame] | None = None,
    morphs: pd.DataFrame | None = None,
    ceiling: Estimate | None = None,
    options: Options | None = None,
) -> Examination:
    """Measure everything that these faces allow for one rank.

    Args:
        rank: its name.
        kind: as in `Examination`.
        faces: one row per face: `emotion`, `person`, `sequence`, `frame`, `intensity`, `mean`,
            `majority` (level), `voters`, `brightness`; missing where unknown. With `asked`, the
            emotion that the rank was told to score in each face; without it the rank chose.
        given: `score` and `level` of each face, in their order, missing where it has none; and
            `p_none` to `p_strong` if the rank gives probabilities of levels.
        changed: the same columns for changed faces, by the name of the change; `face` is their row.
        morphs: the same columns for pictures between a neutral and an expressive face: `morph` is
            a number of the pair, `step` its place between them, `emotion` and `person` those of the
            expressive face. None if not tried.
        ceiling: from `one_rater.human_ceiling`; None without votes.
        options: of the bootstrap.
    """
    options, changed = options or Options(), changed or {}
    faces, given = faces.reset_index(drop=True), given.reset_index(drop=True)
    emotion, persons = faces["emotion"].mask(neutral_of(faces)), faces["person"]
    correlated = {
        what: correlations(given["score"], faces[column], emotion, persons, options)
        for column, what in TRUTHS.items()
        if _known(faces, column)
    }
    truth, values, groups = _main(faces, emotion)
    if truth == EXPRESSIVE:
        correlated[truth] = correlations(given["score"], values, groups, persons, options)
    score = (given["score"], values, faces["brightness"], groups, persons, options)
    brightness = nuisance(*score) if truth else None
    rated = _levels(faces, given, options, faces["voters"] > 0)
    changes = {name: _change(faces, given, some, options) for name, some in changed.items()}
    scores = floats(given["score"].dropna())
    return Examination(
        rank=rank,
        kind=kind,
        faces=len(faces),
        scored=len(scores),
        truth=truth,
        correlations=correlated,
        brightness=brightness,
        levels=rated,
        levels_and_neutral=_levels(faces, given, options),
        separation=separation(
            given["score"], emotion, neutral_of(faces), persons, options, faces.get("asked")
        ),
        of_levels=of_levels(given["level"], values, persons, options)
        if truth and given["level"].notna().any()
        else None,
        of_scores=of_scores(given["score"], values, persons, options) if truth else None,
        calibration_error=_calibration_error(faces, given, options),
        sequences=_along(faces.assign(score=given["score"]), "sequence", "frame", options),
        morphs=None if morphs is None else _along(morphs, "morph", "step", options),
        changes=changes,
        verdict=judge(
            correlated.get(truth),
            brightness,
            rated,
            changes,
            ceiling,
            constant=same(scores),
            truth=truth,
        ),
    )


def unmeasured(faces: pd.DataFrame) -> Iterator[str]:
    """What these faces, as in `examine`, do not allow to ask, and why."""
    calm = neutral_of(faces)
    if faces["intensity"][~calm].isna().all():
        yield "The data set records no intensity of expressions."
    if not (faces["voters"] > 0).any():
        yield "No votes on the test faces, so ranks are not compared with raters (--votes FILE)."
    if not calm.any():
        yield "No neutral face, so nothing is told from neutral faces."
    if faces["sequence"].isna().all():
        yield "No sequences, so no order of frames to follow."
    persons = faces["person"].nunique()
    if not persons:
        yield "The persons are not known: intervals take the images for independent."
    elif persons < FEW:
        yield f"Intervals over {persons} persons are rough: often too narrow, or too high."


def neutral_of(faces: pd.DataFrame) -> pd.Series:
    """Whether each face is known to be neutral."""
    return (faces["emotion"] == Emotion.NEUTRAL).fillna(False).astype(bool)


def _known(faces: pd.DataFrame, column: str) -> bool:
    """Whether enough expressive faces have a known intensity, and not all the same."""
    values = faces.loc[~neutral_of(faces), column].dropna()
    return len(values) >= _FEWEST and not same(floats(values))


def _main(faces: pd.DataFrame, emotion: pd.Series) -> tuple[str, pd.Series, pd.Series]:
    """The truth that decides: name, values, and the groups within which they are compared."""
    for column, what in TRUTHS.items():
        if _known(faces, column):
            return what, faces[column].astype("Float64"), emotion
    calm = neutral_of(faces)
    if calm.any() and emotion.notna().any():
        expressive = pd.Series(1.0, faces.index).mask(calm, 0.0).mask(~calm & emotion.isna())
        return EXPRESSIVE, expressive, pd.Series("faces", faces.index)
    return "", pd.Series(np.nan, faces.index), emotion


def _levels(
    faces: pd.DataFrame, given: pd.DataFrame, options: Options, used: pd.Series | None = None
) -> LevelAgreement | None:
    majority = faces["majority"] if used is None else faces["majority"].where(used)
    if given["level"].isna().all() or not (faces["voters"] > 0).any():
        return None
    return level_agreement(given["level"], majority, faces["person"], options)


def _calibration_error(
    faces: pd.DataFrame, given: pd.DataFrame, options: Options
) -> Estimate | None:
    if not set(LEVEL_COLUMNS) <= set(given.columns) or not (faces["voters"] > 0).any():
        return None
    probabilities = given[[*LEVEL_COLUMNS]].to_numpy(np.float64, na_value=np.nan)
    if np.isnan(probabilities).all():
        return None
    return expected_error(probabilities, faces["majority"], faces["person"], options)


def _change(
    faces: pd.DataFrame, given: pd.DataFrame, after: pd.DataFrame, options: Options
) -> ScoreChange:
    rows = after["face"].to_numpy()
    before = given.iloc[rows]
    return change(
        (before["score"], before["level"]),
        (after["score"], after["level"]),
        spread_of(given["score"]),
        faces["person"].iloc[rows],
        options,
    )


def _along(table: pd.DataFrame, sequence: str, order: str, options: Options) -> Sequences | None:
    if table[sequence].isna().all():
        return None
    return sequences(
        table["score"], table[sequence], table[order], table["emotion"], table["person"], options
    )
