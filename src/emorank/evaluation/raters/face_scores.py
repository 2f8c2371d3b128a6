"""One score of each face from the answers on any scale: means, or Bradley-Terry scores of pairs."""

import numpy as np
import pandas as pd

from emorank.answers.scales import TIE, Scale
from emorank.evaluation.raters.bradley_terry import PENALTY, BradleyTerry, bradley_terry
from emorank.evaluation.statistics.uncertainty import LEVEL
from emorank.vocabulary import NONE


def face_scores(scale: Scale, answers: pd.DataFrame, level: float = LEVEL) -> pd.DataFrame:
    """A score of each face, from the table of `room.scaled.scaled_answers`; first showings only.

    Returns:
        `image`, `emotion`, `score`, `low`, `high`, `error` (standard error), `n` (ratings, or
        comparisons), in the order of first appearance. The score of levels is their mean as numbers
        from 1, of a slider the mean position; the interval is Student's over raters. Of pairs it is
        the Bradley-Terry score in logits, fitted for each emotion, and the interval is the normal
        one. Levels and sliders have `median` and `n_none` (raters who said "not this emotion",
        which is no number) besides; pairs have `group`: scores of one emotion can be compared
        within a group only, and there is one unless pairs were left out.
    """
    first = answers[~answers["repeat"]]
    if scale.kind == "pairs":
        return _of_pairs(first, level)
    rows = []
    for (image, emotion), mine in first.groupby(["image", "emotion"], sort=False):
        values = mine["value"].dropna().to_numpy(dtype=float)
        number = len(values)
        error = values.std(ddof=1) / np.sqrt(number) if number > 1 else np.nan
        score = values.mean() if number else np.nan
        reach = error * _student(level, number)
        rows.append(
            {
                "image": image,
                "emotion": emotion,
                "score": score,
                "low": score - reach,
                "high": score + reach,
                "error": error,
                "n": number,
                "median": np.median(values) if number else np.nan,
                "n_none": int((mine["answer"] == NONE).sum()),
            }
        )
    names = ["image", "emotion", "score", "low", "high", "error", "n", "median", "n_none"]
    return pd.DataFrame(rows, columns=names)


def fitted_pairs(
    answers: pd.DataFrame, penalty: float = PENALTY
) -> dict[str, tuple[list[str], BradleyTerry]]:
    """Of each emotion, the names of its faces and the model fitted to first showings."""
    first = answers[~answers["repeat"]]
    models = {}
    for emotion, mine in first.groupby("emotion", sort=False):
        faces = list(dict.fromkeys([*mine["first"], *mine["second"]]))
        chosen = mine[mine["stronger"].notna()]
        index = pd.Index(faces)
        wins = (chosen["stronger"] == chosen["first"]).to_numpy(dtype=float)
        wins[(chosen["stronger"] == TIE).to_numpy(dtype=bool)] = 0.5
        models[str(emotion)] = faces, bradley_terry(
            len(faces), index.get_indexer(pd.Index(chosen["first"])),
            index.get_indexer(pd.Index(chosen["second"])), wins, penalty,
        )  # fmt: skip
    return models


def _of_pairs(first: pd.DataFrame, level: float) -> pd.DataFrame:
    from scipy.stats import norm

    reach = norm.ppf((1 + level) / 2)
    parts = [
        pd.DataFrame(
            {
                "image": faces,
                "emotion": emotion,
                "score": model.scores,
                "low": model.scores - reach * model.errors,
                "high": model.scores + reach * model.errors,
                "error": model.errors,
                "n": model.comparisons,
                "group": model.group,
            }
        )
        for emotion, (faces, model) in fitted_pairs(first).items()
    ]
    names = ["image", "emotion", "score", "low", "high", "error", "n", "group"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=names)


def _student(level: float, number: int) -> float:
    from scipy.stats import t

    return float(t.ppf((1 + level) / 2, number - 1)) if number > 1 else np.nan
