"""How strongly a face expresses an emotion by an ordinal network, and why so strongly."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float32

from emorank.framing import Picture, View
from emorank.networks import ordinal
from emorank.networks.checkpoint import Checkpoint
from emorank.networks.normalisation import to_batch
from emorank.reading import ranks
from emorank.reading.emotion_network import EmotionNetwork
from emorank.reading.measured import Pixels
from emorank.reading.reader import Reader
from emorank.reading.stream import Stream
from emorank.relevance import Explainer, prepare
from emorank.vocabulary import LEVELS, Emotion


@dataclass(frozen=True)
class Intensity:
    """One face of an image, its level of intensity, and why it has this level and not the next.

    Attributes:
        relevance: of each pixel and channel for the log-odds of being at least at `upper`.
        row: as `reader.RankedFace.row` has it of the ordinal rank.
        lower: the level below the threshold that is explained.
        upper: the level above it: the face's own, or Minimal where that is None.
        odds: log-odds of `upper` and above against `lower` and below: score less threshold.
        thresholds: θ, ascending.
        bias: of `odds`, what biases of the network took, the threshold among them.
        lost: of `odds`, what rules and rounding took: the sum of `relevance` is what is left.
    """

    pixels: Pixels
    relevance: Float32[np.ndarray, "3 side side"]
    row: dict[str, Any]
    lower: str
    upper: str
    odds: float
    thresholds: tuple[float, ...]
    bias: float
    lost: float

    @property
    def threshold(self) -> float:
        """Between `lower` and `upper`."""
        return self.thresholds[LEVELS.index(self.lower)]

    @property
    def question(self) -> str:
        """What the map answers: "why Strong and not Average"; of None, why not Minimal."""
        if self.row["rank"] == self.lower:
            return f"why {self.lower} and not {self.upper}"
        return f"why {self.upper} and not {self.lower}"

    @property
    def account(self) -> str:
        """Where the log-odds come from: the score and the threshold; the pixels and the rest."""
        rest = f", rules and rounding {_signed(self.lost)}" if abs(self.lost) >= 0.005 else ""
        return (
            f"log-odds {_signed(self.odds)} = score {_signed(self.row['score'])} less threshold "
            f"{_signed(self.threshold)} = pixels {_signed(self.odds - self.bias - self.lost)}, "
            f"biases {_signed(self.bias)}{rest}"
        )


def explain_levels(
    network: EmotionNetwork,
    model: Checkpoint,
    images: Picture | Iterable[Picture],
    *,
    crop: str | None = None,
    nearest: bool = False,
    strict: bool = False,
) -> Stream[Intensity]:
    """Explain the level of every face in images by the ordinal network `model`.

    `network` names the emotion and has the rules of the relevance. The other arguments are those of
    `Reader.read`; without `crop` it is the framing of the ordinal network's training.

    Raises:
        RelevanceError: the rules do not fit the network.
        ImageError: an image cannot be used, if `strict`.
    """
    reader = Reader(network, {"ordinal": partial(ranks.ordinal, model=model)})
    faces = reader.read(images, crop=crop or model.crop, nearest=nearest, strict=strict)
    low, high = network.normalisation.bounds()
    explainer = prepare(model.net, network.preset, low=low, high=high)
    return Stream(faces.views, network.batch, partial(_explain, reader, model, explainer))


def _explain(
    reader: Reader, model: Checkpoint, explainer: Explainer, views: list[View]
) -> Iterator[Intensity]:
    rows = [face.row for face in reader.rank(views)]
    # The place of the threshold below the face's level; of None, of the one above it.
    steps = [max(LEVELS.index(row["rank"]) - 1, 0) for row in rows]
    emotions = [model.classes.index(Emotion(row["expressed"])) for row in rows]
    targets = [e * ordinal.STEPS + step for e, step in zip(emotions, steps, strict=True)]
    network = reader.network
    images = to_batch([view.pixels for view in views], network.normalisation, device=network.device)
    record = explainer(images, targets)
    for i, (view, row, step) in enumerate(zip(views, rows, steps, strict=True)):
        odds, bias = float(record.sums[0, i]), float(record.bias[:, i].sum())
        yield Intensity(
            view.pixels,
            record.pixels[i].cpu().numpy(),
            row,
            lower=LEVELS[step],
            upper=LEVELS[step + 1],
            odds=odds,
            thresholds=model.thresholds,
            bias=bias,
            lost=odds - bias - float(record.sums[-1, i]),
        )


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
