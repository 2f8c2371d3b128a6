"""A network as a graph of named layers in the order of computation, or the refusal to read it.

The net's `forward` is traced once by torch.fx, without images and without running anything. What
comes out is a list of nodes of the few kinds that relevance can be propagated through; functions
such as `torch.flatten` or `F.relu` become the layers that do the same (`functions.py`).
"""

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from emorank.errors import RelevanceError
from emorank.relevance.forwards.calls import Call
from emorank.relevance.forwards.functions import PARTS, layer_of, part_of
from emorank.relevance.forwards.layer_parts import in_parts
from emorank.relevance.forwards.resizing import Resized
from emorank.relevance.forwards.sizes import is_size
from emorank.relevance.forwards.tracing import (
    Traced,
    check_net,
    described,
    evaluating,
    line_of,
    own_forward,
    traced,
)
from emorank.relevance.layers import (
    IGNORED,
    LAYERS,
    VIEWS,
    WEIGHTED,
    Expanded,
    Pad,
    View,
    padding_of,
    plain,
)

_SHARING = (*IGNORED, *VIEWS, Expanded)  # their outputs are, or may be, the memory of their inputs

IMAGES = 0  # the position of what goes in; node k's outputs have position k + 1


@dataclass(frozen=True)
class Node:
    """One layer where it stands in the net.

    Attributes:
        name: as in the state dict; of what is no module, the name that torch.fx gives it.
        layer: the module, never changed.
        inputs: positions of what goes in: `IMAGES`, or k + 1 for the outputs of node k.
        counts: it is a convolution of the net if it is one at all; a batch norm made into one is
            not.
    """

    name: str
    layer: nn.Module
    inputs: tuple[int, ...]
    counts: bool = True


def read(net: nn.Module) -> tuple[Node, ...]:
    """Read a net as a graph; the last node gives the logits.

    Raises:
        RelevanceError: a layer or a step of its forward has no rule; the message names it.
    """
    check_net(net)
    if type(net) in LAYERS:
        net = nn.Sequential(net)
    if "forward" in vars(net):
        raise RelevanceError(own_forward("", net))
    steps = traced(net)
    with evaluating(net):
        nodes = tuple(_nodes(net, steps))
    _check_in_place(nodes)
    if isinstance(nodes[-1].layer, nn.Softmax):
        raise RelevanceError(
            f"no rule for {described(nodes[-1].name, nodes[-1].layer)} at the end of a net; "
            "explain the logits: leave it away"
        )
    if not any(type(node.layer) in WEIGHTED for node in nodes):
        raise RelevanceError(
            "expected a net with at least one convolution or dense layer, "
            f"got {type(net).__name__} without any"
        )
    return nodes


def _nodes(net: nn.Module, steps: Traced) -> Iterator[Node]:
    """The nodes of a traced graph, with positions for arguments."""
    position: dict[fx.Node, int] = {}
    count = 0
    for step in steps.graph.nodes:
        if step.op == "placeholder":
            position[step] = IMAGES
            continue
        if step.op == "output":
            _check_output(step, position, count)
            continue
        if is_size(step) or step in steps.constants or step.target in (*PARTS, torch._assert):
            continue  # what comes of it is looked up where it is used
        name, layer, inputs = _layer(net, step, steps)
        unknown = [str(arg) for arg in inputs if arg not in position]
        if unknown or not inputs:
            raise RelevanceError(
                f"cannot follow the inputs of '{name}': {', '.join(unknown) or 'a constant'} is no "
                "layer's output; write the net as layers in a row"
            )
        places = tuple(position[arg] for arg in inputs)
        for part, one in in_parts(name, layer):
            yield Node(part, one, places)
            count += 1
            places = (count,)
        position[step] = count


