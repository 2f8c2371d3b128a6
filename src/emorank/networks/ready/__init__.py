"""Two trained networks that come with the package, so that nobody has to bring or train one first.

MODEL_CARD.md beside this file says what is known of them, NOTICE whose they are.
"""

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load
from torch import Tensor

from emorank.errors import WeightsError
from emorank.networks.normalisation import Normalisation
from emorank.networks.ready.expression import expression_network
from emorank.networks.ready.identity import identity_network
from emorank.networks.vgg import Chain
from emorank.networks.vgg16 import channels_last
from emorank.vocabulary import Emotion

# Of the faces that both networks learnt from, 8-bit RGB.
_MEAN = (122.782 / 255, 117.001 / 255, 104.298 / 255)
_LOG = logging.getLogger(__name__)
_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class ReadyNetwork:
    """A network of the package, not loaded yet.

    Attributes:
        use, licence, measured: what it is for, and how good it is, in words.
        build: its layers, without weights.
        sha256: of its file.
        size: side of its input in pixels.
        normalisation: of its input.
        classes: the expressions that its outputs stand for; none where they are features.
    """

    name: str
    use: str
    licence: str
    measured: str
    build: Callable[[], Chain]
    sha256: str
    size: int
    normalisation: Normalisation
    classes: tuple[Emotion, ...] = ()

    @property
    def path(self) -> Path:
        """Its file: 8 bits a weight."""
        return _FOLDER / f"{self.name}.safetensors"


READY = {
    network.name: network
    for network in (
        ReadyNetwork(
            "expression",
            "rank, explain, read: seven expressions",
            "MIT",
            "accuracy KDEF 0.79, JAFFE 0.74, London 0.80",
            expression_network,
            "bf58b54f97696d72388aab2cd5c45e0affdcad053be0a900a4a91338b0276d09",
            112,
            Normalisation(_MEAN, (1.0, 1.0, 1.0)),
            (
                Emotion.NEUTRAL,
                Emotion.HAPPY,
                Emotion.SADNESS,
                Emotion.ANGER,
                Emotion.FEAR,
                Emotion.DISGUST,
                Emotion.SURPRISE,
            ),
        ),
        ReadyNetwork(
            "identity",
            "features for training on one's own faces",
            "MIT, CC0",
            "LFW 0.99 by its author; names no expression",
            identity_network,
            "13fd631b9eb9047d49c12d8901359ea55ee7ce5ff3306e0dbb10eede9d716830",
            150,
            Normalisation(_MEAN, (256 / 255, 256 / 255, 256 / 255)),
        ),
    )
}


def load_ready(name: str) -> Chain:
    """A network of the package in evaluation mode, float32, channels last; a new one each time.

    Raises:
        WeightsError: no such network, or its file is missing or damaged: install emorank again.
    """
    if name not in READY:
        raise WeightsError(f"'{name}' is no ready network; expected one of {', '.join(READY)}")
    ready = READY[name]
    try:
        content = ready.path.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"{ready.path}: cannot be read ({error}); install emorank again"
        ) from error
    if hashlib.sha256(content).hexdigest() != ready.sha256:
        raise WeightsError(f"{ready.path}: damaged or changed; install emorank again")
    _LOG.debug("read the weights of %s", ready.path)
    scales = _scales(content)
    with torch.device("meta"):  # no time spent on random weights that are replaced at once
        net = ready.build()
    state = {key: _weights(stored, *scales[key]) for key, stored in load(content).items()}
    net.load_state_dict(state, assign=True)
    return channels_last(net.eval().requires_grad_(False))


def _scales(content: bytes) -> dict[str, list[float]]:
    """Scale and least value of each tensor, from the header."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    scales: dict[str, list[float]] = json.loads(header["__metadata__"]["scales"])
    return scales


def _weights(stored: Tensor, scale: float, least: float) -> Tensor:
    """The numbers that 8 bits stand for; computed in double precision, as their authors do."""
    return (stored.double() * scale + least).float()
