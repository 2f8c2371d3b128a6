"""Faces explained by the shipped network or that of a study, by any of the ranks that explain."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from emorank.errors import PlanError
from emorank.framing import Picture
from emorank.reading.stream import Stream
from emorank.relevance import Preset, override_preset
from emorank.relevance.presets import Bias, MaxPooling, Products
from emorank.study.folder import Study
from emorank.study.plan import preset_of
from emorank.study.readers import explain_intensity, reader_of

RANKS = ("contrast", "paper", "ordinal")
"""Which can be explained."""


@dataclass(frozen=True)
class Rules:
    """What takes the place of a network's own rules of the propagation, as options say it.

    Attributes:
        preset: None for the network's own.
        rules: as `relevance.override_preset` takes them; so are the others.
    """

    preset: str | Preset | None = None
    rules: Mapping[str, str] = field(default_factory=dict)
    bias: Bias | None = None
    max_pooling: MaxPooling | None = None
    products: Products | None = None

    def over(self, own: str | Preset) -> str | Preset:
        """The rules of a network that has its own."""
        if self == Rules():
            return own
        base = own if self.preset is None else self.preset
        return override_preset(
            base,
            self.rules,
            bias=self.bias,
            max_pooling=self.max_pooling,
            products=self.products,
        )


def explained_faces(
    study: Study | None,
    images: Picture | Iterable[Picture],
    rank: str = "contrast",
    rules: Rules | None = None,
    *,
    crop: str | None = None,
    nearest: bool = False,
    strict: bool = False,
    device: str | None = None,
) -> tuple[Stream[Any], str | Preset]:
    """Explain every face in images.

    Args:
        study: whose network; None for the shipped one.
        images: as `readers.read` takes them; so are `crop`, `nearest`, `strict` and `device`.
        rank: "contrast": why this expression and not neutral; "paper": the relevance of the
            emotion, neutral too where it is named; "ordinal", of a study: why this level.
        rules: of the propagation, in the place of the network's.
        crop: "face" or "none".
        nearest: only the nearest face of an image.
        strict: raise at the first image that cannot be used.
        device: where to compute.

    Returns:
        A stream of `RankedFace` (with `heatmap`, or for the paper's rank `relevance`) or, for the
        ordinal rank, `Intensity`; and the rules by which it is computed.

    Raises:
        PlanError: no such rank or device, or rules of its own for the ordinal rank.
        EmorankError: as `readers.reader_of`.
    """
    rules = rules or Rules()
    if rank not in RANKS:
        raise PlanError(
            f"'{rank}' is no rank that is explained; expected one of {', '.join(RANKS)}"
        )
    if rank == "ordinal":
        if study is None or rules != Rules():
            raise PlanError("the ordinal rank is that of a study, explained by the plan's rules")
        faces = explain_intensity(
            study, images, crop=crop, nearest=nearest, strict=strict, device=device
        )
        return faces, preset_of(study.plan.explain)
    paper = rank == "paper"
    reader = reader_of(study, [rank], device=device, neutral=paper, heatmaps=not paper)
    network = reader.network
    chosen = rules.over(network.preset if paper else network.heatmap)
    network = replace(network, preset=chosen) if paper else replace(network, heatmap=chosen)
    reader = replace(reader, network=network)
    return reader.read(images, crop=crop, nearest=nearest, strict=strict), chosen
