"""A study applied to images that it has never seen."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float32, UInt8

from emorank import images
from emorank.errors import ImageError
from emorank.model import checkpoint
from emorank.model.features import to_batch
from emorank.ranking import rank as interval_rank
from emorank.relevance import Explainer
from emorank.study.explain import ready
from emorank.study.folder import Study
from emorank.study.framing import BOX, faces_in, framed
from emorank.study.rank import ranks_table, without_neutral
from emorank.study.test import predictions_table


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


@dataclass(frozen=True)
class _Face:
    pixels: UInt8[np.ndarray, "side side 3"]
    about: dict[str, Any]


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
        explainer = ready(
            model.net.to(self.study.plan.model.device), self.study.plan.explain.preset
        )
        batch: list[_Face] = []
        for face in self._faces(self.crop or model.crop, model.size):
            batch.append(face)
            if len(batch) == self.study.plan.explain.batch:
                yield from self._explain(batch, model, explainer)
                batch = []
        if batch:
            yield from self._explain(batch, model, explainer)

    def _faces(self, crop: str, size: int) -> Iterator[_Face]:
        for path in self.paths:
            try:
                yield from self._of_image(path, crop, size)
            except ImageError as error:
                if self.strict:
                    raise
                self.excluded.append(error)

    def _of_image(self, path: Path, crop: str, size: int) -> Iterator[_Face]:
        rgb = images.read(path)
        if crop == "none":
            yield _Face(framed(rgb, None, size), {"image": str(path), "face": 1})
            return
        found = faces_in(rgb, path)
        for number, face in enumerate(found[:1] if self.nearest else found, start=1):
            box = dict(zip(BOX, (round(float(v), 1) for v in face.box), strict=True))
            about = {"image": str(path), "face": number} | box
            yield _Face(framed(rgb, face.landmarks, size), about)

    def _explain(
        self, batch: list[_Face], model: checkpoint.Checkpoint, explainer: Explainer
    ) -> Iterator[Explained]:
        images = to_batch([face.pixels for face in batch]).to(self.study.plan.model.device)
        found = explainer(images)
        maps = found.pixels.cpu().numpy()
        names = pd.Series([face.about["image"] for face in batch])
        table = predictions_table(names, found.logits.cpu().numpy(), model.classes)
        ranks = ranks_table(interval_rank(maps, rule=self.study.plan.rank.rule))
        table = without_neutral(pd.concat([table, ranks], axis=1))
        for face, relevance, row in zip(batch, maps, table.to_dict("records"), strict=True):
            named = {str(name): None if value is pd.NA else value for name, value in row.items()}
            yield Explained(face.pixels, relevance, face.about | named)
