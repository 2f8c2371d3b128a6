"""Complete the plan that a user writes: absolute paths, the data set by name, emotions by name."""

from pathlib import Path
from typing import Any

from emorank import datasets
from emorank.datasets import sample
from emorank.errors import DatasetError, PlanError
from emorank.networks.backbones import BACKBONES
from emorank.networks.devices import device_of
from emorank.networks.weights import IMAGENET
from emorank.room.sources import is_source
from emorank.study.inventory import SAMPLE
from emorank.study.other_network import resolve_network
from emorank.study.plan import DataPlan, Plan, override
from emorank.vocabulary import Emotion


def resolve(plan: Plan) -> Plan:
    """Complete a plan with all that it leaves to the program.

    Raises:
        PlanError: no images are given, or a file, folder or device of the plan does not exist.
        DatasetError: the folder is not a known data set.
        StudyError: the study whose network is asked for has none.
    """
    plan = resolve_network(plan) if plan.network else plan
    device_of(plan.model.device)  # refused now, not when the network is trained
    data, votes, weights = plan.data, plan.validate.votes, plan.model.weights
    try:
        emotions = [str(Emotion.parse(word)) for word in data.emotions]
    except DatasetError as error:
        raise PlanError(f"data.emotions: {error}") from error
    changes: dict[str, Any] = {"data.emotions": emotions}
    changes |= _frame(plan)
    if weights != IMAGENET:
        path = Path(weights).expanduser().resolve()
        if not path.is_file():
            raise PlanError(f"model.weights: {path}: expected a file of weights; there is none")
        changes["model.weights"] = str(path)
    if data.dataset != SAMPLE:
        if not data.path:
            raise PlanError("no images: give their folder with --data PATH")
        path = Path(data.path).expanduser().resolve()
        name = datasets.recognise(path) if data.dataset == "auto" else data.dataset
        changes |= {"data.path": str(path), "data.dataset": name}
    if votes == SAMPLE:
        changes["validate.votes"] = str(sample.votes_path())
    elif votes:
        path = Path(votes).expanduser().resolve()
        if not is_source(path):  # refused now, not after an hour of training
            raise PlanError(f"{path}: expected a file of votes or a rating project; there is none")
        changes["validate.votes"] = str(path)
    return override(plan, changes, origin="the plan")


def _frame(plan: Plan) -> dict[str, Any]:
    """The size and the width of the frame that a ready backbone looks at.

    Raises:
        PlanError: the plan asks for what a ready backbone cannot do.
    """
    name, recipe, usual = plan.train.backbone, plan.train, DataPlan()
    about = BACKBONES[name]
    # A plan that was complete for another backbone has that one's frame.
    frames = {(one.size, one.width) for one in BACKBONES.values()}
    of_another = (plan.data.size, plan.data.width) in frames
    if about.size is None and recipe.head == "logistic":
        ready = " and ".join(other for other in BACKBONES if other != name)
        raise PlanError(
            f"train.head=logistic: goes with the backbones {ready}, not with {name}; leave it out, "
            "or name one: train.backbone=expression+identity"
        )
    if recipe.unfreeze not in about.cuts:
        raise PlanError(
            f"train.unfreeze={recipe.unfreeze}: the backbone '{name}' has "
            f"{' and '.join(about.cuts)}"
        )
    if about.size is None:
        return {"data.size": usual.size, "data.width": usual.width} if of_another else {}
    if plan.data.size not in (usual.size, about.size) and not of_another:
        raise PlanError(
            f"data.size={plan.data.size}: the backbone '{name}' sees {about.size} pixels; leave "
            "it out"
        )
    if plan.data.width not in (usual.width, about.width) and not of_another:
        raise PlanError(
            f"data.width={plan.data.width:g}: the backbone '{name}' sees {about.width:g} usual "
            "crops; leave it out"
        )
    return {"data.size": about.size, "data.width": about.width}
