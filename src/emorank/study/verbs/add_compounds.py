"""Compound expressions of faces that a study has named: which two emotions, and how strong."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from emorank.errors import StudyError
from emorank.ranking.compounds import compounds_of, expressed_emotions, shares, weaker_level
from emorank.reading import ranks
from emorank.reading.emotion_network import EmotionNetwork
from emorank.reading.measured import Measured
from emorank.reading.reader import RankedFace
from emorank.study.folder import Study
from emorank.study.trained_network import trained_network
from emorank.vocabulary import LEVELS, NONE, Emotion


def add_compounds(study: Study, faces: Iterable[RankedFace]) -> Iterator[RankedFace]:
    """Say of each face which compound of two basic emotions is nearest, and how strong it is.

    Each row gets `compound`, the named pair with the greatest share; `compound_share` in [0, 1],
    twice the geometric mean of its probabilities; `compound_rank`: None unless the face expresses
    both parts, and then the lower of their ranks, each by the paper's rule from the relevance of
    its own output. docs/compounds.md says how far this can be believed.

    The faces are from `rank_images` of this study, best by `rank="paper"`, whose maps then serve
    here too; they are taken one at a time.

    Raises:
        StudyError: the network knows no two emotions that have a name together.
        WeightsError: the study has no model.
    """
    parts = _Parts(study)
    return (replace(face, row=face.row | parts.compound(face)) for face in faces)


class _Parts:
    """The network for the emotion that was not predicted; loaded when a face needs it."""

    def __init__(self, study: Study) -> None:
        self.study = study

    def compound(self, face: RankedFace) -> dict[str, Any]:
        """The three columns."""
        classes = tuple(emotion for emotion in Emotion if f"p_{emotion}" in face.row)
        compounds = compounds_of(classes)
        if not compounds:
            raise StudyError(
                f"{self.study.folder}: its network knows {', '.join(classes)}, and no two of them "
                "have a name together; a compound needs two emotions of docs/compounds.md"
            )
        probabilities = np.array([[float(face.row[f"p_{emotion}"]) for emotion in classes]])
        share = shares(probabilities, classes)[0]
        nearest = compounds[int(share.argmax())]
        there = dict(zip(classes, expressed_emotions(probabilities, classes)[0], strict=True))
        level = NONE
        if all(there[part] for part in nearest.parts):
            first, second = (np.array(self._level(face, part)) for part in nearest.parts)
            level = LEVELS[int(weaker_level(first, second))]
        return {
            "compound": nearest.name,
            "compound_share": float(share.max()),
            "compound_rank": level,
        }

    def _level(self, face: RankedFace, emotion: Emotion) -> int:
        if emotion == face.row["expressed"] and "n_1" in face.row:  # ranked by the paper's rule
            return LEVELS.index(str(face.row["rank"]))
        measured = Measured(self._network, [face.pixels], emotion=emotion)
        return int(ranks.paper(measured, self.study.plan.rank.rule)["level"][0])

    @cached_property
    def _network(self) -> EmotionNetwork:
        return trained_network(self.study)
