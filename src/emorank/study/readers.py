"""Readers of a study: its network and its ranks, ready for faces that nobody has seen."""

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from emorank.datasets import folder_walk
from emorank.errors import ImageError, PlanError, StudyError
from emorank.framing import OTHER_WIDTHS, Picture
from emorank.reading.emotion_network import EmotionNetwork
from emorank.reading.intensity import Intensity, explain_levels
from emorank.reading.ranks import RANKS, SCORES
from emorank.reading.reader import Rank, RankedFace, Reader
from emorank.reading.ready import ready_network
from emorank.reading.stream import Stream
from emorank.study.folder import Study, open_study
from emorank.study.learning.calibrate import calibration
from emorank.study.learning.measured_faces import evidence_cuts, temperature_of
from emorank.study.learning.train_ordinal import load_ordinal
from emorank.study.trained_network import trained_network
from emorank.vocabulary import Emotion

SETTINGS: dict[str, Callable[[Study, EmotionNetwork], Any]] = {
    "contrast": temperature_of,
    "paper": lambda study, _: study.plan.rank.rule,
    "evidence": evidence_cuts,
    "calibrated": lambda study, _: calibration(study),
    "ordinal": load_ordinal,
    "probability": lambda *_: None,
    "logit": lambda *_: None,
}
"""What each rank needs of a study beside its network."""
READY_SETTINGS: dict[str, Any] = {
    "contrast": 1.0, "paper": "count", "probability": None, "logit": None
}  # fmt: skip
"""The same for the shipped network, where nothing has to be learnt."""
_LOG = logging.getLogger(__name__)
OF_LOGITS = ("contrast", "probability", "logit")
"""What can be read from logits alone, which can be averaged over several crops of a face."""


def reader_of(
    study: Study | None,
    ranks: Sequence[str] = (),
    emotion: str | None = None,
    *,
    network: EmotionNetwork | None = None,
    device: str | None = None,
    neutral: bool = False,
    heatmaps: bool = False,
    crops: int = 1,
) -> Reader:
    """The network of a study, or without one the shipped network, with some ranks of `RANKS`.

    Without `ranks` it is the one that suits the network (`default_rank`).
    If an `emotion` is given, the ranks say how strongly this one is expressed, whatever the network
    names; without it, they take the most probable one that is not neutral, which is the predicted
    one where that is not neutral. With `neutral`, neutral too is ranked and explained where it is
    named, as heatmaps do; with `heatmaps`, each face gets the map that people look at. `network` is
    that of the study, if it is loaded already. `device` is where to compute, as `device_of` reads
    it; without it, where the study's plan says, or the CPU. With 3 `crops` of each face their
    logits are averaged.

    Raises:
        PlanError: there is no such rank or device, or the network does not know the emotion; or
            several crops and a rank that is not of logits.
        StudyError: the study lacks what a rank needs, or there is none and the rank needs one.
        WeightsError: the study has no model.
    """
    if network is None:
        network = ready_network() if study is None else trained_network(study, device)
    network = network.on(device) if device else network
    ranks = tuple(ranks) or (default_rank(network),)
    check_ranks(ranks, RANKS)
    _check_crops(crops, ranks)
    asked = None if emotion is None else _asked(network, emotion)
    whose = "comes with emorank" if study is None else f"the study {study.folder} has trained"
    _LOG.info(
        "reads with the network that %s, on %s; ranks: %s",
        *(whose, network.device, ", ".join(ranks)),
    )
    functions = {name: rank_of(study, name, network) for name in ranks}
    return Reader(network, functions, asked, neutral, heatmaps, crops)


def default_rank(network: EmotionNetwork) -> str:
    """The rank where none is named: the contrast to neutral, or the evidence without neutral."""
    return "contrast" if network.knows_neutral else "evidence"


