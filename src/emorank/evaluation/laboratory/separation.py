"""Does a score tell expressive faces from neutral ones?"""

import numpy as np

from emorank.evaluation.statistics.columns import (
    Column,
    Options,
    array,
    floats,
    groups,
    missing,
    people,
)
from emorank.evaluation.statistics.correlation import auc
from emorank.evaluation.statistics.uncertainty import Estimate

ALL = "all"


def separation(
    score: Column,
    emotion: Column,
    neutral: Column,
    persons: Column | None = None,
    options: Options | None = None,
    asked: Column | None = None,
) -> dict[str, Estimate]:
    """How well a score tells the expressive faces of each emotion from neutral ones.

    `asked` is the emotion that each face was scored for, if it was told; then the faces of an
    emotion are compared with the neutral ones that were scored for the same.

    Returns:
        The area under the ROC curve of each emotion against neutral faces (0.5 is chance), and as
        `ALL` that of all expressive faces against all neutral ones; empty if no face is neutral.
    """
    options = options or Options()
    known = ~missing(score)
    x, calm = floats(score)[known], np.asarray(neutral, bool)[known]
    who = people(persons, known)
    expressive = groups(np.where(calm, None, array(emotion)[known])) if calm.any() else {}
    everybody = np.flatnonzero(calm)
    others = {} if asked is None else groups(np.where(calm, array(asked)[known], None))
    against = {
        name: others.get(name, np.empty(0, np.int64)) if others else everybody
        for name in expressive
    }
    if expressive:
        expressive[ALL], against[ALL] = np.concatenate([*expressive.values()]), everybody
    areas = {
        name: auc(x[rows], x[calmer], who.number[rows], who.number[calmer], who.size)
        for name, rows in expressive.items()
        for calmer in [against[name]]
    }
    return who.estimates(lambda draws: {name: of(draws) for name, of in areas.items()}, options)
