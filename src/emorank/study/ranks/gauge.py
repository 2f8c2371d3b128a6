"""The evidence that a network's classifier finds in the features of a face for an expression.

Relevance is taken where the convolutions end, 7×7 places of 512 units, and not at the pixels: it
has come through the dense layers alone, by the rule of Bach et al. 2015 (epsilon), so it is the
same whatever preset the study draws its heatmaps with; and a face costs a forward pass and
milliseconds. By equation 1 of the paper it is the same relevance, one layer further up.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor, nn

from emorank.errors import StudyError
from emorank.networks.features import features, to_batch
from emorank.networks.vgg16 import CUT_HEAD, VGG16
from emorank.progress import Progress, silent
from emorank.ranking.relevance_features import FEATURES, relevance_features
from emorank.relevance import prepare
from emorank.study.folder import Study
from emorank.study.framing import Framed
from emorank.study.ranks.measure import Pixels, expressed, named, network_of
from emorank.vocabulary import Emotion

PRESET = "epsilon"
BATCH = 16


class Gauge:
    """A network's classifier made ready to say how much evidence it finds.

    What is explained is the *contrast*: the logit of the expressed emotion less that of neutral,
    "why this expression and not none"; where the network does not know neutral, the logit alone.

    Args:
        net: trained; to be gauged again after further training.
        classes: the emotions of its outputs.
        asked: whose evidence is gauged; None for the emotion that `measure.expressed` finds.

    Raises:
        StudyError: it knows no emotion but neutral.
    """

    def __init__(
        self, net: VGG16, classes: Sequence[Emotion], asked: Emotion | None = None
    ) -> None:
        self.net, self.classes, self.asked = net, tuple(classes), asked
        self.neutral = torch.tensor([emotion == Emotion.NEUTRAL for emotion in self.classes])
        if bool(self.neutral.all()):
            raise StudyError("the model knows no emotion whose intensity there is")
        self.explainer = prepare(nn.Sequential(nn.Flatten(), *net.classifier), PRESET)
        self.device = next(net.parameters()).device

    def __call__(self, maps: Float[Tensor, "batch 512 7 7"]) -> pd.DataFrame:
        """Gauge the features of faces: the table of `Measured`, and a column for each feature."""
        found = self.explainer(maps.to(self.device), self._contrast)
        table = named(found.logits.cpu().numpy(), self.classes, self.asked)
        values = relevance_features(found.pixels.cpu().numpy())
        return pd.concat([table, pd.DataFrame(values, columns=list(FEATURES))], axis=1)

    def faces(self, pixels: Sequence[Pixels]) -> pd.DataFrame:
        """The same of framed faces; the table alone is kept in memory."""
        return pd.concat(list(self._stream(pixels)), ignore_index=True)

    def _stream(self, pixels: Sequence[Pixels]) -> Iterator[pd.DataFrame]:
        for start in range(0, len(pixels), BATCH):
            images = to_batch(list(pixels[start : start + BATCH])).to(self.device)
            with torch.inference_mode():
                maps = self.net.trunk(images, CUT_HEAD)
            yield self(maps.clone())

    def _contrast(self, logits: Tensor) -> Tensor:
        neutral = self.neutral.to(logits.device)
        chosen = torch.as_tensor(expressed(logits.cpu().numpy(), self.classes, self.asked))
        chosen = chosen.to(logits.device)[:, None]
        start = torch.where(neutral, -logits, torch.zeros_like(logits))
        return start.scatter(1, chosen, logits.gather(1, chosen))


def gauge(study: Study, asked: Emotion | None = None) -> Gauge:
    """Of a study's own network.

    Raises:
        WeightsError: the study has no model.
    """
    return Gauge(*network_of(study), asked)


def gauged(
    study: Study, by: Gauge, table: pd.DataFrame, progress: Progress = silent
) -> pd.DataFrame:
    """The faces of some rows of a study's table, gauged, with the row's `image`, `person`, `part`.

    The features come from the cache that training filled, where the convolutions are the same.
    """
    table = table.reset_index(drop=True)
    keys = [f"{digest}.0" for digest in table["digest"]]
    framed, size = Framed(study, table), study.plan.data.size
    cached = features(by.net, CUT_HEAD, size, keys, framed, progress=progress)
    found = [
        by(cached.batch(np.arange(start, min(start + BATCH, len(table)))))
        for start in range(0, len(table), BATCH)
    ]
    return pd.concat(
        [table[["image", "person", "part"]], pd.concat(found, ignore_index=True)], axis=1
    )
