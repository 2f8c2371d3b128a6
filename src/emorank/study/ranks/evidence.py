"""Where a study cuts its evidence into Minimal, Average and Strong: no votes are asked."""

import pandas as pd

from emorank.progress import Progress, silent
from emorank.ranking.evidence import SCORE, Cuts, cuts
from emorank.study.folder import Study
from emorank.study.ranks.gauge import Gauge, gauged
from emorank.vocabulary import Emotion

RESULT = "evidence"


def evidence_cuts(study: Study, by: Gauge, progress: Progress = silent) -> Cuts:
    """Those that `calibrate` wrote into the study, or else worked out from its faces.

    Of the validation part only: on persons that it has learnt from a network finds more evidence
    than on others, and thirds of that would call everybody else Minimal.

    Raises:
        StudyError: the study is not prepared, or too few faces are left.
    """
    stored = study.result(RESULT)
    if stored is not None:
        return {word: (low, high) for word, (low, high) in stored.items()}
    faces = study.table("faces").merge(study.table("split"), on="image")
    return cuts_of(gauged(study, by, faces[faces["part"] == "validation"], progress))


def cuts_of(measured: pd.DataFrame) -> Cuts:
    """The cuts from faces that were gauged: `predicted` and the features."""
    shown = measured[measured["predicted"] != Emotion.NEUTRAL]
    return cuts(shown[SCORE].to_numpy(), shown["predicted"].to_list())
