"""Readers of a study: its network and its ranks, ready for faces that nobody has seen."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from emorank.errors import PlanError
from emorank.framing import Picture
from emorank.reading.emotion_network import EmotionNetwork
from emorank.reading.intensity import Intensity, explain_levels
from emorank.reading.ranks import RANKS, SCORES
from emorank.reading.reader import Rank, RankedFace, Reader
from emorank.reading.stream import Stream
from emorank.study.folder import Study
from emorank.study.learning.calibrate import calibration
from emorank.study.learning.measured_faces import evidence_cuts
from emorank.study.learning.train_ordinal import load_ordinal
from emorank.study.trained_network import trained_network
from emorank.vocabulary import Emotion

SETTINGS: dict[str, Callable[[Study, EmotionNetwork], Any]] = {
    "paper": lambda study, _: study.plan.rank.rule,
    "evidence": evidence_cuts,
    "calibrated": lambda study, _: calibration(study),
    "ordinal": load_ordinal,
    "probability": lambda *_: None,
    "logit": lambda *_: None,
}
"""What each rank needs of a study beside its network."""


def reader_of(
    study: Study,
    ranks: Sequence[str] = ("paper",),
    emotion: str | None = None,
    *,
    network: EmotionNetwork | None = None,
    neutral: bool = False,
) -> Reader:
    """The network of a study with some of its ranks, names in `RANKS`.

    If an `emotion` is given, the ranks say how strongly this one is expressed, whatever the network
    names; without it, they take the most probable one that is not neutral, which is the predicted
    one where that is not neutral. With `neutral`, neutral too is ranked and explained where it is
    named, as heatmaps do. `network` is that of the study, if it is loaded already.

    Raises:
        PlanError: there is no such rank, or the network does not know the emotion.
        StudyError: the study lacks what a rank needs.
        WeightsError: the study has no model.
    """
    check_ranks(ranks, RANKS)
    network = network or trained_network(study)
    asked = None if emotion is None else _asked(network, emotion)
    return Reader(network, {name: rank_of(study, name, network) for name in ranks}, asked, neutral)


def rank_of(study: Study, name: str, network: EmotionNetwork) -> Rank:
    """A rank with what it needs of the study.

    Raises:
        StudyError: the study lacks what the rank needs.
        WeightsError: a file of weights is damaged.
    """
    setting = SETTINGS[name](study, network)

    def rank(measured: Any) -> Any:
        return RANKS[name](measured, setting)

    return rank


def rank_images(
    study: Study,
    images: Picture | Iterable[Picture],
    *,
    crop: str | None = None,
    nearest: bool = False,
    strict: bool = False,
    rank: str | Sequence[str] = "paper",
    emotion: str | None = None,
) -> Stream[RankedFace]:
    """Name and rank the expressed emotion of every face in images that a study has never seen.

    Images are read a batch at a time while the result is iterated over, so memory does not grow
    with their number.

    Args:
        study: trained.
        images: files, arrays (height, width, 3) of uint8 or framed faces; one, or any number.
        crop: "face" or "none"; None for the framing that the model was trained on.
        nearest: only the nearest face of an image instead of every one.
        strict: raise at the first image that cannot be used.
        rank: "paper", "evidence", "calibrated" or "ordinal", or several of them;
            docs/ranking.md says what each needs.
        emotion: how strongly this one is expressed, whatever the model names; None for the
            emotion that it names.

    Returns:
        To be iterated over once: a record for each face with `row` (as in the table that
        `emorank rank --out` writes), `pixels` (what the network saw) and, for the paper's rank,
        `relevance`. Its list `excluded` fills on the way with an ImageError for each image that
        could not be used.

    Raises:
        WeightsError: the study has no model.
        PlanError: there is no such rank, or the model does not know the emotion.
        StudyError: the study lacks what the rank needs.
        ImageError: an image cannot be used, if `strict`; when it is its turn.
    """
    ranks = (rank,) if isinstance(rank, str) else tuple(rank)
    check_levels(ranks)
    reader = reader_of(study, ranks, emotion)
    return reader.read(images, crop=crop, nearest=nearest, strict=strict)


def explain_intensity(
    study: Study,
    images: Picture | Iterable[Picture],
    *,
    crop: str | None = None,
    nearest: bool = False,
    strict: bool = False,
) -> Stream[Intensity]:
    """Say of every face in images how strongly it expresses its emotion, and why so strongly.

    The intensity is that of the study's ordinal network (`train_ordinal`), the emotion the one that
    its classifier names; the rules of the relevance are the plan's. Images and options are as in
    `rank_images`.

    Returns:
        To be iterated over once: a record for each face with `row` (as `rank_images` gives it of
        the ordinal rank), `relevance` of the log-odds between the face's level and the one below
        it, `question` and `account` in words. Its list `excluded` fills on the way.

    Raises:
        StudyError: the study has no ordinal network.
        WeightsError: a file of weights is missing or damaged.
        ImageError: an image cannot be used, if `strict`; when it is its turn.
    """
    network = trained_network(study)
    model = load_ordinal(study, network)
    return explain_levels(network, model, images, crop=crop, nearest=nearest, strict=strict)


def check_levels(ranks: Sequence[str]) -> None:
    """Refuse what is no rank, or a score that has no levels.

    Raises:
        PlanError: there is one.
    """
    check_ranks(ranks, [name for name in RANKS if name not in SCORES])


def check_ranks(ranks: Sequence[str], expected: Iterable[str]) -> None:
    """Refuse a name that is none of those expected, and no name at all.

    Raises:
        PlanError: there is one, or none.
    """
    for name in ranks:
        if name not in expected:
            raise PlanError(f"'{name}' is no rank; expected one of {', '.join(expected)}")
    if not ranks:
        raise PlanError(f"expected a rank or several of {', '.join(expected)}; got none")


def _asked(network: EmotionNetwork, word: str) -> Emotion:
    emotion = Emotion.parse(word)
    if emotion == Emotion.NEUTRAL or emotion not in network.classes:
        words = ", ".join(str(one) for one in network.classes if one != Emotion.NEUTRAL)
        raise PlanError(f"the intensity of '{word}': the model knows that of {words}")
    return emotion
