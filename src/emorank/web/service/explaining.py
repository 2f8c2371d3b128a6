"""One face of a picture explained: as a figure, or as raw relevance."""

import io
import json
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from jaxtyping import Float32

from emorank.errors import PlanError
from emorank.framing import View
from emorank.reading.emotion_network import EmotionNetwork
from emorank.reading.explanations import Explanation, flat_warning
from emorank.reading.questions import explain_emotion
from emorank.reading.reader import RankedFace, Reader
from emorank.relevance import Preset
from emorank.report.explained import draw_explanation
from emorank.report.reading import draw_reading
from emorank.vocabulary import Emotion
from emorank.web.service.rows import plain


@dataclass(frozen=True)
class Explained:
    """A face, and why the network names its expression and not another one.

    Attributes:
        face: as the reader gives it, with its heatmap against neutral.
        against: what the expression is held against; None where a network does not know neutral
            and the logit alone is explained.
        preset: the rules of the relevance.
        other: the explanation against another expression than neutral, where one was asked for.
    """

    face: RankedFace
    against: Emotion | None
    preset: str | Preset
    other: Explanation | None = None

    @property
    def relevance(self) -> Float32[np.ndarray, "3 side side"]:
        """Of each pixel and channel, as computed."""
        found = self.face.heatmap if self.other is None else next(iter(self.other.maps.values()))
        assert found is not None  # noqa: S101 - the reader gives heatmaps
        return found

    def png(self) -> bytes:
        """The figure."""
        return draw_reading(self.face) if self.other is None else draw_explanation(self.other)

    def npz(self) -> bytes:
        """The relevance, the pixels that the network saw, and the rest as plain arrays."""
        row = self.face.row
        classes = [name[2:] for name in row if name.startswith("p_") and name[2:] in set(Emotion)]
        arrays: dict[str, Any] = {
            "relevance": self.relevance,
            "pixels": self.face.pixels,
            "classes": np.array(classes),
            "probabilities": np.array([row[f"p_{name}"] for name in classes], np.float32),
            "explained": np.array(row["expressed"]),
            "against": np.array(str(self.against or "")),
            "preset": np.array(str(self.preset) if isinstance(self.preset, str) else "own rules"),
            "warning": np.array(flat_warning(self.face.pixels, self.preset)),
            "row": np.array(json.dumps(plain(row))),
        }
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        return buffer.getvalue()


def explain(
    reader: Reader, view: View, against: str | None, preset: str | None, crop: str | None
) -> Explained:
    """Explain what a reader with heatmaps says of a framed face.

    Args:
        reader: whose network explains; the emotion that it ranks is explained.
        view: the face.
        against: another emotion, "why this and not that"; None for neutral.
        preset: of relevance; None for the network's own of heatmaps.
        crop: how the face was framed; None for the network's own way.

    Raises:
        PlanError: the network does not know `against`, or it is what the face expresses.
        RelevanceError: the preset does not fit the network.
    """
    network = reader.network if preset is None else _by_preset(reader.network, preset)
    (face,) = replace(reader, network=network).rank([view], crop)
    neutral = Emotion.NEUTRAL if network.knows_neutral else None
    other = neutral if against is None else Emotion.parse(against)
    if other == neutral:
        return Explained(face, neutral, network.heatmap)
    expressed = Emotion(face.row["expressed"])
    if other not in network.classes or other == expressed:
        known = ", ".join(one for one in network.classes if one != expressed)
        raise PlanError(f"against={against}: the face expresses {expressed}; expected {known}")
    return Explained(face, other, network.heatmap, explain_emotion(network, view, expressed, other))


@lru_cache(8)
def _by_preset(network: EmotionNetwork, preset: str) -> EmotionNetwork:
    """The network with another preset of heatmaps; kept, because making one ready takes time."""
    return replace(network, heatmap=preset)
