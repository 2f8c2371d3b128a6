"""One question to an emotion network about one face: why this emotion, and not another."""

from emorank.errors import RelevanceError
from emorank.framing import View
from emorank.networks.network import Network
from emorank.reading.emotion_network import EmotionNetwork
from emorank.reading.explanations import Explanation, explain_images
from emorank.relevance import Difference, Preset
from emorank.vocabulary import Emotion

OWN = "rules of one's own"
"""The name of the map by a preset that has no name."""


def explain_emotion(
    network: EmotionNetwork,
    view: View,
    emotion: Emotion,
    against: Emotion | None = None,
    preset: str | Preset | None = None,
) -> Explanation:
    """Say which pixels of a face speak for an emotion, and which against it.

    What is explained is the difference of the logits of `emotion` and `against`; without `against`,
    the logit of `emotion`. `view` is a face as the network sees it, `preset` one of
    `emorank.relevance.METHODS` or rules of one's own; None for those of the network's heatmaps.

    Returns:
        An explanation with one map. Against neutral and by the network's own preset it is
        `RankedFace.heatmap`.

    Raises:
        RelevanceError: an emotion that the network does not know, or the same one twice; no such
            preset, or its rules do not fit the network.
        ImageError: the view is not of the network's size.
    """
    labels = tuple(str(one) for one in network.classes)
    plain = Network(
        network.net,
        "",
        len(labels),
        tuple(one.label for one in network.classes),
        network.size,
        network.crop,
        network.normalisation,
    )
    rules = network.heatmap if preset is None else preset
    maps = {rules if isinstance(rules, str) else OWN: rules}
    of = _place(labels, emotion)
    target = of if against is None else Difference(of, _place(labels, against))
    (explanation,) = explain_images(plain, view, maps, target=target, strict=True)
    return explanation


def _place(labels: tuple[str, ...], emotion: Emotion) -> int:
    if emotion not in labels:
        raise RelevanceError(f"the network does not know '{emotion}'; it knows {', '.join(labels)}")
    return labels.index(emotion)
