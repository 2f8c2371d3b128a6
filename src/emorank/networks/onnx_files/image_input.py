"""What an ONNX file and its first steps say of the images it takes."""

import ast
import json
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from emorank.errors import WeightsError
from emorank.networks.file_kinds import shortened
from emorank.networks.onnx_files.operators import Graph, Operator

Layout = Literal["first", "last"]
_SIZE = 224  # where neither the file nor anybody says one
_SIDES = (1, 4096)


def images_of(
    graph: Graph, size: tuple[int, int] | None
) -> tuple[int, tuple[int, int], bool, Layout]:
    """Channels, height and width of a file's images, whether it leaves these open, its layout.

    Raises:
        WeightsError: it takes no images, or those of another size than is asked for.
    """
    name, shape = graph.images
    words = f"input '{shortened(name, 40)}' of shape {_written(shape)}"
    if len(shape) != 4:
        raise WeightsError(
            f"expected a network that takes images, (batch, channels, height, width) or (batch, "
            f"height, width, channels), got {words}"
        )
    last = shape[3] in (1, 3) and shape[1] not in (1, 3)
    layout: Layout = "last" if last else "first"
    channels, *sides = (shape[3], *shape[1:3]) if last else shape[1:]
    if channels is None:
        raise WeightsError(f"expected an input that says how many channels it has, got {words}")
    given = tuple(sides)
    left_open = None in given
    asked = size or (_SIZE, _SIZE)
    if size is None and left_open and None in given and any(given):
        side = next(one for one in given if one is not None)
        asked = (side, side)
    chosen = tuple(one or asked[k] for k, one in enumerate(given))
    if size is not None and chosen != tuple(size):
        raise WeightsError(
            f"its images have {given[0]}×{given[1]} pixels, got a size of {size[0]}×{size[1]}; "
            "leave the size out"
        )
    if not all(_SIDES[0] <= one <= _SIDES[1] for one in chosen):
        raise WeightsError(f"expected images of at most {_SIDES[1]} pixels a side, got {chosen}")
    return channels, (chosen[0], chosen[1]), left_open, layout


def _written(shape: Sequence[int | None]) -> str:
    return f"({', '.join('?' if size is None else str(size) for size in shape)})"


def first_steps(
    graph: Graph, operators: Sequence[Operator], channels: int
) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """What the first operators make of the pixels: scale and shift of each channel.

    None where the images are scaled and shifted by nothing, or by more than numbers for channels.
    """
    scale, shift = np.ones(channels), np.zeros(channels)
    name, found = graph.images[0], False
    values = dict(graph.constants) | {
        one.outputs[0]: one.settings["value"]
        for one in operators
        if one.kind == "Constant" and isinstance(one.settings.get("value"), np.ndarray)
    }
    while True:
        readers = [one for one in operators if name in one.inputs]
        if len(readers) != 1:
            break
        (reader,) = readers
        if reader.kind in ("Transpose", "Cast", "Identity"):
            name = reader.outputs[0]
            continue
        if reader.kind not in ("Add", "Sub", "Mul", "Div") or len(set(reader.inputs)) != 2:
            break
        (other,) = (one for one in reader.inputs if one != name)
        constant = values.get(other)
        if constant is None or constant.size not in (1, channels):
            break
        number = np.broadcast_to(constant.reshape(-1).astype(np.float64), (channels,))
        behind = reader.inputs[0] == name
        match reader.kind:
            case "Add":
                shift = shift + number
            case "Sub" if behind:
                shift = shift - number
            case "Mul":
                scale, shift = scale * number, shift * number
            case "Div" if behind and np.all(number != 0):
                scale, shift = scale / number, shift / number
            case _:
                break
        name, found = reader.outputs[0], True
    return (tuple(scale.tolist()), tuple(shift.tolist())) if found else None


def labels_in(metadata: Mapping[str, str], classes: int) -> tuple[str, ...] | None:
    """Names of the classes, if whoever exported the file wrote as many of them into it."""
    for key in ("labels", "classes", "class_names", "names", "id2label", "classlabels"):
        for own, text in metadata.items():
            if own.lower().rpartition(".")[2] == key and len(text) < 10_000_000:
                words = _words(text)
                if len(words) == classes and len(set(words)) == classes:
                    return words
    return None


def _words(text: str) -> tuple[str, ...]:
    """A list or dict, as JSON or as Python writes it, or words between commas or lines."""
    for parse in (json.loads, ast.literal_eval):
        try:
            found = parse(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            continue
        if isinstance(found, dict):
            try:
                pairs = sorted((int(key), value) for key, value in found.items())
            except (ValueError, TypeError):
                return ()
            found = [value for _, value in pairs]
        if isinstance(found, list | tuple) and all(isinstance(one, str) for one in found):
            return tuple(shortened(one.strip(), 80) for one in found)
    parts = text.splitlines() if "\n" in text.strip() else text.split(",")
    return tuple(shortened(one.strip(), 80) for one in parts if one.strip())
