"""An ONNX graph in plain Python: operators, constants, what goes in and what comes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from emorank.errors import WeightsError
from emorank.networks.file_kinds import shortened

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Operator:
    """One node of an ONNX graph.

    Attributes:
        kind: for instance "Conv"; with its domain if that is not ONNX's own ("com.microsoft.Gelu").
        name: as the file has it.
        inputs: names of what it reads; "" for one that is left out.
        outputs: names of what it gives.
        settings: its attributes; tensors are arrays, subgraphs are `Graph`.
        scope: the module of the network that was exported, if the file says it; or "".
    """

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    scope: str = ""

    @property
    def place(self) -> str:
        """Its kind and where it is, for errors."""
        own = f" '{shortened(self.name, 80)}'" if self.name else ""
        gives = shortened(self.outputs[0], 80) if self.outputs else "nothing"
        return f"the operator {shortened(self.kind, 60)}{own}, which gives '{gives}'"

    def refused(self, why: str) -> WeightsError:
        """The error that says what cannot be read."""
        return WeightsError(f"cannot read {self.place}: {why}")


@dataclass(frozen=True)
class Graph:
    """What a file computes.

    Attributes:
        operators: in the order of computation.
        constants: by name; floating ones as float32.
        images: name and shape of its input; None for a size that the file leaves open.
        outputs: names.
        opset: the version of ONNX's own operators.
        producer: what wrote the file.
        metadata: key and text, as whoever exported it wrote them.
        converted: types of weights that became float32.
    """

    operators: tuple[Operator, ...]
    constants: Mapping[str, Array]
    images: tuple[str, tuple[int | None, ...]]
    outputs: tuple[str, ...]
    opset: int
    producer: str
    metadata: Mapping[str, str]
    converted: tuple[str, ...]