def rank_of(study: Study | None, name: str, network: EmotionNetwork) -> Rank:
    """A rank with what it needs of the study; without one, with what suits the shipped network.

    Raises:
        StudyError: the study lacks what the rank needs, or there is none and the rank needs one.
        WeightsError: a file of weights is damaged.
    """
    if study is None and name not in READY_SETTINGS:
        raise StudyError(
            f"the rank '{name}' learns from the faces of a study: name one (--study DIR), or use "
            f"{' or '.join(READY_SETTINGS)}"
        )
    setting = READY_SETTINGS[name] if study is None else SETTINGS[name](study, network)

    def rank(measured: Any) -> Any:
        return RANKS[name](measured, setting)

    return rank


def ranks_at_hand(
    study: Study | None, network: EmotionNetwork, first: str | None = None
) -> dict[str, Rank]:
    """Every rank with levels that the study, or the shipped network, has all for; `first` leads.

    A rank that lacks something, such as votes that nobody has given yet, is left out. Without
    `first` the default leads.

    Raises:
        PlanError: `first` is no rank, or has no levels.
        StudyError: the study lacks what `first` needs.
        WeightsError: a file of weights is damaged.
    """
    if first is not None:
        check_levels((first,))
    leading = first or default_rank(network)
    ranks = {leading: rank_of(study, leading, network)}
    for name in RANKS:
        if name in SCORES or (name == "contrast" and not network.knows_neutral):
            continue
        with suppress(StudyError):
            ranks[name] = ranks.get(name) or rank_of(study, name, network)
    return ranks


def read(
    images: Picture | Iterable[Picture],
    *,
    study: Study | Path | str | None = None,
    rank: str | Sequence[str] = (),
    emotion: str | None = None,
    crop: str | None = None,
    nearest: bool = False,
    strict: bool = False,
    heatmaps: bool = True,
    names: Iterable[str] | None = None,
    device: str | None = None,
    crops: int = 1,
) -> Stream[RankedFace]:
    """Name the expressed emotion of every face, say how strong it is, and show why.

    Nothing has to be trained: without a `study` (or its folder) the shipped network answers.
    `images` are one picture or any number: a file, a folder of files, the bytes of a file, an open
    file, a PIL image, an array (height, width) or (height, width, 1, 3 or 4) of uint8 or of floats
    in [0, 1], or a framed face. Those without a name get one of `names`, or their place, from 0.
    `heatmaps` gives each face the relevance that people look at, always that of the usual crop.
    `device` is where to compute: "cpu", "cuda", "cuda:1", "auto" (a GPU where there is one); None
    for the plan of the study, or the CPU. The other arguments are those of `rank_images`.

    Returns:
        As `rank_images`, each face with `heatmap`; `to_frame()` is all of it as a table.

    Raises:
        As `rank_images`.
    """
    ranks = (rank,) if isinstance(rank, str) else tuple(rank)
    check_levels(ranks)
    if isinstance(study, Path | str):
        study = open_study(study)
    reader = reader_of(study, ranks, emotion, device=device, heatmaps=heatmaps, crops=crops)
    left_out: list[ImageError] = []
    if isinstance(images, Path | str) and Path(images).is_dir():
        images, left_out = folder_walk.paths((Path(images),))
    stream = reader.read(images, crop=crop, nearest=nearest, strict=strict, names=names)
    stream.excluded.extend(left_out)
    return stream


