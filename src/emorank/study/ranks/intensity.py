"""How strongly a face expresses an emotion by a study's ordinal network, and why so strongly."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from emorank.errors import ImageError, StudyError
from emorank.framing import View, Views
from emorank.networks import checkpoint, ordinal
from emorank.networks.features import to_batch
from emorank.ranking.intensity import Intensity
from emorank.relevance import Explainer, Relevance
from emorank.study.apply import about
from emorank.study.folder import Study
from emorank.study.ranks.measure import Pixels, named, network_of
from emorank.study.relevance_maps import make_explainer
from emorank.vocabulary import LEVELS, Emotion

NAME = "ordinal"  # of its files: the network and what was found
MODEL = f"{NAME}.safetensors"


@dataclass
class Intensities:
    """The ordinal network at work: iterate over it once; `excluded` fills on the way.

    Made by `explain_intensity`, which says what the fields are.
    """

    study: Study
    paths: Iterable[Path]
    crop: str | None = None
    nearest: bool = False
    strict: bool = False
    excluded: list[ImageError] = field(default_factory=list)

    def __iter__(self) -> Iterator[Intensity]:
        meter = OrdinalMeter(self.study)
        explainer = make_explainer(meter.ordinal.net, self.study.plan.explain)
        size, crop = meter.ordinal.size, self.crop or meter.ordinal.crop
        views = Views(self.paths, size, crop, self.excluded, self.nearest, self.strict)
        for batch in views.batches(meter.batch):
            yield from _explain(batch, meter, explainer)


def explain_intensity(
    study: Study,
    images: Iterable[Path | str],
    *,
    crop: str | None = None,
    nearest: bool = False,
    strict: bool = False,
) -> Intensities:
    """Say of every face in images how strongly it expresses its emotion, and why so strongly.

    The intensity is that of the study's ordinal network (`train_ordinal`), the emotion the one that
    its classifier names; the rules of the relevance are the plan's.

    Args:
        study: with an ordinal network.
        images: files.
        crop: "face" or "none"; None for the framing that the network was trained on.
        nearest: only the nearest face of an image instead of every one.
        strict: raise at the first image that cannot be used.

    Returns:
        To be iterated over once: a record for each face with `row` (level, score and the
        probability of each level), `relevance` of the log-odds between the face's level and the one
        below it, `question` and `account` in words. Its list `excluded` fills on the way.

    Raises:
        StudyError: the study has no ordinal network; at the first step, like all errors.
        WeightsError: a file of weights is missing or damaged.
        ImageError: an image cannot be used, if `strict`.
    """
    return Intensities(study, map(Path, images), crop, nearest, strict)


def _explain(
    batch: Sequence[View], meter: "OrdinalMeter", explainer: Explainer
) -> Iterator[Intensity]:
    pixels = [view.pixels for view in batch]
    table = meter.table(meter.trunk(pixels))
    # The place of the threshold below the face's level; of None, of the one above it.
    steps = [max(int(level) - 1, 0) for level in table["level"]]
    emotions = [meter.ordinal.classes.index(Emotion(word)) for word in table["expressed"]]
    targets = [e * ordinal.STEPS + step for e, step in zip(emotions, steps, strict=True)]
    found = explainer(to_batch(pixels).to(meter.device), targets)
    words = table.assign(level=[LEVELS[level] for level in table["level"]])
    for i, (view, step) in enumerate(zip(batch, steps, strict=True)):
        row = {str(name): value for name, value in words.iloc[i].items()}
        yield _one(view, about(view) | row, step, found, i, meter)


def _one(
    view: View, row: dict[str, Any], step: int, found: Relevance, i: int, meter: "OrdinalMeter"
) -> Intensity:
    odds, bias = float(found.sums[0, i]), float(found.bias[:, i].sum())
    return Intensity(
        view.pixels,
        found.pixels[i].cpu().numpy(),
        row,
        lower=LEVELS[step],
        upper=LEVELS[step + 1],
        odds=odds,
        thresholds=meter.ordinal.thresholds,
        bias=bias,
        lost=odds - bias - float(found.sums[-1, i]),
    )


def load_ordinal(study: Study) -> checkpoint.Checkpoint:
    """The ordinal network of a study.

    Raises:
        StudyError: it was never trained, or the study's classifier is another since.
        WeightsError: its file is damaged.
    """
    path = study.path(MODEL)
    command = f"emorank train --ordinal --study {study.folder}"
    if not path.exists():
        raise StudyError(
            f"{study.folder}: no ordinal network here; it learns from rated faces: "
            f"{command} --votes FILE"
        )
    if study.result(NAME) is None:
        raise StudyError(
            f"{path}: was trained for an earlier plan or model of this study; train it again: "
            f"{command}"
        )
    return checkpoint.load(path, LEVELS[1:])


class OrdinalMeter:
    """A study's classifier, which names the emotion, and its ordinal network, ready for faces.

    Args:
        study: trained.
        network: from `load_ordinal`, which is what it is by default.
        asked: whose intensity; None for the emotion that `measure.expressed` finds.

    Raises:
        StudyError: there is no ordinal network, or it is of an earlier model.
        WeightsError: a file of weights is missing or damaged.
    """

    def __init__(
        self,
        study: Study,
        network: checkpoint.Checkpoint | None = None,
        asked: Emotion | None = None,
    ) -> None:
        self.device, self.batch = study.plan.model.device, study.plan.explain.batch
        self.cut, self.asked = study.plan.train.cut, asked
        self.ordinal = network or load_ordinal(study)
        self.ordinal.net.to(self.device)
        self.classifier, self.classes = network_of(study)

    def __call__(self, pixels: Sequence[Pixels]) -> pd.DataFrame:
        """One row per face: as `measure.named`, with `level`, `score` and `p_none` … `p_strong`."""
        tables = [
            self.table(self.trunk(pixels[start : start + self.batch]))
            for start in range(0, len(pixels), self.batch)
        ]
        return pd.concat(tables, ignore_index=True)

    @torch.inference_mode()
    def trunk(self, pixels: Sequence[Pixels]) -> torch.Tensor:
        """Features of a batch of faces: both networks have them from the same frozen layers."""
        return self.ordinal.net.trunk(to_batch(list(pixels)).to(self.device), self.cut)

    def table(self, maps: torch.Tensor) -> pd.DataFrame:
        """The rows of faces whose features these are."""
        logits, odds = self.outputs(maps)
        table = named(logits, self.classes, self.asked)
        return pd.concat([table, level_table(odds, table["expressed"], self.ordinal)], axis=1)

    @torch.inference_mode()
    def outputs(self, maps: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Logits of the emotions, and log-odds of the levels of each."""
        maps = maps.to(self.device)
        logits, odds = (
            net.tail(maps, self.cut).cpu().numpy() for net in (self.classifier, self.ordinal.net)
        )
        return logits, odds


def level_table(
    outputs: np.ndarray, emotions: Sequence[str] | pd.Series, model: checkpoint.Checkpoint
) -> pd.DataFrame:
    """`level`, `score` and the probability of each level, of one emotion of each face.

    Args:
        outputs: of the ordinal network.
        emotions: one for each face.
        model: the ordinal network.
    """
    rows = np.arange(len(outputs))
    chosen = [model.classes.index(Emotion(word)) for word in emotions]
    # Against the middle threshold, which is 0.
    score = outputs.reshape(len(outputs), -1, ordinal.STEPS)[rows, chosen, ordinal.STEPS // 2]
    table = pd.DataFrame(
        {
            "level": pd.array(ordinal.levels(outputs)[rows, chosen], dtype="Int64"),
            "score": score.astype(np.float64),
        }
    )
    shares = ordinal.probabilities(outputs)[rows, chosen]
    for k, level in enumerate(LEVELS):
        table[f"p_{level.lower()}"] = shares[:, k]
    return table
