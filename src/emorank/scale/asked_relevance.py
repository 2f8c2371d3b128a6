"""The question of `emorank explain`: which pixels made a network say what it says, as arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emorank import __version__
from emorank.framing import View
from emorank.networks.devices import device_of
from emorank.reading.explanations import flat_warning
from emorank.reading.intensity import Intensity
from emorank.reading.reader import view_row
from emorank.relevance import HEATMAP
from emorank.scale.asked_ranks import device_named
from emorank.scale.maps import Arrays
from emorank.scale.task import Answer, Ready, Row, Task
from emorank.study.answer_store import RankStates
from emorank.study.explained_faces import Rules, explained_faces
from emorank.study.folder import fingerprint

if TYPE_CHECKING:
    from emorank.networks.network import StrideIn
    from emorank.networks.normalisation import Normalisation
    from emorank.reading.explanations import Explanation
    from emorank.reading.stream import Stream
    from emorank.relevance import Preset
    from emorank.relevance.targets import Target
    from emorank.study.folder import Study

MAP, PIXELS, LOGITS = "relevance", "pixels", "logits"
_TOO_LARGE = "its relevance, up to {:.3g}, is more than 16 bits hold (65504); leave out --half"


@dataclass(frozen=True)
class AnyNetwork:
    """A network from a file, and what of it is explained.

    `emorank.load_network` and `emorank.explain_images` say what the fields are; the target is no
    function.
    """

    weights: Path | str
    presets: "Sequence[str] | Mapping[str, str | Preset]" = (HEATMAP,)
    target: "Target" = None
    each: bool = False
    at: Sequence[str] = ()
    size: int | None = None
    labels: Path | str | None = None
    normalisation: "Normalisation | None" = None
    bgr: bool = False
    stride_in: "StrideIn | None" = None
    grey: bool = False


def ask_relevance_of_faces(
    study: "Study | None",
    rank: str,
    rules: Rules,
    *,
    crop: str | None,
    nearest: bool,
    strict: bool,
    half: bool,
    device: str | None,
) -> Task:
    """The task with the shipped network or that of a study; arguments are those of `explain_many`.

    Raises:
        PlanError: there is no such device.
    """
    place = device_named(study, device)
    options = ["explain", crop, nearest, half, repr(rules), place.partition(":")[0]]
    state = RankStates(study).of(rank, rank, *options)
    make = partial(_faces, study, rank, rules, crop=crop, nearest=nearest, half=half, device=device)
    return Task(make, state, place, strict)


def ask_relevance_of_network(
    network: AnyNetwork,
    *,
    crop: str | None,
    nearest: bool,
    strict: bool,
    half: bool,
    device: str | None,
) -> Task:
    """The task with any network, whose file every worker reads; the arguments likewise.

    Raises:
        PlanError: there is no such device.
    """
    place = str(device_of(device or "cpu"))
    weights = Path(network.weights).resolve()
    state = weights.stat() if weights.is_file() else None
    key = fingerprint(
        "explain", str(weights), state and [state.st_size, state.st_mtime_ns], repr(network),
        crop, nearest, half, place.partition(":")[0], __version__,
    )  # fmt: skip
    views = {"crop": crop, "nearest": nearest}
    make = partial(_network, replace(network, weights=weights), half, place, views)
    return Task(make, key, place, strict)


def _faces(study: "Study | None", rank: str, rules: Rules, *, half: bool, **options: Any) -> Ready:
    stream, preset = explained_faces(study, [], rank, rules, **options)
    return Ready(stream.views, stream.batch, partial(_of_faces, stream, preset, half))


def _of_faces(
    stream: "Stream[Any]", preset: "str | Preset", half: bool, views: list[View]
) -> list[Answer]:
    answers = []
    for face in stream.answer(views):
        row = face.row | {"warning": flat_warning(face.pixels, preset) or None}
        if isinstance(face, Intensity):
            row["question"] = face.question
            relevance = face.relevance
        else:
            relevance = face.relevance if face.heatmap is None else face.heatmap
        answers.append(_answer([(row, {MAP: relevance}, {PIXELS: face.pixels})], half))
    return answers


def _network(network: AnyNetwork, half: bool, device: str, views: dict[str, Any]) -> Ready:
    from emorank.networks.network import load_network
    from emorank.reading.explanations import explain_images

    loaded = load_network(
        network.weights,
        network.labels,
        normalisation=network.normalisation,
        bgr=network.bgr,
        stride_in=network.stride_in,
        grey=network.grey,
        size=network.size,
    )
    stream = explain_images(
        loaded if device == "cpu" else loaded.on(device),
        [],
        network.presets,
        target=network.target,
        each=network.each,
        at=network.at,
        size=network.size,
        **views,
    )
    return Ready(stream.views, stream.batch, partial(_of_network, stream, half))


def _of_network(stream: "Stream[Explanation]", half: bool, views: list[View]) -> list[Answer]:
    # By number: a face may have several explanations, or none and a reason.
    numbered = [View(view.image, k, view.pixels) for k, view in enumerate(views)]
    stream.excluded.clear()
    said: dict[int, list[tuple[dict[str, Any], Arrays, Arrays]]] = {}
    for one in stream.answer(numbered):
        maps = dict(one.maps)
        for name, layers in one.at.items():
            maps |= {f"{name}@{layer}": values for layer, values in layers.items()}
        row = view_row(views[one.face]) | _cells(one)
        beside = {PIXELS: one.pixels, LOGITS: one.logits}
        said.setdefault(one.face, []).append((row, maps, beside))
    reasons = iter([error.reason for error in stream.excluded])
    return [
        _answer(said[k], half) if k in said else Answer([], next(reasons))
        for k in range(len(views))
    ]


def _cells(one: "Explanation") -> dict[str, Any]:
    """What the table says of an explanation."""
    cells: dict[str, Any] = {"predicted": one.predicted, "target": one.target}
    if one.labels is not None:
        cells |= {"label": one.labels[one.target]}
    cells |= {"logit": one.logit}
    if one.probability is not None:
        cells |= {"probability": one.probability}
    if one.against is not None:
        cells |= {"against": one.against, "difference": one.difference}
    return cells | {"flat": one.flat, "warning": one.warning or None, "reads": one.reads}


def _answer(said: list[tuple[dict[str, Any], Arrays, Arrays]], half: bool) -> Answer:
    """Rows with maps, in 16 bits if they are to be, and what is beside them as it is."""
    rows = []
    for cells, maps, beside in said:
        if half:
            most = max(float(np.abs(one).max(initial=0)) for one in maps.values())
            if most > float(np.finfo(np.float16).max):
                return Answer([], _TOO_LARGE.format(most))
            maps = {name: one.astype(np.float16) for name, one in maps.items()}
        rows.append(Row(cells, {**maps, **beside}))
    return Answer(rows)