def rank_images(
    study: Study | Path | str,
    images: Picture | Iterable[Picture],
    *,
    crop: str | None = None,
    nearest: bool = False,
    strict: bool = False,
    rank: str | Sequence[str] = (),
    emotion: str | None = None,
    device: str | None = None,
    crops: int = 1,
) -> Stream[RankedFace]:
    """Name and rank the expressed emotion of every face in images that a study has never seen.

    Images are read a batch at a time while the result is iterated over, so memory does not grow
    with their number.

    Args:
        study: trained, or its folder.
        images: pictures in any form that `read` takes; one, or any number.
        crop: "face" or "none"; None for the framing that the model was trained on.
        nearest: only the nearest face of an image instead of every one.
        strict: raise at the first image that cannot be used.
        rank: "contrast", "paper", "evidence", "calibrated" or "ordinal", or several of them;
            docs/ranking.md says what each needs. Without one it is the contrast to neutral, or the
            evidence where the network does not know neutral.
        emotion: how strongly this one is expressed, whatever the model names; None for the
            emotion that it names.
        device: where to compute, as in `read`.
        crops: 1, or 3: the usual crop of each face, a narrower and a wider one, whose logits are
            averaged; only with the contrast, and for faces that are aligned. docs/networks.md says
            what it gains.

    Returns:
        To be iterated over once: a record for each face with `row` (as in the table that
        `emorank rank --out` writes), `pixels` (what the network saw) and, for the paper's rank,
        `relevance`. Its list `excluded` fills on the way with an ImageError for each image that
        could not be used.

    Raises:
        WeightsError: the study has no model.
        PlanError: there is no such rank or device, or the model does not know the emotion; or
            `crops` is neither 1 nor 3, or does not go with the rank or the framing.
        StudyError: the study lacks what the rank needs.
        ImageError: an image cannot be used, if `strict`; when it is its turn.
    """
    return read(
        images,
        study=study,
        rank=rank,
        emotion=emotion,
        crop=crop,
        nearest=nearest,
        strict=strict,
        heatmaps=False,
        device=device,
        crops=crops,
    )


def explain_intensity(
    study: Study | Path | str,
    images: Picture | Iterable[Picture],
    *,
    crop: str | None = None,
    nearest: bool = False,
    strict: bool = False,
    device: str | None = None,
) -> Stream[Intensity]:
    """Say of every face in images how strongly it expresses its emotion, and why so strongly.

    The intensity is that of the study's ordinal network (`train_ordinal`), the emotion the one that
    its classifier names; the rules of the relevance are the plan's. Study, images and options
    are as in `rank_images`.

    Returns:
        To be iterated over once: a record for each face with `row` (as `rank_images` gives it of
        the ordinal rank), `relevance` of the log-odds between the face's level and the one below
        it, `question` and `account` in words. Its list `excluded` fills on the way.

    Raises:
        StudyError: the study has no ordinal network.
        WeightsError: a file of weights is missing or damaged.
        ImageError: an image cannot be used, if `strict`; when it is its turn.
    """
    study = study if isinstance(study, Study) else open_study(study)
    network = trained_network(study, device)
    model = load_ordinal(study, network)
    return explain_levels(network, model, images, crop=crop, nearest=nearest, strict=strict)


def check_levels(ranks: Sequence[str]) -> None:
    """Refuse what is no rank, or a score that has no levels.

    Raises:
        PlanError: there is one.
    """
    check_ranks(ranks, [name for name in RANKS if name not in SCORES])


def check_ranks(ranks: Sequence[str], expected: Iterable[str]) -> None:
    """Refuse a name that is none of those expected.

    Raises:
        PlanError: there is one.
    """
    for name in ranks:
        if name not in expected:
            raise PlanError(f"'{name}' is no rank; expected one of {', '.join(expected)}")


def _check_crops(crops: int, ranks: Sequence[str]) -> None:
    if crops not in OTHER_WIDTHS:
        raise PlanError(f"crops={crops}: expected {' or '.join(map(str, OTHER_WIDTHS))}")
    other = [name for name in ranks if name not in OF_LOGITS]
    if crops > 1 and other:
        raise PlanError(f"the rank '{other[0]}' reads one crop of a face; expected 'contrast'")


def _asked(network: EmotionNetwork, word: str) -> Emotion:
    emotion = Emotion.parse(word)
    if emotion == Emotion.NEUTRAL or emotion not in network.classes:
        words = ", ".join(str(one) for one in network.classes if one != Emotion.NEUTRAL)
        raise PlanError(f"the intensity of '{word}': the model knows that of {words}")
    return emotion
