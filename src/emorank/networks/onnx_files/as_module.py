"""`read_onnx`: an ONNX file as a torch module."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from torch import nn

from emorank.errors import WeightsError
from emorank.networks.file_kinds import shortened
from emorank.networks.onnx_files.about import About
from emorank.networks.onnx_files.building import Building, Value
from emorank.networks.onnx_files.folded_constants import fold, shape_part
from emorank.networks.onnx_files.fused_patterns import fused
from emorank.networks.onnx_files.image_input import first_steps, images_of
from emorank.networks.onnx_files.model_file import read_graph
from emorank.networks.onnx_files.operators import Array, Graph, Operator
from emorank.networks.onnx_files.pointwise_operators import POINTWISE, Make
from emorank.networks.onnx_files.pooling_operators import POOLING
from emorank.networks.onnx_files.shape_operators import SHAPES
from emorank.networks.onnx_files.step_net import IMAGES, OnnxNet, Step
from emorank.networks.onnx_files.weighted_operators import LAYERS

OPERATORS: dict[str, Make] = {**POINTWISE, **SHAPES, **LAYERS, **POOLING}
"""What is read, by ONNX's name; and what is computed on constants (`folded_constants`)."""

_LEFT_OUT = ("Softmax", "LogSoftmax", "Sigmoid")  # at the end, so that the outputs are logits


def read_onnx(
    path: Path | str, *, size: int | tuple[int, int] | None = None, output: str | None = None
) -> OnnxNet:
    """Read an ONNX file as a module that `emorank.relevance.prepare` takes; needs `emorank[onnx]`.

    It computes what the file computes, in float32, for a batch of any size: the file is read as a
    computation of one image. Images go in as (batch, channels, height, width), also where the file
    has channels last; logits come out as (batch, classes). A softmax or sigmoid at the end is left
    out. `about` says what the file says of itself.

    Args:
        path: of the file; weights in further files are read from its folder.
        size: of the images, a side or (height, width), where the file leaves it open; else 224.
        output: which of several outputs to read, by its name.

    Raises:
        WeightsError: missing, damaged, with an operator that is not known (it is named), not of
            images, or of another size; or the package `onnx` is not installed.
    """
    path = Path(path)
    graph = read_graph(path)
    try:
        return _net(graph, (size, size) if isinstance(size, int) else size, output)
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error


def _net(graph: Graph, size: tuple[int, int] | None, output: str | None) -> OnnxNet:
    channels, (height, width), left_open, layout = images_of(graph, size)
    end, left_out = _end(graph, _chosen(graph, output))
    operators = _of_layers(_needed(graph.operators, end))
    operators = _needed(fused(operators, graph.constants), end)
    building = Building((channels, height, width), graph.opset)
    images = building.images
    if layout == "last":
        images = building.permute(images, (0, 2, 3, 1))
    values = _translated(graph, operators, building, images)
    logits = _logits(building, values.get(end), end)
    about = About(
        channels, (height, width), left_open, layout, graph.producer, graph.opset,
        dict(graph.metadata), left_out, graph.converted,
        first_steps(graph, operators, channels),
    )  # fmt: skip
    return _assembled(building, logits.place, about)


def _chosen(graph: Graph, output: str | None) -> str:
    names = ", ".join(shortened(name, 40) for name in graph.outputs) or "none"
    if output is not None:
        if output not in graph.outputs:
            raise WeightsError(f"'{output}' is no output; expected one of {names}")
        return output
    usual = [name for name in graph.outputs if name in ("logits", "output")]
    if len(graph.outputs) == 1:
        return graph.outputs[0]
    if len(usual) == 1:
        return usual[0]
    raise WeightsError(
        f"expected one output, the logits, got {names}; say which: "
        'emorank.read_onnx(path, output="…")'
    )


def _end(graph: Graph, output: str) -> tuple[str, str]:
    """What is to be computed, without a softmax at the end, and what was left out."""
    giving = {name: one for one in graph.operators for name in one.outputs}
    name, left_out = output, ""
    while name in giving and giving[name].kind in (*_LEFT_OUT, "Identity", "Cast"):
        if giving[name].kind in _LEFT_OUT:
            if left_out:
                break
            left_out = giving[name].kind
        name = giving[name].inputs[0]
    return (name, left_out) if left_out else (output, "")


def _of_layers(operators: Sequence[Operator]) -> tuple[Operator, ...]:
    """The operators with modules of their own: what is no module in others has its kind too."""
    outer = {one.scope.rpartition(".")[0] for one in operators}
    outer |= {name[:k] for name in outer for k, sign in enumerate(name) if sign == "."}
    return tuple(
        replace(one, scope=f"{one.scope}.{one.kind}") if one.scope and one.scope in outer else one
        for one in operators
    )


def _needed(operators: Sequence[Operator], end: str) -> tuple[Operator, ...]:
    """The operators that a value comes from."""
    needed, kept = {end}, []
    for operator in reversed(operators):
        if needed.intersection(operator.outputs):
            kept.append(operator)
            needed.update(operator.inputs)
            for one in operator.settings.values():
                if isinstance(one, Graph):  # a branch reads values from around it
                    needed.update(name for inner in one.operators for name in inner.inputs)
                    needed.update(one.outputs)
    return tuple(reversed(kept))