def _layer(
    net: nn.Module, step: fx.Node, steps: Traced
) -> tuple[str, nn.Module, tuple[fx.Node, ...]]:
    """A traced step as a layer with its name and what goes in."""
    call = _call(step, steps.constants)
    if step.op == "call_module":
        name, module = str(step.target), net.get_submodule(str(step.target))
        _check(name, module)
        return name, plain(module), call.tensors
    whole = step.args[0] if step.args else None
    if call.target is operator.getitem and isinstance(whole, fx.Node) and whole.target in PARTS:
        number = step.args[1]
        parts = _call(whole, steps.constants)
        layer = part_of(parts, number) if isinstance(number, int) else None
        inputs = parts.tensors
    else:
        layer, inputs = layer_of(call), call.tensors
    if isinstance(layer, View | Resized):
        inputs = (*inputs[:1], *layer.others)
        layer.others = ()  # the node says so from here on; a copy of a layer copies no steps
    if layer is None:
        raise RelevanceError(
            f"no rule for '{step.name}' ({step.op.removeprefix('call_')} "
            f"{getattr(step.target, '__name__', step.target)}){line_of(step)} in this form; known "
            "functions and layers: docs/relevance.md. Write it as one of these"
        )
    name = step.name
    if type(layer) in WEIGHTED:  # a function that is given the weights of a module
        named = [steps.names[arg] for arg in step.all_input_nodes if arg in steps.names]
        weights = [n.removesuffix(".weight") for n in named if n.endswith(".weight")]
        name = weights[0] if weights else name
    _check(name, layer)
    return name, layer, inputs


def _call(step: fx.Node, constants: dict[fx.Node, Tensor]) -> Call:
    """A step with the constants in their places."""

    def filled(arg: fx.Node) -> Any:
        return constants.get(arg, arg)

    args, kwargs = fx.node.map_arg((step.args, step.kwargs), filled)
    return Call(step.name, step.target, tuple(args), dict(kwargs))


def _check(name: str, layer: nn.Module) -> None:
    """Refuse settings of a known layer that the walk back does not follow."""
    match layer:
        case nn.Conv1d() if layer.padding_mode != "zeros" or isinstance(layer.padding, str):
            problem = (
                f"padding '{layer.padding}' of {layer.padding_mode}; expected numbers of zeros"
            )
        case nn.MaxPool2d() if layer.return_indices:
            problem = "return_indices=True; expected False"
        case nn.Flatten() if layer.start_dim == 0:
            problem = f"dimensions {layer.start_dim} to {layer.end_dim}; expected 1 to -1"
        case nn.ZeroPad2d() | Pad() if len(padding_of(layer)) > 6:
            problem = (
                f"padding {padding_of(layer)}; expected zeros added to channels, rows or columns"
            )
        case nn.InstanceNorm2d() if layer.track_running_stats:
            problem = "track_running_stats=True, which makes it a batch norm; expected False"
        case nn.BatchNorm2d() | nn.BatchNorm1d() | nn.SyncBatchNorm() if layer.running_var is None:
            problem = "statistics of the batch; expected running ones (track_running_stats=True)"
        case _:
            return
    raise RelevanceError(f"no rule for {described(name, layer)} with {problem}")


def _check_in_place(nodes: tuple[Node, ...]) -> None:
    """Refuse what overwrites values that a later layer reads as they were: the graph hides it."""
    held = [(IMAGES, 0)]  # by position: the memory, and how many had written there in place
    writers: dict[int, list[str]] = {IMAGES: []}
    for place, node in enumerate(nodes, start=1):
        # Of further inputs these take the sizes only.
        sizes_only = isinstance(node.layer, View | Resized)
        read_values = node.inputs[:1] if sizes_only else node.inputs
        for memory, age in (held[position] for position in read_values):
            if age < len(writers[memory]):
                raise RelevanceError(
                    f"'{writers[memory][age]}' works in place on what '{node.name}' reads later, "
                    "which then is another value; write it with inplace=False (or as a = a + b)"
                )
        memory, age = held[node.inputs[0]]
        if getattr(node.layer, "inplace", False) and type(node.layer) not in IGNORED:
            writers[memory].append(node.name)
            held.append((memory, age + 1))
        elif isinstance(node.layer, _SHARING):
            held.append((memory, age))
        else:
            writers[place] = []
            held.append((place, 0))


def _check_output(step: fx.Node, position: dict[fx.Node, int], count: int) -> None:
    result = step.args[0]
    if not isinstance(result, fx.Node) or position.get(result) != count:
        raise RelevanceError(
            "expected a net whose forward returns the logits, the outputs of its last layer, and "
            f"nothing else; got {result}"
        )
