"""What an ONNX file says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class About:
    """Of a network from an ONNX file.

    Attributes:
        channels: that its images have.
        size: height and width of its images.
        open: whether the file leaves the size open, so that it was chosen when it was read.
        layout: how the file has its images: channels "first" or "last"; the module takes them
            first all the same.
        producer: the program that wrote the file, and its version.
        opset: the version of ONNX's operators.
        metadata: further words that its author wrote into it, by key.
        left_out: what was left out at its end, so that the outputs are logits ("Softmax"); or "".
        converted: types of weights that became float32.
        first: what the first steps do to the pixels, x ↦ scale x + shift for each channel, if they
            only scale and shift: (scale, shift); else None.
    """

    channels: int
    size: tuple[int, int]
    open: bool
    layout: Literal["first", "last"]
    producer: str
    opset: int
    metadata: Mapping[str, str]
    left_out: str
    converted: tuple[str, ...]
    first: tuple[tuple[float, ...], tuple[float, ...]] | None
