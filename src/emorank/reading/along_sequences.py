"""The contrast along sequences: one emotion each, smoothed, less what a person shows at rest."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from emorank.errors import EmorankError
from emorank.naming import natural_order
from emorank.ranking.contrast import from_probabilities, levels
from emorank.ranking.temporal import PERIOD, own_neutral, smooth
from emorank.vocabulary import LEVELS, Emotion

COLUMNS = ("expressed", "rank", "score", "log_odds", "contrast", "own_neutral")
"""What `smooth_ranks` says of each face; the first four take the place of the frame's own."""
CONTRAST = "contrast"
"""Columns of the contrast of each emotion begin with it."""


def smooth_ranks(
    table: pd.DataFrame,
    *,
    sequence: str = "sequence",
    frame: str = "frame",
    person: str = "person",
    neutral: str | None = None,
    emotion: str | None = None,
    period: float = PERIOD,
) -> pd.DataFrame:
    """Rank the frames of sequences by what all of them show.

    The contrast of each emotion to neutral is smoothed along each sequence. The sequence expresses
    the emotion whose smooth contrast is greatest in any of its frames. Where persons are known,
    what each scores when neutral is replaced by what the median person of the table does: a resting
    face that looks angry to the network no longer counts as anger.

    Args:
        table: rows of the rank "contrast", as `emorank rank --out`, `read(…).to_frame()` or
            `rank_images(…).to_frame()` give them (columns `p_EMOTION`, `score`, `log_odds`), one
            face a row. Where no face was found, these may be missing.
        sequence: column that says which faces are one sequence.
        frame: column of numbers: their order and distance in time.
        person: column of the persons; without it, or where it is missing, nothing is taken out.
        neutral: column of bools: which frames are known to be neutral. Where a person has none, the
            lowest fifth of all frames of the person is taken for neutral.
        emotion: the emotion to rank in all sequences; None for the one that each expresses.
        period: swings as short as that, in the units of `frame`, are halved.

    Returns:
        The table, its rows in their order, with `COLUMNS`: `expressed` (of the sequence), `rank` (a
        word of `LEVELS`), `score` (smooth, with the usual neutral level), `log_odds`, `contrast`
        (of this emotion in this frame, as measured), `own_neutral` (the person's level, NaN where
        none was taken out).

    Raises:
        EmorankError: a column is missing; faces of a sequence have the same frame or none; or the
            network knows no such emotion.
    """
    _check_columns(table, [sequence, frame, "p_neutral", "score", "log_odds", *_given(neutral)])
    measured, emotions = contrasts(table)
    if emotion is not None and (emotion := str(Emotion.parse(emotion))) not in emotions:
        raise EmorankError(f"'{emotion}': the table has {', '.join(emotions)}")
    curves = measured.copy()
    which = _filled(table[sequence], [f"row {row}" for row in range(len(table))])
    groups = which.groupby(which.to_numpy()).indices
    time = table[frame].to_numpy(np.float64, na_value=np.nan)
    chosen = np.zeros(len(table), np.int64)
    for name, rows in groups.items():
        try:
            for k in range(len(emotions) if len(rows) > 1 else 0):
                curves[rows, k] = smooth(measured[rows, k], time[rows], period)
        except ValueError as error:
            raise EmorankError(f"sequence {name}, column '{frame}': {error}") from error
        most = np.nan_to_num(curves[rows], nan=-np.inf).max(0).argmax()
        chosen[rows] = most if emotion is None else emotions.index(emotion)
    own = np.full_like(curves, np.nan)
    calm = table[neutral].to_numpy(bool, na_value=False) if neutral else None
    persons = table.groupby(table[person].to_numpy(object)).indices if person in table else {}
    for rows in persons.values():
        some = None if calm is None else calm[rows]
        own[rows] = [own_neutral(curve, some) for curve in curves[rows].T]
    if persons:
        usual = np.nanmedian([own[rows[0]] for rows in persons.values()], axis=0)
        curves += np.nan_to_num(usual - own)
    each = np.arange(len(table)), chosen
    score = curves[each]
    log_odds = score / _temperature(table)
    level = pd.Series(levels(log_odds), dtype="Int64").mask(np.isnan(score))
    said: dict[str, Any] = {
        "expressed": pd.array([emotions[k] for k in chosen], dtype="string"),
        "rank": level.map(lambda k: LEVELS[int(k)], na_action="ignore").astype("string").array,
        "score": score,
        "log_odds": log_odds,
        "contrast": measured[each],
        "own_neutral": own[each],
    }
    return table.assign(**said)


def smooth_folders(
    rows: Iterable[dict[str, Any]], paths: Sequence[Path], emotion: str | None = None
) -> Iterator[dict[str, Any]]:
    """The rows of images with each folder as one sequence, in the order of names.

    `rows` are of the rank "contrast", one face an image; `paths` are all images, those without a
    face too, whose places stay empty. Numbers in names count as numbers: 9.jpg is before 10.jpg.
    """
    table = pd.DataFrame(list(rows))
    if table.empty:
        return
    ordered = sorted(paths, key=lambda path: natural_order(path.as_posix()))
    place = {str(path): number for number, path in enumerate(ordered)}
    folders = [str(Path(image).parent) for image in table["image"]]
    about = table.assign(sequence=folders, frame=[place[image] for image in table["image"]])
    said = smooth_ranks(about, emotion=emotion).drop(columns=["sequence", "frame", "own_neutral"])
    for row in said.to_dict("records"):
        yield {str(key): None if pd.isna(value) else value for key, value in row.items()}


def contrasts(table: pd.DataFrame) -> tuple[Float[np.ndarray, "face emotion"], list[str]]:
    """The logit of each emotion less that of neutral, and the emotions, in the order of `Emotion`.

    They come from the columns `contrast_EMOTION`, or where these are not there from `p_EMOTION`,
    which holds contrasts within ±87 only; NaN where there is no face.
    """
    emotions = [
        str(one) for one in Emotion if one != Emotion.NEUTRAL and f"p_{one}" in table.columns
    ]
    exact = [f"{CONTRAST}_{one}" for one in emotions]
    if set(exact) <= set(table):
        return table[exact].to_numpy(np.float64, na_value=np.nan), emotions
    shares, neutral = (
        table[names].to_numpy(np.float64, na_value=np.nan)
        for names in ([f"p_{one}" for one in emotions], "p_neutral")
    )
    return from_probabilities(shares, neutral), emotions


def _temperature(table: pd.DataFrame) -> float:
    """That of the rank, whose log-odds are its scores over it."""
    score, log_odds = (float(table[name].abs().sum()) for name in ("score", "log_odds"))
    return score / log_odds if score and log_odds else 1.0


def _check_columns(table: pd.DataFrame, names: list[str]) -> None:
    if missing := [name for name in names if name not in table.columns]:
        raise EmorankError(
            f"the table lacks {', '.join(missing)}; expected rows of the rank 'contrast', with the "
            "sequence and the frame of each face"
        )


def _filled(names: pd.Series, others: Any) -> pd.Series:
    """The names as text; those of `others` where there is none."""
    plain = names.astype("object")
    known = plain.notna().to_numpy()
    return pd.Series(np.where(known, plain.astype(str), others), dtype="object")


def _given(*names: str | None) -> list[str]:
    return [name for name in names if name]
