"""A study applied to images that it has never seen."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float32, UInt8

from emorank.errors import ImageError
from emorank.framing import BOX, View, Views
from emorank.networks import checkpoint
from emorank.networks.features import to_batch
from emorank.ranking import rank as interval_rank
from emorank.relevance import Explainer
from emorank.study.folder import Study
from emorank.study.relevance_maps import make_explainer
from emorank.study.stages.rank import ranks_table, without_neutral
from emorank.study.stages.test import predictions_table


@dataclass(frozen=True)
class Explained:
    """One face of an image: how it was framed, its relevance, and its row of the table.

    Attributes:
        pixels: what the network saw.
        relevance: of each pixel and channel for the predicted emotion, as computed.
        row: image, face, box, predicted, probabilities, logit, rank, counts, group values, zero.
    """

    pixels: UInt8[np.ndarray, "side side 3"]
    relevance: Float32[np.ndarray, "3 side side"]
    row: dict[str, Any]


@dataclass
class Applied:
    """The study's model at work: iterate over it once; `excluded` fills on the way.

    Memory does not grow with the number of images: they are read a batch at a time.

    Args:
        study: trained.
        paths: image files.
        crop: "face" or "none"; None for the framing that the model was trained on.
        nearest: only the nearest face of an image instead of every one.
        strict: raise at the first image that cannot be used.

    Raises:
        ImageError: an image cannot be used, if `strict`.
        WeightsError: the study has no model.
    """

    study: Study
    paths: Iterable[Path]
    crop: str | None = None
    nearest: bool = False
    strict: bool = False
    excluded: list[ImageError] = field(default_factory=list)

    def __iter__(self) -> Iterator[Explained]:
        model = checkpoint.load(self.study.path("model.safetensors"))
        explainer = make_explainer(
            model.net.to(self.study.plan.model.device), self.study.plan.explain
        )
        crop = self.crop or model.crop
        views = Views(self.paths, model.size, crop, self.excluded, self.nearest, self.strict)
        for batch in views.batches(self.study.plan.explain.batch):
            yield from self._explain(batch, model, explainer)

    def _explain(
        self, batch: Sequence[View], model: checkpoint.Checkpoint, explainer: Explainer
    ) -> Iterator[Explained]:
        images = to_batch([view.pixels for view in batch]).to(self.study.plan.model.device)
        found = explainer(images)
        maps = found.pixels.cpu().numpy()
        names = pd.Series([str(view.image) for view in batch])
        table = predictions_table(names, found.logits.cpu().numpy(), model.classes)
        ranks = ranks_table(interval_rank(maps, rule=self.study.plan.rank.rule))
        table = without_neutral(pd.concat([table, ranks], axis=1))
        for view, relevance, row in zip(batch, maps, table.to_dict("records"), strict=True):
            named = {str(name): None if value is pd.NA else value for name, value in row.items()}
            yield Explained(view.pixels, relevance, about(view) | named)


def about(view: View) -> dict[str, Any]:
    """Of which image and face, and where in it: the first columns of a table of new images."""
    box = () if view.box is None else (round(float(v), 1) for v in view.box)
    return {"image": str(view.image), "face": view.number} | dict(zip(BOX, box, strict=False))
