"""What the ranks of a study, and the controls, say of the pictures of an audit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import pandas as pd

from emorank.errors import MissingExtraError, StudyError, WeightsError
from emorank.evaluation.laboratory.controls import CONTROLS
from emorank.evaluation.laboratory.perturbation import Pixels
from emorank.images import digest
from emorank.progress import Progress
from emorank.reading.measured import Measured
from emorank.reading.reader import Reader
from emorank.study.answer_store import AnswerStore, RankStates
from emorank.study.folder import Study
from emorank.study.learning.calibrate import fitted_on
from emorank.study.readers import rank_of
from emorank.study.trained_network import trained_network
from emorank.vocabulary import LEVEL_COLUMNS, Emotion

COLUMNS = ("score", "level", *LEVEL_COLUMNS)
FOLDER = "audit"

_OPTIONAL = (StudyError, WeightsError, MissingExtraError)
_WITHOUT_NETWORK = 8  # pictures at a time


def ranks_to_audit(
    study: Study, names: Sequence[str], faces: pd.DataFrame
) -> tuple[Reader | None, dict[str, str]]:
    """The ranks that can be tested on some faces of a study, and the reason for each that cannot.

    The calibrated rank is not tested on faces that it was fitted on.
    """
    try:
        network = trained_network(study)
    except _OPTIONAL as error:
        return None, dict.fromkeys(names, str(error))
    ranks, unavailable = {}, {}
    for name in names:
        try:
            ranks[name] = rank_of(study, name, network)
        except _OPTIONAL as error:
            unavailable[name] = str(error)
    if "calibrated" in ranks and (count := int(fitted_on(study, faces).sum())):
        del ranks["calibrated"]
        unavailable["calibrated"] = (
            f"it was fitted on {count} of these faces; emorank calibrate tested it on each of "
            "them by a model fitted on other persons"
        )
    return Reader(network, ranks), unavailable


def answer_stores(study: Study, names: Sequence[str]) -> dict[str, AnswerStore]:
    """Where the answers of some ranks are stored, by the picture and the emotion asked about."""
    states = RankStates(study)
    folder = study.path(FOLDER)
    return {name: AnswerStore(folder, name, states.of(name), COLUMNS) for name in names}


def rank_answers(
    reader: Reader | None,
    stores: Mapping[str, AnswerStore],
    draws: Sequence[Callable[[], Pixels]],
    asked: Sequence[Emotion | None],
    progress: Progress,
) -> dict[str, pd.DataFrame]:
    """`COLUMNS` of each picture by each rank and by each control.

    A picture is drawn once, measured once for all ranks, and never again for a rank that has an
    answer in its store. Without a reader, only the controls answer. `asked` is the emotion that is
    ranked in each picture, None for the one that the network names.

    Raises:
        StudyError: another process audits the study.
    """
    at_once = reader.network.batch if reader else _WITHOUT_NETWORK
    keys: list[str] = []
    controls: dict[str, list[pd.DataFrame]] = {name: [] for name in CONTROLS}
    for start in range(0, len(draws), at_once):
        pictures = [draw() for draw in draws[start : start + at_once]]
        about = asked[start : start + at_once]
        keys += (here := [_key(*each) for each in zip(pictures, about, strict=True)])
        if reader:
            _ask(reader, stores, pictures, about, here, partial(progress, start, len(draws)))
        for name, control in CONTROLS.items():
            progress(start, len(draws), name)
            controls[name].append(control(pictures))
    progress(len(draws), len(draws), "")
    answers = {name: store.table(keys) for name, store in stores.items()}
    answers |= {name: pd.concat(parts, ignore_index=True) for name, parts in controls.items()}
    return {name: _typed(table) for name, table in answers.items()}


def _ask(
    reader: Reader,
    stores: Mapping[str, AnswerStore],
    pictures: Sequence[Pixels],
    asked: Sequence[Emotion | None],
    keys: Sequence[str],
    progress: Callable[[str], None],
) -> None:
    """Have each rank answer the pictures that its store lacks."""
    measured: dict[tuple[int, ...], Measured] = {}
    for name, rank in reader.ranks.items():
        progress(name)
        rows = tuple(stores[name].lacking(keys))
        if not rows:
            continue
        if rows not in measured:
            faces = reader.measure([pictures[row] for row in rows])
            measured[rows] = replace(faces, emotion=[asked[row] for row in rows])
        stores[name].add([keys[row] for row in rows], rank(measured[rows]))


def _key(pixels: Pixels, asked: Emotion | None) -> str:
    """What an answer is stored by: the picture, and the emotion if it is not the named one."""
    return digest(pixels) if asked is None else f"{digest(pixels)}.{asked}"


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    numbers = table.reindex(columns=[*COLUMNS]).astype("Float64").astype("float64")
    return numbers.assign(level=numbers["level"].round().astype("Int64"))
