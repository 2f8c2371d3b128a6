"""A batch of framed faces, measured once for all ranks that are asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float32, Int, UInt8
from scipy.special import softmax
from torch import Tensor

from emorank.networks.normalisation import to_batch
from emorank.networks.vgg import Chain
from emorank.ranking.relevance_features import FEATURES, REGIONS, relevance_features
from emorank.reading.emotion_network import EmotionNetwork
from emorank.relevance import Relevance
from emorank.vocabulary import Emotion

Pixels = UInt8[np.ndarray, "side side 3"]


@dataclass(frozen=True, eq=False)
class Measured:
    """What a network says of a batch of faces; each part is computed when it is first asked for.

    Attributes:
        pixels: framed faces, at most a batch.
        emotion: the one whose intensity counts, or one for each face; None for the most probable
            one that is not neutral.
        neutral: let neutral count as an expressed emotion where it is named, as heatmaps do.
        trunk: output of the network's first `cut` layers, (batch, channels, height, width), if it
            was computed before; `pixels` may be empty then, and there is no `relevance`.
        others: the same faces in other crops, a tuple for each. Logits, and so the contrast, are
            means over all crops; relevance is that of `pixels` alone.
    """

    network: EmotionNetwork
    pixels: Sequence[Pixels] = ()
    emotion: Emotion | Sequence[Emotion | None] | None = None
    neutral: bool = False
    trunk: Tensor | None = None
    others: Sequence[Sequence[Pixels]] = ()

    @cached_property
    def logits(self) -> Float32[np.ndarray, "batch classes"]:
        """Of `network.classes`."""
        one = self.outputs(self.network.net)
        if not self.others:
            return one
        more = (Measured(self.network, crop).logits for crop in zip(*self.others, strict=True))
        return np.asarray(np.mean([one, *more], axis=0))

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row for each face, as `emotion_table` makes it."""
        return emotion_table(self.logits, self.network.classes, self._chosen)

    @cached_property
    def relevance(self) -> Float32[np.ndarray, "batch 3 side side"]:
        """Of each pixel and channel for the logit of the expressed emotion, as computed."""
        return _array(self.network.explainer(self._images, self._logit).pixels)

    @cached_property
    def contrast(self) -> Float32[np.ndarray, " batch"]:
        """The logit of the expressed emotion less that of neutral: "this expression, not none".

        Without neutral among the classes it is the logit.
        """
        score = self.table["expressed_logit"].to_numpy()
        if not self.network.knows_neutral:
            return score
        return np.asarray(
            score - self.logits[:, tuple(self.network.classes).index(Emotion.NEUTRAL)]
        )

    @cached_property
    def heatmap(self) -> Float32[np.ndarray, "batch 3 side side"]:
        """Relevance of each pixel and channel for the contrast, by the preset that people see."""
        return _array(self.network.heatmaps(self._images, self._contrast).pixels)

    def explain(self, named: Callable[[], None]) -> Float32[np.ndarray, "batch 3 side side"]:
        """`heatmap`; `named` is called when the logits are there, before the way back begins."""

        def start(logits: Tensor) -> Tensor:
            begin = self._contrast(logits)
            named()
            return begin

        vars(self)["heatmap"] = _array(self.network.heatmaps(self._images, start).pixels)
        return self.heatmap

    @cached_property
    def evidence(self) -> pd.DataFrame:
        """`FEATURES` of the relevance where the convolutions end, a row for each face.

        What is explained is the contrast: the logit of the expressed emotion less that of neutral,
        "why this expression and not none". Without neutral among the classes it is the logit.
        Where the convolutions end in one place, as those of the ready backbones do, there is no
        share of a region.
        """
        relevance = _array(self._evidence.pixels)
        values = pd.DataFrame(relevance_features(relevance), columns=list(FEATURES))
        return values if relevance.shape[-1] > 1 else values.drop(columns=list(REGIONS))

    def outputs(self, other: Chain) -> Float32[np.ndarray, "batch outputs"]:
        """The outputs of another network whose first `cut` layers are those of this one."""
        with torch.no_grad():
            return _array(other.tail(self._frozen, self.network.cut))

    @cached_property
    def _evidence(self) -> Relevance:
        net = self.network.net
        with torch.no_grad():
            maps = net.pooled(self._frozen, self.network.cut)
        return self.network.head(maps, self._contrast)

    @cached_property
    def _images(self) -> Tensor:
        return to_batch(list(self.pixels), self.network.normalisation, device=self.network.device)

    @cached_property
    def _frozen(self) -> Tensor:
        if self.trunk is not None:
            return self.trunk.to(self.network.device)
        with torch.no_grad():
            return self.network.net.trunk(self._images, self.network.cut)

    @cached_property
    def _chosen(self) -> Int[np.ndarray, " batch"]:
        return expressed(self.logits, self.network.classes, self.emotion, self.neutral)

    def _logit(self, logits: Tensor) -> Tensor:
        """Where relevance starts: the logit of the expressed emotion, 0 elsewhere."""
        chosen = self._choose(logits)
        return torch.zeros_like(logits).scatter(1, chosen, logits.gather(1, chosen))

    def _contrast(self, logits: Tensor) -> Tensor:
        """The same, and the logit of neutral with the opposite sign."""
        neutral = torch.tensor([emotion == Emotion.NEUTRAL for emotion in self.network.classes])
        start = torch.where(neutral.to(logits.device), -logits, torch.zeros_like(logits))
        chosen = self._choose(logits)
        return start.scatter(1, chosen, logits.gather(1, chosen))

    def _choose(self, logits: Tensor) -> Tensor:
        """The class of each face that is explained, (batch, 1).

        An explanation computes logits on its way. The first ones serve everything: a second pass
        could differ by rounding, and then the emotion that is explained from the one in the table.
        """
        if not self.others:
            vars(self).setdefault("logits", _array(logits))
        return torch.as_tensor(self._chosen).to(logits.device)[:, None]


