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
        "classes": [str(emotion) for emotion in checkpoint.classes],
        "hidden": checkpoint.net.hidden,
        "size": checkpoint.size,
        "crop": checkpoint.crop,
    }
    # One entry: safetensors shuffles several, and equal networks shall make equal files.
    save_tensors(checkpoint.net.state_dict(), path, {FORMAT: json.dumps(about)})


def load(path: Path) -> Checkpoint:
    """Read what `save` wrote.

    Raises:
        WeightsError: no such file, truncated, or not written by emorank.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: no trained model here; train one first: emorank train")
    try:
        with safe_open(path, framework="pt") as file:
            words = (file.metadata() or {}).get(FORMAT)
            if words is None:
                raise WeightsError(f"{path}: expected a model trained by emorank ({FORMAT})")
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path}: truncated or damaged ({error}); train again") from error
    about = json.loads(words)
    classes = tuple(Emotion(word) for word in about["classes"])
    with torch.device("meta"):  # no time spent on random weights that are replaced at once
        net = VGG16(len(classes), hidden=about["hidden"])
    net.load_state_dict(state, assign=True)
    return Checkpoint(channels_last(net.eval()), classes, about["size"], about["crop"])
