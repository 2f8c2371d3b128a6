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
) -> dict[str, Estimate]:
    """How well a score tells the expressive faces of each emotion from neutral ones.

    Returns:
        The area under the ROC curve of each emotion against all neutral faces (0.5 is chance), and
        as `ALL` that of all expressive faces; empty if no face is neutral.
    """
    options = options or Options()
    known = ~missing(score)
    x, calm = floats(score)[known], np.asarray(neutral, bool)[known]
    who = people(persons, known)
    expressive = groups(np.where(calm, None, array(emotion)[known])) if calm.any() else {}
    if expressive:
        expressive[ALL] = np.concatenate([*expressive.values()])
    areas = {
        name: auc(x[rows], x[calm], who.number[rows], who.number[calm], who.size)
        for name, rows in expressive.items()
    }
    return who.estimates(lambda draws: {name: of(draws) for name, of in areas.items()}, options)
