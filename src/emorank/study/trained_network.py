"""The trained network of a study, loaded for use."""

from collections.abc import Sequence
from dataclasses import replace

from emorank.errors import StudyError
from emorank.networks import checkpoint
from emorank.networks.devices import device_of
from emorank.networks.vgg import Chain
from emorank.reading.emotion_network import EmotionNetwork
from emorank.study.folder import Study
from emorank.study.plan import Plan, normalisation_of, preset_of
from emorank.vocabulary import Emotion

MODEL = "model.safetensors"


def trained_network(study: Study, device: str | None = None) -> EmotionNetwork:
    """Half a gigabyte on a device, by default the plan's, explained by the rules of the plan.

    Raises:
        PlanError: there is no such device here.
        WeightsError: the study has no model, or a damaged one.
        StudyError: its model knows no emotion but neutral.
        RelevanceError: no such preset or rule.
    """
    where = device_of(device or study.plan.model.device)
    model = checkpoint.load(study.path(MODEL))
    net = model.net.to(where)
    try:
        network = network_by_plan(study.plan, net, model.classes, model.size, model.crop)
        return replace(
            network,
            normalisation=model.normalisation,
            width=model.width,
            temperature=model.temperature,
        )
    except StudyError as error:
        raise StudyError(f"{study.folder}: {error}") from error


def network_by_plan(
    plan: Plan, net: Chain, classes: Sequence[Emotion], size: int, crop: str
) -> EmotionNetwork:
    """A network that is explained, and was trained, as a plan says.

    Raises:
        StudyError: it knows no emotion but neutral.
        RelevanceError: no such preset or rule.
    """
    preset = preset_of(plan.explain)
    return EmotionNetwork(
        *(net, classes, size, crop, preset, plan.explain.batch, plan.train.cut),
        normalisation=normalisation_of(plan),
        width=plan.data.width,
        heatmap=plan.report.heatmap,
    )