def measured_again(network: EmotionNetwork, predictions: pd.DataFrame) -> Measured:
    """Faces that were measured before, from the rows of their `prediction_table`; no pixels.

    Their logits are those of then, up to the rounding of float32. A probability below the least
    that float32 holds counts as that least.
    """
    shares = predictions[[f"p_{emotion}" for emotion in network.classes]].to_numpy(np.float64)
    logs = np.log(np.maximum(shares, np.finfo(np.float32).smallest_subnormal))
    logits = logs - logs.max(1, keepdims=True) + predictions[["logit"]].to_numpy(np.float64)
    measured = Measured(network)
    vars(measured)["logits"] = logits.astype(np.float32)
    return measured


def expressed(
    logits: Float32[np.ndarray, "batch classes"],
    classes: Sequence[Emotion],
    emotion: Emotion | Sequence[Emotion | None] | None = None,
    neutral: bool = False,
) -> Int[np.ndarray, " batch"]:
    """The place among the classes of the emotion whose intensity counts.

    It is `emotion`, one of all faces or one of each, or else the most probable one that is not
    neutral, unless `neutral` lets it be chosen like any other. So a face that is called neutral has
    an intensity too, however little.
    """
    calm = np.array([one == Emotion.NEUTRAL and not neutral for one in classes])
    named = np.where(calm, -np.inf, logits).argmax(1)
    if emotion is None:
        return np.asarray(named)
    asked = [emotion] * len(logits) if isinstance(emotion, Emotion) else emotion
    places = {one: place for place, one in enumerate(classes)}
    given = [k if one is None else places[one] for one, k in zip(asked, named, strict=True)]
    return np.array(given, np.int64)


def prediction_table(
    logits: Float32[np.ndarray, "batch classes"], classes: Sequence[Emotion]
) -> pd.DataFrame:
    """`predicted`, the probability `p_EMOTION` of each class, and `logit` of the predicted one."""
    return pd.DataFrame(_predicted(logits, classes))


def emotion_table(
    logits: Float32[np.ndarray, "batch classes"],
    classes: Sequence[Emotion],
    chosen: Int[np.ndarray, " batch"],
) -> pd.DataFrame:
    """The prediction table with `expressed`, `expressed_p` and `expressed_logit`.

    `chosen` is the place of the emotion whose intensity counts, from `expressed`.
    """
    columns, rows = _predicted(logits, classes), np.arange(len(logits))
    probabilities = np.stack([columns[f"p_{emotion}"] for emotion in classes], axis=1)
    more = {
        "expressed": pd.array([str(classes[k]) for k in chosen], dtype="string"),
        "expressed_p": probabilities[rows, chosen],
        "expressed_logit": logits[rows, chosen],
    }
    return pd.DataFrame(columns | more)


def _predicted(
    logits: Float32[np.ndarray, "batch classes"], classes: Sequence[Emotion]
) -> dict[str, Any]:
    """The columns of `prediction_table`: a table that grows by columns takes ten times as long."""
    probabilities = softmax(logits, axis=1).astype(np.float32)
    words = np.array([str(emotion) for emotion in classes], dtype=object)
    return {
        "predicted": pd.array(words[logits.argmax(1)], dtype="string"),
        **{f"p_{emotion}": probabilities[:, i] for i, emotion in enumerate(classes)},
        "logit": logits.max(1).astype(np.float32),
    }


def _array(tensor: Tensor) -> np.ndarray:
    numbers: np.ndarray = tensor.cpu().numpy()
    return numbers
