"""A torch module that does the steps of an ONNX file one after another."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from emorank.networks.onnx_files.about import About

IMAGES = 0
"""The place of the images among the values; step k gives the value k + 1."""


@dataclass(frozen=True)
class Step:
    """One step: a layer of the net, or a function of torch's.

    Attributes:
        call: the name of the layer, or the function.
        values: places of what it reads.
        constants: names of buffers, which a function takes behind the values.
        settings: further arguments of a function.
        before: the constants come before the values.
    """

    call: str | Callable[..., Any]
    values: tuple[int, ...]
    constants: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    before: bool = False

    def arguments(
        self, values: Sequence[Any] | Mapping[int, Any], constants: Sequence[Tensor]
    ) -> list[Any]:
        """What the call is given, in its order."""
        read = [values[place] for place in self.values]
        return [*constants, *read] if self.before else [*read, *constants]


class OnnxNet(nn.Module):
    """The network of an ONNX file, in evaluation; it takes batches of any size.

    Its layers have the names of the network that was exported where the file keeps them
    ("features.0"), and it is a net like any other: `state_dict()`, `.double()`, `.to(device)`.

    Attributes:
        about: what the file says of itself.
    """

    def __init__(self, steps: tuple[Step, ...], about: About) -> None:
        super().__init__()
        self.steps = steps
        self.about = about
        last = {place: k for k, step in enumerate(steps) for place in step.values}
        self.spent = tuple(
            tuple(place for place in set(step.values) if last[place] == k)
            for k, step in enumerate(steps)
        )

    def forward(self, images: Tensor) -> Tensor:
        """The logits, (batch, classes), of images (batch, channels, height, width)."""
        height, width = self.about.size
        torch._assert(  # type: ignore[no-untyped-call]  # torch's own
            images.shape[2] == height,
            f"expected images of {height} rows, for which the ONNX file was read",
        )
        torch._assert(  # type: ignore[no-untyped-call]
            images.shape[3] == width,
            f"expected images of {width} columns, for which the ONNX file was read",
        )
        values: dict[int, Any] = {IMAGES: images}
        result: Any = images
        for place, (step, spent) in enumerate(zip(self.steps, self.spent, strict=True), start=1):
            constants = [self.get_buffer(name) for name in step.constants]
            arguments = step.arguments(values, constants)
            call = self.get_submodule(step.call) if isinstance(step.call, str) else step.call
            result = call(*arguments, **step.settings)
            values[place] = result
            for one in spent:
                del values[one]
        return result  # type: ignore[no-any-return]
