"""A study whose network is that of another study: nothing is trained, and every face is tested.

Such a study answers whether a network and its ranks carry over to other people, other cameras and
other raters. Every verb works on it as on other studies.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from emorank.datasets.leakage import DISTANCE, EXAMPLES, Leakage, leakage
from emorank.errors import PlanError, StudyError
from emorank.networks import checkpoint
from emorank.networks.ready import READY
from emorank.networks.training import Recipe
from emorank.networks.weights import IMAGENET as WEIGHTS
from emorank.reading.ready import NAME
from emorank.results.network_source import NetworkSource
from emorank.study.folder import Study, open_study
from emorank.study.framed_faces import open_dataset
from emorank.study.plan import DataPlan, Plan, override
from emorank.study.trained_network import MODEL
from emorank.vocabulary import Emotion

READY_NETWORK = "ready"
"""What a plan calls the network that comes with emorank."""
_COMPARED = ["image", "person", "sequence", "phash"]


def plan_for_network(folder: Path | str) -> Plan:
    """A plan to begin with for faces that the network of a study, or the shipped one, is tested on.

    It frames, explains, ranks and resamples as that study does; the images and votes are still to
    be given. The shipped network is called "ready".

    Raises:
        StudyError: there is no study, or it is not trained.
    """
    if str(folder) == READY_NETWORK:
        title = "The network that comes with emorank, on these faces"
        return Plan(title=title, network=READY_NETWORK)
    source = source_study(folder)
    title = f"{source.plan.title}: its network on other faces"
    data = DataPlan(crop=source.plan.data.crop)
    plan = msgspec.structs.replace(source.plan, data=data, network=str(folder), title=title)
    return override(plan, {"validate.votes": ""}, origin="the plan")


def resolve_network(plan: Plan) -> Plan:
    """Complete a plan that names a network by what follows from it: recipe, size, emotions.

    Raises:
        StudyError: there is no such study, or it has no network of its own.
        PlanError: the plan asks for emotions that the network does not know.
    """
    if plan.network == READY_NETWORK:
        ready = READY[NAME]
        shipped: dict[str, Any] = {
            "model.weights": WEIGHTS,
            "train": msgspec.to_builtins(Recipe()) | {"backbone": NAME},
            "data.size": ready.size,
            "data.emotions": _emotions(plan, ready.classes),
        }
        return override(plan, shipped, origin="the plan")
    source = source_study(plan.network)
    about = checkpoint.known(source.path(MODEL))
    changes: dict[str, Any] = {
        "network": str(source.folder.resolve()),
        "model.weights": source.plan.model.weights,
        "input": msgspec.to_builtins(source.plan.input),
        "train": msgspec.to_builtins(source.plan.train),
        "data.size": about.size,
        "data.emotions": _emotions(plan, about.classes),
    }
    return override(plan, changes, origin="the plan")


def _emotions(plan: Plan, classes: Sequence[Emotion]) -> list[str]:
    """Those of the plan, or all that a network knows.

    Raises:
        PlanError: the plan asks for others.
    """
    words = [str(emotion) for emotion in classes]
    unknown = [word for word in plan.data.emotions if Emotion.parse(word) not in classes]
    if unknown:
        raise PlanError(
            f"data.emotions: {', '.join(unknown)}: the network knows {', '.join(words)}"
        )
    return plan.data.emotions or words


def network_sentence(study: Study) -> str:
    """Whose network a study has, in a sentence; empty if it is its own."""
    source = study.read(NetworkSource) if study.plan.network else None
    return source.sentence() if source else ""


def leakage_from_source(study: Study, faces: pd.DataFrame, parts: pd.DataFrame) -> Leakage:
    """Count the faces that share a person, sequence or picture with those the network learnt from.

    Persons and sequences are compared by name only if both studies have the same data set; in
    another data set the same name means another person. Of the shipped network nothing is known.
    """
    if study.plan.network == READY_NETWORK:
        return Leakage(len(faces), 0, None, None, None, DISTANCE, ())
    source = source_study(study.plan.network)
    return _leakage(_training_faces(source), source, study, faces, parts)


def known_faces(study: Study, faces: pd.DataFrame, source: Study | None = None) -> set[str]:
    """The images that share a person, sequence or picture with those the network learnt from.

    With the `source` of the network, with any of its faces, those of its test part too. `faces`
    are rows of the study's table. Nothing is known of the shipped network.

    Raises:
        StudyError: the source of the network is gone.
    """
    if source is None and study.plan.network == READY_NETWORK:
        return set()
    theirs = None if source is None else source.table("faces").assign(part="train")
    source = source_study(study.plan.network) if source is None else source
    theirs = _training_faces(source) if theirs is None else theirs
    parts = pd.DataFrame({"image": faces["image"], "part": "test"})
    shared = _leakage(theirs, source, study, faces, parts, examples=len(faces))
    return {pair.test for pair in shared.pairs}


def _leakage(
    theirs: pd.DataFrame,
    source: Study,
    study: Study,
    faces: pd.DataFrame,
    parts: pd.DataFrame,
    examples: int = EXAMPLES,
) -> Leakage:
    theirs = theirs[[*_COMPARED, "part"]].copy()
    there, here = source.plan.data, study.plan.data
    if (there.dataset, there.path) != (here.dataset, here.path):
        for column in ("person", "sequence"):
            theirs[column] = "the network's " + theirs[column]
    theirs["image"] = "the network's " + theirs["image"]
    both = pd.concat([theirs[_COMPARED], faces[_COMPARED]], ignore_index=True)
    split = pd.concat([theirs[["image", "part"]], parts], ignore_index=True)
    return leakage(both, split, examples=examples)


def source_study(folder: Path | str) -> Study:
    """The study in a folder, if it has a network of its own."""
    place = Path(folder).expanduser()
    if not (place / "study.toml").is_file():
        raise StudyError(
            f"{folder}: no study here (no study.toml); expected the folder of a study, or "
            f"{READY_NETWORK}, which is the network that comes with emorank"
        )
    source = open_study(place)
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


def network_source(source: Study | None) -> NetworkSource:
    """The record of whose network it is: title, data set, number of faces and persons.

    Without a study it is the shipped network's.
    """
    if source is None:
        return NetworkSource(title="", data="", faces=0, persons=0)
    faces = _training_faces(source)
    return NetworkSource(
        title=source.plan.title,
        data=open_dataset(source).card.title,
        faces=len(faces),
        persons=int(faces["person"].nunique()),
    )
