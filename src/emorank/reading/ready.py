"""The network that comes with the package, ready to read any photograph."""

from functools import cache

from emorank.networks.ready import READY, load_ready
from emorank.reading.emotion_network import EmotionNetwork
from emorank.relevance import HEATMAP

NAME = "expression"


@cache
def ready_network() -> EmotionNetwork:
    """The shipped network of seven expressions, with its crop and its heatmaps' preset.

    It is loaded once, in 10 ms.

    Raises:
        WeightsError: its file is missing or damaged.
    """
    about = READY[NAME]
    net = load_ready(NAME)
    return EmotionNetwork(
        net,
        about.classes,
        about.size,
        "face",
        HEATMAP,
        batch=16,
        cut=net.end,
        normalisation=about.normalisation,
    )
