"""What is known of one face's expression intensity, and why it is this level and not the next."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from emorank.vocabulary import LEVELS


@dataclass(frozen=True)
class Intensity:
    """One face of an image, its level of intensity, and why it has this level and not the next.

    Attributes:
        pixels: what the network saw.
        relevance: of each pixel and channel for the log-odds of being at least at `upper`.
        row: image, face, box, predicted, p_…, expressed, level (a word), score, p_none … p_strong.
        lower: the level below the threshold that is explained.
        upper: the level above it; the face's own, or Minimal where that is None.
        odds: log-odds of `upper` and above against `lower` and below: score less threshold.
        thresholds: θ, all of them, ascending.
        bias: of `odds`, what biases of the network took, the threshold among them.
        lost: of `odds`, what rules and rounding took: the sum of `relevance` is what is left.
    """

    pixels: UInt8[np.ndarray, "side side 3"]
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
        if self.row["level"] == self.lower:
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


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
