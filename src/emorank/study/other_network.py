"""A study whose network is that of another study: nothing is trained, and every face is tested.

Such a study answers whether a network and its ranks carry over to other people, other cameras and
other raters. Every verb works on it as on other studies.
"""

from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from emorank.datasets.leakage import Leakage, leakage
from emorank.errors import PlanError, StudyError
from emorank.networks import checkpoint
from emorank.results.network_source import NetworkSource
from emorank.study.folder import Study, open_study
from emorank.study.framed_faces import open_dataset
from emorank.study.plan import DataPlan, Plan, override
from emorank.study.trained_network import MODEL
from emorank.vocabulary import Emotion

_COMPARED = ["image", "person", "sequence", "phash"]


def plan_for_network(folder: Path | str) -> Plan:
    """A plan to begin with for faces that the network of a study is tested on.

    It frames, explains, ranks and resamples as that study does; the images and votes are still to
    be given.

    Raises:
        StudyError: there is no study, or it is not trained.
    """
    source = source_study(folder)
    title = f"{source.plan.title}: its network on other faces"
    data = DataPlan(crop=source.plan.data.crop)
    plan = msgspec.structs.replace(source.plan, data=data, network=str(folder), title=title)
    return override(plan, {"validate.votes": ""}, "the plan")


def resolve_network(plan: Plan) -> Plan:
    """Complete a plan that names a network by what follows from it: recipe, size, emotions.

    Raises:
        StudyError: there is no such study, or it has no network of its own.
        PlanError: the plan asks for emotions that the network does not know.
    """
    source = source_study(plan.network)
    about = checkpoint.known(source.path(MODEL))
    words = [str(emotion) for emotion in about.classes]
    unknown = [word for word in plan.data.emotions if Emotion.parse(word) not in about.classes]
    if unknown:
        raise PlanError(
            f"data.emotions: {', '.join(unknown)}: the network knows {', '.join(words)}"
        )
    changes: dict[str, Any] = {
        "network": str(source.folder.resolve()),
        "model.weights": source.plan.model.weights,
        "input": msgspec.to_builtins(source.plan.input),
        "train": msgspec.to_builtins(source.plan.train),
        "data.size": about.size,
        "data.emotions": plan.data.emotions or words,
    }
    return override(plan, changes, "the plan")


def network_sentence(study: Study) -> str:
    """Whose network a study has, in a sentence; empty if it is its own."""
    source = study.read(NetworkSource) if study.plan.network else None
    return source.sentence() if source else ""


def leakage_from_source(study: Study, faces: pd.DataFrame, parts: pd.DataFrame) -> Leakage:
    """Count the faces that share a person, sequence or picture with those the network learnt from.

    Persons and sequences are compared by name only if both studies have the same data set; in
    another data set the same name means another person.
    """
    source = source_study(study.plan.network)
    theirs = _training_faces(source)[[*_COMPARED, "part"]]
    there, here = source.plan.data, study.plan.data
    if (there.dataset, there.path) != (here.dataset, here.path):
        for column in ("person", "sequence"):
            theirs[column] = "the network's " + theirs[column]
    theirs["image"] = "the network's " + theirs["image"]
    both = pd.concat([theirs[_COMPARED], faces[_COMPARED]], ignore_index=True)
    return leakage(both, pd.concat([theirs[["image", "part"]], parts], ignore_index=True))


def source_study(folder: Path | str) -> Study:
    """The study in a folder, if it has a network of its own."""
    source = open_study(Path(folder).expanduser())
    if source.plan.network:
        raise StudyError(
            f"{folder}: its network is that of {source.plan.network}; name that study instead"
        )
    if not (source.stamp("train") and source.path(MODEL).is_file()):
        raise StudyError(f"{folder}: its network is not trained yet; first: emorank run")
    return source


def _training_faces(source: Study) -> pd.DataFrame:
    """The faces of its training and validation part."""
    faces = source.table("faces").merge(source.table("split"), on="image")
    return faces[faces["part"] != "test"].copy()


def network_source(source: Study) -> NetworkSource:
    """The record of whose network it is: title, data set, number of faces and persons."""
    faces = _training_faces(source)
    return NetworkSource(
        title=source.plan.title,
        data=open_dataset(source).card.title,
        faces=len(faces),
        persons=int(faces["person"].nunique()),
    )
