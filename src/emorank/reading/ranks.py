"""The ranks by name. Each says of a measured batch how strongly the emotion is expressed.

A rank is a function of the batch and of its own setting. It returns a row for each face: `level`
(Int64, a place in `LEVELS`; <NA> where the rank abstains or has no levels), `score` (float64, the
greater the stronger, also for faces that are called neutral; NaN where there is none), and then the
numbers that are the rank's own.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float32

from emorank.networks import ordinal as ordinal_outputs
from emorank.networks.checkpoint import Checkpoint
from emorank.ranking import evidence as thirds
from emorank.ranking import rank as interval_rank
from emorank.ranking.calibrated import LevelModel
from emorank.ranking.contrast import levels as contrast_levels
from emorank.reading.measured import Measured
from emorank.vocabulary import LEVEL_COLUMNS, Emotion


def contrast(measured: Measured, temperature: float = 1.0) -> pd.DataFrame:
    """The contrast to neutral; None where neutral is more probable than the expression.

    `log_odds` is the contrast over the temperature. A network that does not know neutral has
    neither these nor levels.
    """
    table = _score(pd.Series(measured.contrast))
    if not measured.network.knows_neutral:
        return table.assign(log_odds=np.nan)
    log_odds = table["score"] / temperature
    level = pd.array(contrast_levels(log_odds.to_numpy()), dtype="Int64")
    return table.assign(level=level, log_odds=log_odds)


def paper(measured: Measured, rule: str) -> pd.DataFrame:
    """The paper's rule "count", "mean" or "sum" on the pixels; None where neutral is predicted."""
    table = interval_table(measured.relevance, rule)
    neutral = measured.table["predicted"] == Emotion.NEUTRAL
    return table.assign(level=table["level"].mask(neutral, 0))


def evidence(measured: Measured, cuts: thirds.Cuts) -> pd.DataFrame:
    """The balance of the evidence, cut into thirds; None where neutral is predicted.

    The cuts are of the scores of faces that the network did not learn from.
    """
    features, named = measured.evidence, measured.table
    score = features[thirds.SCORE].to_numpy()
    shown = named["expressed"].where(named["predicted"] != Emotion.NEUTRAL, Emotion.NEUTRAL)
    level = pd.array(thirds.levels(score, shown.to_list(), cuts), dtype="Int64")
    return pd.concat([pd.DataFrame({"level": level, "score": score}), features], axis=1)


def calibrated(measured: Measured, fitted: LevelModel) -> pd.DataFrame:
    """The model fitted on rated faces: `p_none` … `p_strong`; <NA> where no level is sure."""
    features = measured.evidence.assign(contrast=measured.contrast)
    return pd.concat([fitted.ranks(features), features], axis=1)


def ordinal(measured: Measured, model: Checkpoint) -> pd.DataFrame:
    """The ordinal network: its level, None among them, its score, and `p_none` … `p_strong`.

    It knows None by itself, so a face that is called neutral may have a level.
    """
    return level_table(measured.outputs(model.net), measured.table["expressed"], model)


def probability(measured: Measured, _: None = None) -> pd.DataFrame:
    """The classifier's probability of the expressed emotion, a score without levels."""
    return _score(measured.table["expressed_p"])


def logit(measured: Measured, _: None = None) -> pd.DataFrame:
    """The classifier's logit of the expressed emotion, a score without levels."""
    return _score(measured.table["expressed_logit"])


RANKS: dict[str, Callable[[Measured, Any], pd.DataFrame]] = {
    "contrast": contrast,
    "paper": paper,
    "evidence": evidence,
    "calibrated": calibrated,
    "ordinal": ordinal,
    "probability": probability,
    "logit": logit,
}
SCORES = ("probability", "logit")
"""The names in `RANKS` that have no levels: scores to compare with."""


def interval_table(
    relevance: Float32[np.ndarray, "batch 3 side side"], rule: str = "count"
) -> pd.DataFrame:
    """The paper's rule on maps: `level`, `score`, `n_1` … `n_10`, `value_1` … `value_3`, `zero`.

    The score is where zero relevance lands after scaling, because that decides the rank.
    """
    ranks = interval_rank(relevance, rule=rule)
    group_values = ranks.values  # noqa: PD011 - a record of ours, no DataFrame
    columns = {"level": pd.array(ranks.ranks, dtype="Int64"), "score": ranks.zero}
    columns |= {f"n_{j + 1}": ranks.counts[:, j] for j in range(ranks.counts.shape[1])}
    columns |= {f"value_{j + 1}": group_values[:, j] for j in range(group_values.shape[1])}
    return pd.DataFrame(columns | {"zero": ranks.zero})


def level_table(
    outputs: Float32[np.ndarray, "batch outputs"],
    emotions: Sequence[str] | pd.Series,
    model: Checkpoint,
) -> pd.DataFrame:
    """`level`, `score` and each level's probability, of one emotion of each face, by `model`."""
    rows = np.arange(len(outputs))
    chosen = [model.classes.index(Emotion(word)) for word in emotions]
    steps = ordinal_outputs.STEPS
    # Against the middle threshold, which is 0.
    score = outputs.reshape(len(outputs), -1, steps)[rows, chosen, steps // 2]
    level = pd.array(ordinal_outputs.levels(outputs)[rows, chosen], dtype="Int64")
    shares = ordinal_outputs.probabilities(outputs)[rows, chosen]
    table = pd.DataFrame({"level": level, "score": score.astype(np.float64)})
    return table.assign(**{name: shares[:, k] for k, name in enumerate(LEVEL_COLUMNS)})


def _score(column: pd.Series) -> pd.DataFrame:
    level = pd.array([pd.NA] * len(column), dtype="Int64")
    return pd.DataFrame({"level": level, "score": column.astype(np.float64)})
