"""The picture of an explanation, with what was explained in words."""

from emorank.explaining import Explanation
from emorank.report.figures import comparison, png


def draw_explanation(explanation: Explanation) -> bytes:
    """A PNG: the image, its relevance under each preset, class, logit and probability."""
    figure = comparison(
        explanation.pixels,
        explanation.maps,
        verdict=verdict(explanation),
        title=str(explanation.image),
    )
    return png(figure)


def verdict(explanation: Explanation) -> str:
    """What was explained: "Happy (class 0), logit 9.52, probability 1.00"."""
    words = [_class(explanation, explanation.target), f"logit {_number(explanation.logit)}"]
    if explanation.probability is not None:
        words.append(f"probability {explanation.probability:.2f}")
    if explanation.predicted != explanation.target:
        words.append(f"predicted: {_class(explanation, explanation.predicted)}")
    return ", ".join(words)


def _class(explanation: Explanation, index: int) -> str:
    if explanation.labels is None:
        return f"class {index}"
    label = explanation.labels[index]
    return f"{label if len(label) <= 24 else label[:23] + '…'} (class {index})"


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
