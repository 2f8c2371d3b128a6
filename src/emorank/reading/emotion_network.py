"""A network that names expressed emotions, with all that is needed to use and explain it."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import nn

from emorank.cores import threads_of
from emorank.errors import StudyError
from emorank.networks.devices import device_of
from emorank.networks.normalisation import IMAGENET, Normalisation
from emorank.networks.vgg import Chain
from emorank.networks.vgg16 import CUT_HEAD
from emorank.relevance import DEFAULT, HEATMAP, Explainer, Preset, prepare
from emorank.vocabulary import Emotion

EVIDENCE_PRESET = "epsilon"
LARGE = 10_000_000
"""Weights from which on a network gains from several threads where it reads one face at a time."""


@dataclass(frozen=True, eq=False)
class EmotionNetwork:
    """A trained network on its device. It is loaded once and passed to all that use it.

    Attributes:
        net: in evaluation mode; `classes` are the emotions of its outputs.
        size: side of the input in pixels.
        crop: "none" or "face": how the images of the training were framed.
        preset: rules for the relevance of pixels, which is computed for `batch` faces at once.
        cut: the layers before it were not trained, so an ordinal network of the same study has
            the same ones.
        normalisation: of its input.
        width: of the frame of a face, in usual crops.
        temperature: of the contrast to neutral; None where it was not learnt with the network.
        heatmap: rules for the relevance that people look at.

    Raises:
        StudyError: it knows no emotion but neutral.
    """

    net: Chain
    classes: Sequence[Emotion]
    size: int
    crop: str = "none"
    preset: str | Preset = DEFAULT
    batch: int = 4
    cut: int = CUT_HEAD
    normalisation: Normalisation = IMAGENET
    heatmap: str | Preset = HEATMAP
    width: float = 1.0
    temperature: float | None = None

    def __post_init__(self) -> None:
        if set(self.classes) <= {Emotion.NEUTRAL}:
            raise StudyError("the model knows no emotion whose intensity there is")

    @property
    def knows_neutral(self) -> bool:
        """Whether an expression can be contrasted to neutral."""
        return Emotion.NEUTRAL in self.classes

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next(self.net.parameters()).device

    def on(self, device: str) -> "EmotionNetwork":
        """The same network on a device, for instance "cuda"; this one stays where it is.

        Raises:
            PlanError: there is no such device here.
        """
        where = device_of(device)
        if where.type == self.device.type and where.index in (None, self.device.index):
            return self
        return replace(self, net=deepcopy(self.net).to(where))

    @cached_property
    def large(self) -> bool:
        """Whether it is of VGG-16's size, so that a face takes a tenth of a second or more."""
        return sum(one.numel() for one in self.net.parameters()) >= LARGE

    def take_threads(self) -> None:
        """Let PyTorch compute with as many threads as suit one face at a time, from here on.

        All cores for a large one. One for a small one: its layers take less time
        than threads take to wait for each other, on a busy machine a tenth of it.
        """
        torch.set_num_threads(threads_of(1) if self.large else 1)

    @cached_property
    def explainer(self) -> Explainer:
        """From pixels to logits and back; a RelevanceError if the rules do not fit the network."""
        return self._explainer(self.preset)

    @cached_property
    def heatmaps(self) -> Explainer:
        """The same by the preset that people look at."""
        return self._explainer(self.heatmap)

    def _explainer(self, preset: str | Preset) -> Explainer:
        low, high = self.normalisation.bounds()
        return prepare(self.net, preset, low=low, high=high)

    @cached_property
    def head(self) -> Explainer:
        """From the end of the convolutions to the logits and back.

        Relevance has passed the dense layers alone there, by the rule of Bach et al. 2015
        (epsilon). So it does not depend on `preset`, and costs milliseconds a face. By equation 1
        of the paper it sums to what the relevance of the pixels sums to.
        """
        return prepare(nn.Sequential(nn.Flatten(), *self.net.classifier), EVIDENCE_PRESET)
