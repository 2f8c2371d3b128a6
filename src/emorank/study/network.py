"""A study whose network is that of another study: nothing is trained, and every face is tested.

Does a network, and do the ranks that came with it, carry over to other people, other cameras, other
raters? Such a study asks that with every verb there is, because to them it is a study like others.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from emorank.datasets.leakage import Leakage, leakage
from emorank.errors import PlanError, StudyError
from emorank.files import replacing
from emorank.networks import checkpoint
from emorank.progress import Progress, silent
from emorank.reading.emotion_network import EmotionNetwork
from emorank.results.network_source import NetworkSource
from emorank.study.folder import Study, open_study
from emorank.study.framing import open_dataset
from emorank.study.learning.calibrate import RESULT as CALIBRATION
from emorank.study.learning.evidence_cuts import RESULT as EVIDENCE
from emorank.study.learning.evidence_cuts import evidence_cuts
from emorank.study.learning.train_ordinal import MODEL as ORDINAL_MODEL
from emorank.study.learning.train_ordinal import NAME as ORDINAL
from emorank.study.plan import DataPlan, Plan, override
from emorank.study.trained_network import MODEL, trained_network
from emorank.vocabulary import Emotion

LEARNT = (EVIDENCE, CALIBRATION, ORDINAL)
"""What a study learns beside its network, and another one takes over with it."""

_COMPARED = ["image", "person", "sequence", "phash"]


def of_network(folder: Path | str) -> Plan:
    """A plan to begin with for faces that the network of a study is tested on.

    It frames, explains, ranks and resamples as that study was told to; its images and votes are
    still to be said.

    Raises:
        StudyError: there is no study, or it is not trained.
    """
    source = _trained(folder)
    title = f"{source.plan.title}: its network on other faces"
    data = DataPlan(crop=source.plan.data.crop)
    plan = msgspec.structs.replace(source.plan, data=data, network=str(folder), title=title)
    return override(plan, {"validate.votes": ""}, "the plan")


def settled(plan: Plan) -> Plan:
    """A plan with a network, and with all that follows from it: recipe, size, emotions.

    Raises:
        StudyError: there is no such study, or it has no network of its own.
        PlanError: the plan asks for emotions that the network does not know.
    """
    source = _trained(plan.network)
    known = checkpoint.known(source.path(MODEL))
    words = [str(emotion) for emotion in known.classes]
    unknown = [word for word in plan.data.emotions if Emotion.parse(word) not in known.classes]
    if unknown:
        raise PlanError(
            f"data.emotions: {', '.join(unknown)}: the network knows {', '.join(words)}"
        )
    changes: dict[str, Any] = {
        "network": str(source.folder.resolve()),
        "model.weights": source.plan.model.weights,
        "train": msgspec.to_builtins(source.plan.train),
        "data.size": known.size,
        "data.emotions": plan.data.emotions or words,
    }
    return override(plan, changes, "the plan")


def take(study: Study, progress: Progress = silent) -> str:
    """Stage 2 of such a study: the network comes here, and what was learnt from votes with it.

    Returns a line that says whose network it is.

    Raises:
        StudyError: the other study is gone, or no longer trained.
        WeightsError: its network is damaged.
    """
    source = _trained(study.plan.network)
    network = trained_network(source)  # damaged weights are said before anything is replaced
    for name in LEARNT:
        study.path(f"{name}.json").unlink(missing_ok=True)
    study.path(ORDINAL_MODEL).unlink(missing_ok=True)
    for number, (name, values) in enumerate(_learnt(source, network)):
        progress(number, len(LEARNT), name)
        study.write_result(name, values, after="prepare")
        if name == ORDINAL:
            _copy(source.path(ORDINAL_MODEL), study.path(ORDINAL_MODEL))
    _copy(source.path(MODEL), study.path(MODEL))
    study.write_table("training", source.table("training").iloc[:0])
    study.write(_about(source))
    return f"the network of {source.folder}; nothing was trained on these faces"


def said(study: Study) -> str:
    """Whose network a study has, in a sentence; empty if it is its own."""
    source = study.read(NetworkSource) if study.plan.network else None
    return source.sentence() if source else ""


def shared(study: Study, faces: pd.DataFrame, parts: pd.DataFrame) -> Leakage:
    """What the faces have in common with those that the network has learnt from.

    Persons and sequences are compared by name within one data set only: elsewhere the same name
    means somebody else.

    Args:
        study: whose faces they are.
        faces: all of them.
        parts: their parts.
    """
    source = _trained(study.plan.network)
    known = _learnt_from(source)[[*_COMPARED, "part"]]
    there, here = source.plan.data, study.plan.data
    if (there.dataset, there.path) != (here.dataset, here.path):
        for column in ("person", "sequence"):
            known[column] = "the network's " + known[column]
    known["image"] = "the network's " + known["image"]
    both = pd.concat([known[_COMPARED], faces[_COMPARED]], ignore_index=True)
    return leakage(both, pd.concat([known[["image", "part"]], parts], ignore_index=True))


def _trained(folder: Path | str) -> Study:
    """The study in a folder, if it has a network of its own."""
    source = open_study(Path(folder).expanduser())
    if source.plan.network:
        raise StudyError(
            f"{folder}: its network is that of {source.plan.network}; name that study instead"
        )
    if not (source.stamp("train") and source.path(MODEL).is_file()):
        raise StudyError(f"{folder}: its network is not trained yet; first: emorank run")
    return source


def _learnt(source: Study, network: EmotionNetwork) -> Iterator[tuple[str, Any]]:
    for name in LEARNT:
        values = source.result(name)
        if name == EVIDENCE and values is None:
            values = evidence_cuts(source, network)
        if values is not None:
            yield name, values


def _learnt_from(source: Study) -> pd.DataFrame:
    """The faces of its training and validation part."""
    faces = source.table("faces").merge(source.table("split"), on="image")
    return faces[faces["part"] != "test"].copy()


def _about(source: Study) -> NetworkSource:
    learnt = _learnt_from(source)
    return NetworkSource(
        title=source.plan.title,
        data=open_dataset(source).card.title,
        faces=len(learnt),
        persons=int(learnt["person"].nunique()),
    )


def _copy(source: Path, target: Path) -> None:
    """Half a gigabyte. A link does: a study's files are replaced, never written into."""
    with replacing(target) as partial:
        try:
            os.link(source, partial)
        except OSError:  # another disk
            shutil.copyfile(source, partial)