_Values = dict[str, Value | Array]


def _translated(
    graph: Graph, operators: Sequence[Operator], building: Building, images: Value
) -> _Values:
    values: _Values = {**graph.constants, graph.images[0]: images}
    for operator in operators:
        _translate(operator, building, values)
    return values


def _translate(operator: Operator, building: Building, values: _Values) -> None:
    """One operator: computed if it reads constants only, else a step or several."""
    missing = [name for name in operator.inputs if name and name not in values]
    if missing:
        raise operator.refused(f"nothing before it gives '{shortened(missing[0], 80)}'")
    given = [values[name] if name else None for name in operator.inputs]
    building.operator = operator
    results = _results(operator, building, given, values)
    for name, result in zip(operator.outputs, results, strict=False):
        values[name] = result


def _results(
    operator: Operator, building: Building, given: list[Value | Array | None], values: _Values
) -> Sequence[Value | Array]:
    if operator.kind == "If":
        return _branch(operator, building, given, values)
    of = given[0] if given else None
    if operator.kind in ("Shape", "Size") and isinstance(of, Value):
        part = shape_part(operator, of.shape)
        return (np.array(part if operator.kind == "Shape" else np.prod(of.shape), np.int64),)
    arrays = [one for one in given if not isinstance(one, Value)]
    if len(arrays) == len(given):
        folded = fold(operator, arrays, building.opset)
        if folded is not None:
            return folded
        raise operator.refused("it is not known how to compute it on constants")
    make = OPERATORS.get(operator.kind)
    if make is None:
        raise operator.refused(_unknown(operator.kind))
    try:
        found = make(building, operator, given)
    except WeightsError:
        raise
    except Exception as error:  # whatever settings of a stranger's file lead to
        reason = str(error).strip().splitlines()[:1]
        raise operator.refused(
            f"its settings do not fit ({type(error).__name__}: {' '.join(reason)})"
        ) from error
    return found if isinstance(found, tuple) else (found,)


def _branch(
    operator: Operator, building: Building, given: list[Value | Array | None], values: _Values
) -> Sequence[Value | Array]:
    """The branch that a condition chooses, where the images do not decide."""
    condition = given[0]
    if not isinstance(condition, np.ndarray) or condition.size != 1:
        raise operator.refused("a condition depends on the images")
    chosen = operator.settings["then_branch" if condition.reshape(-1)[0] else "else_branch"]
    inner: _Values = {**values, **chosen.constants}
    for one in chosen.operators:
        _translate(one, building, inner)
    return [inner[name] for name in chosen.outputs]


def _unknown(kind: str) -> str:
    if kind.startswith("QLinear") or kind.endswith("Integer") or "Quantize" in kind:
        return "a network of whole numbers (quantised); give the file from before"
    if kind.startswith(("com.microsoft.", "com.ms.")):
        return (
            "it is one of onnxruntime's own, which its optimiser writes; give the file from before "
            "the optimisation"
        )
    if kind in ("Loop", "Scan", "LSTM", "GRU", "RNN"):
        return "what is repeated, or remembers, has no rule"
    if kind in ("NonMaxSuppression", "TopK", "NonZero", "ArgMax", "RoiAlign"):
        return "it picks by values, as detectors do; export the network up to its logits"
    return (
        "it is not known; those that are: docs/networks.md. Export the network without it, or load "
        "the PyTorch module and explain that"
    )


def _logits(building: Building, value: Value | Array | None, name: str) -> Value:
    """The output as (batch, classes)."""
    if not isinstance(value, Value):
        raise WeightsError(f"its output '{shortened(name, 80)}' does not depend on the images")
    inner = value.inner
    if max(inner, default=0) != int(np.prod(inner)):
        raise WeightsError(
            f"expected one number for each class as its output, got the shape {value.shape}; the "
            "network is none that classifies"
        )
    bare = Value(value.place, inner, None)
    return building.reshape(bare, (int(np.prod(inner)),)) if len(inner) != 1 else bare


def _assembled(building: Building, end: int, about: About) -> OnnxNet:
    """The net of the steps that lead to a value."""
    needed = {end}
    for place in range(end, 0, -1):
        if place in needed:
            needed.update(building.steps[place - 1].values)
    order = sorted(needed - {IMAGES})
    moved = {IMAGES: IMAGES} | {place: k for k, place in enumerate(order, start=1)}
    if not order:
        raise WeightsError("its output are the images themselves")
    steps = [_moved(building.steps[place - 1], moved) for place in order]
    net = OnnxNet(tuple(steps), about)
    for step in steps:
        for name in step.constants:
            net.register_buffer(name, building.constants[name])
        if isinstance(step.call, str):
            _put(net, step.call, building.layers[step.call])
    return net.eval()


def _moved(step: Step, moved: dict[int, int]) -> Step:
    return replace(step, values=tuple(moved[place] for place in step.values))


class Part(nn.Module):
    """A place for layers whose names begin with its own."""


def _put(net: nn.Module, name: str, layer: nn.Module) -> None:
    """Give a layer its place in the net by its name."""
    *above, last = name.split(".")
    for word in above:
        if word not in net._modules:
            net.add_module(word, Part())
        net = net.get_submodule(word)
    net.add_module(last, layer)


__all__ = ["OPERATORS", "read_onnx"]
