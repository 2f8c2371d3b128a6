"""Where a study cuts its evidence into Minimal, Average and Strong: no votes are asked."""

import pandas as pd

from emorank.progress import Progress, silent
from emorank.ranking.evidence import SCORE, Cuts, cuts
from emorank.reading.emotion_network import EmotionNetwork
from emorank.study.folder import Study
from emorank.study.learning.measured_faces import evidence_of_faces
from emorank.vocabulary import Emotion

RESULT = "evidence"


def evidence_cuts(study: Study, network: EmotionNetwork, progress: Progress = silent) -> Cuts:
    """Those that `calibrate` wrote into the study, or else worked out from its faces.

    Only the faces of the validation part count: a network finds more evidence on persons that it
    has learnt from than on others, so thirds of theirs would call everybody else Minimal.

    Raises:
        StudyError: the study is not prepared, or too few faces are left.
    """
    stored = study.result(RESULT)
    if stored is not None:
        return {word: (low, high) for word, (low, high) in stored.items()}
    faces = study.table("faces").merge(study.table("split"), on="image")
    validation = faces[faces["part"] == "validation"]
    return cuts_of(evidence_of_faces(study, network, validation, progress))


def cuts_of(evidence: pd.DataFrame) -> Cuts:
    """The cuts from a table of faces with `predicted` and the features of the evidence."""
    shown = evidence[evidence["predicted"] != Emotion.NEUTRAL]
    return cuts(shown[SCORE].to_numpy(), shown["predicted"].to_list())
