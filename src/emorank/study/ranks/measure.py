"""What a study's network says of faces, and where on them: all that ranks are made of."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from weakref import WeakValueDictionary

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float32, Int, UInt8
from torch import Tensor

from emorank.errors import StudyError
from emorank.networks import checkpoint
from emorank.networks.features import to_batch
from emorank.networks.vgg16 import VGG16
from emorank.relevance import Explainer
from emorank.study.folder import Study, fingerprint
from emorank.study.relevance_maps import make_explainer
from emorank.study.stages.test import predictions_table
from emorank.vocabulary import Emotion

Pixels = UInt8[np.ndarray, "side side 3"]


@dataclass(frozen=True)
class Measured:
    """A batch of faces measured.

    Attributes:
        table: `predicted`, `p_…` of each emotion and `logit` of the predicted one; `expressed`, the
            emotion whose intensity counts, with its `expressed_p` and `expressed_logit`.
        logits: (batch, classes), of `classes`.
        relevance: (batch, 3, side, side) of each pixel and channel for `expressed`, as computed.
    """

    table: pd.DataFrame
    logits: Float32[np.ndarray, "batch classes"]
    relevance: Float32[np.ndarray, "batch 3 side side"]


_seen: ContextVar[dict[str, Measured] | None] = ContextVar("seen", default=None)


@contextmanager
def measuring_once() -> Iterator[None]:
    """Within it a batch is measured once, however many ranks of one study ask for it.

    Everything measured is kept until the end of it, so it is for some faces at a time.
    """
    token = _seen.set({})
    try:
        yield
    finally:
        _seen.reset(token)


_networks: WeakValueDictionary[tuple[Path, int, str], VGG16] = WeakValueDictionary()


def network_of(study: Study) -> tuple[VGG16, tuple[Emotion, ...]]:
    """A study's network on the device of the plan, and its classes; not to be changed.

    Half a gigabyte, which all ranks that are at work at the same time share.

    Raises:
        WeightsError: the study has no model, or a damaged one.
    """
    path, device = study.path("model.safetensors").resolve(), study.plan.model.device
    classes = checkpoint.known(path).classes
    key = (path, path.stat().st_mtime_ns, device)
    net = _networks.get(key)
    if net is None:
        net = _networks[key] = checkpoint.load(path).net.to(device)
    return net, tuple(classes)


class Meter:
    """A study's network made ready to measure faces, as many as there are.

    Args:
        study: trained.
        asked: the emotion whose relevance is measured; None for the one that `expressed` finds.

    Raises:
        WeightsError: the study has no model.
        StudyError: its model knows no emotion but neutral.
    """

    def __init__(self, study: Study, asked: Emotion | None = None) -> None:
        self._name = fingerprint(str(study.folder.resolve()), study.plan, asked)
        self.asked = asked
        self.net, self.classes = network_of(study)
        self.plan, self.device = study.plan.explain, study.plan.model.device
        self.batch = self.plan.batch
        if set(self.classes) <= {Emotion.NEUTRAL}:
            raise StudyError(f"{study.folder}: its model knows no emotion whose intensity there is")

    @cached_property
    def explainer(self) -> Explainer:
        """Made ready when first needed: names need none."""
        return make_explainer(self.net, self.plan)

    def __call__(self, pixels: Sequence[Pixels]) -> Measured:
        """Measure framed faces: a batch of the plan's size at a time, all kept in memory."""
        parts = list(self.stream(pixels))
        return Measured(
            pd.concat([part.table for part in parts], ignore_index=True),
            np.concatenate([part.logits for part in parts]),
            np.concatenate([part.relevance for part in parts]),
        )

    def stream(self, pixels: Sequence[Pixels]) -> Iterator[Measured]:
        """The same batch by batch, for more faces than their maps fit into memory."""
        for start in range(0, len(pixels), self.batch):
            some = pixels[start : start + self.batch]
            seen = _seen.get()
            if seen is None:
                yield self._measure(some)
                continue
            key = self._key(some)
            if key not in seen:
                seen[key] = self._measure(some)
            yield seen[key]

    def _key(self, pixels: Sequence[Pixels]) -> str:
        digest = hashlib.sha256(self._name.encode())
        for rgb in pixels:
            digest.update(repr(rgb.shape).encode() + rgb.tobytes())
        return digest.hexdigest()

    @torch.inference_mode()
    def names(self, pixels: Sequence[Pixels]) -> pd.DataFrame:
        """The table of `Measured` alone: without the way back, which takes most of the time."""
        batches = (pixels[at : at + self.batch] for at in range(0, len(pixels), self.batch))
        logits = [self.net(to_batch(list(some)).to(self.device)).cpu().numpy() for some in batches]
        return named(np.concatenate(logits), self.classes, self.asked)

    def _measure(self, pixels: Sequence[Pixels]) -> Measured:
        found = self.explainer(to_batch(list(pixels)).to(self.device), self._start)
        logits = found.logits.cpu().numpy()
        table = named(logits, self.classes, self.asked)
        return Measured(table, logits, found.pixels.cpu().numpy())

    def _start(self, logits: Tensor) -> Tensor:
        """The logit of the expressed emotion, zero elsewhere (Bach et al. 2015)."""
        chosen = torch.as_tensor(expressed(logits.cpu().numpy(), self.classes, self.asked))
        chosen = chosen.to(logits.device)[:, None]
        return torch.zeros_like(logits).scatter(1, chosen, logits.gather(1, chosen))


def expressed(
    logits: Float32[np.ndarray, "batch classes"],
    classes: Sequence[Emotion],
    asked: Emotion | None = None,
) -> Int[np.ndarray, " batch"]:
    """The place among the classes of the emotion whose intensity counts.

    It is the one that is asked about, or else the most probable one that is not neutral, so that a
    face which is called neutral has an intensity too, however little. Where neutral is not
    predicted that is the predicted emotion.
    """
    if asked is not None:
        return np.full(len(logits), tuple(classes).index(asked))
    neutral = np.array([emotion == Emotion.NEUTRAL for emotion in classes])
    return np.asarray(np.where(neutral, -np.inf, logits).argmax(1))


def named(
    logits: Float32[np.ndarray, "batch classes"],
    classes: Sequence[Emotion],
    asked: Emotion | None = None,
) -> pd.DataFrame:
    """The table of `Measured`: what the network names, and the emotion whose intensity counts."""
    table = predictions_table(pd.Series(range(len(logits))), logits, tuple(classes))
    rows, chosen = np.arange(len(logits)), expressed(logits, classes, asked)
    table["expressed"] = pd.array([str(classes[k]) for k in chosen], dtype="string")
    probabilities = table[[f"p_{emotion}" for emotion in classes]].to_numpy()
    table["expressed_p"] = probabilities[rows, chosen]
    table["expressed_logit"] = logits[rows, chosen]
    return table.drop(columns="image")
