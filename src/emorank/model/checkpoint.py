"""A trained network as one safetensors file that says what it is."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from emorank.errors import WeightsError
from emorank.model.tensors import save_tensors
from emorank.model.vgg16 import VGG16, channels_last
from emorank.vocabulary import Emotion

FORMAT = "emorank-vgg16-1"


@dataclass(frozen=True)
class Checkpoint:
    """A network in evaluation mode, and what has to be known to use it on an image."""

    net: VGG16
    classes: tuple[Emotion, ...]  # in the order of the outputs
    size: int  # side of the input in pixels
    crop: str  # "none" or "face": how images were framed in training


def save(checkpoint: Checkpoint, path: Path) -> None:
    """Write atomically: either the whole file is there, or the earlier one still is."""
    about = {
        "format": FORMAT,
        "classes": json.dumps([str(emotion) for emotion in checkpoint.classes]),
        "hidden": str(checkpoint.net.hidden),
        "size": str(checkpoint.size),
        "crop": checkpoint.crop,
    }
    save_tensors(checkpoint.net.state_dict(), path, about)


def load(path: Path) -> Checkpoint:
    """Read what `save` wrote.

    Raises:
        WeightsError: no such file, truncated, or not written by emorank.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: no trained model here; train one first: emorank train")
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            if about.get("format") != FORMAT:
                raise WeightsError(f"{path}: expected a model trained by emorank ({FORMAT})")
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path}: truncated or damaged ({error}); train again") from error
    classes = tuple(Emotion(word) for word in json.loads(about["classes"]))
    with torch.device("meta"):  # no time spent on random weights that are replaced at once
        net = VGG16(len(classes), hidden=int(about["hidden"]))
    net.load_state_dict(state, assign=True)
    return Checkpoint(channels_last(net.eval()), classes, int(about["size"]), about["crop"])
