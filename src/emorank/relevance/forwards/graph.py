"""A network as a graph of named layers in the order of computation, or the refusal to read it.

The net's `forward` is traced once by torch.fx, without images and without running anything
(`tracing.py`); where it chooses by the size of the images or has them elsewhere than in the first
dimension, as transformers do, it is followed for images of one size (`following.py`). What
comes out is a list of nodes of the few kinds that relevance can be propagated through; functions
such as `torch.flatten` or `F.relu` become the layers that do the same (`functions.py`,
`by_image.py`).
"""

import operator
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from emorank.errors import RelevanceError
from emorank.relevance.attention_layers import MatrixProduct
from emorank.relevance.forwards.by_image import PARTS as PARTS_BY_IMAGE
from emorank.relevance.forwards.by_image import (
    layer_by_image,
    module_by_image,
    part_by_image,
)
from emorank.relevance.forwards.calls import Call
from emorank.relevance.forwards.following import Followed, OtherSize, followed
from emorank.relevance.forwards.functions import PARTS, layer_of, part_of
from emorank.relevance.forwards.image_sizes import made_for
from emorank.relevance.forwards.layer_parts import in_parts
from emorank.relevance.forwards.places import place_of
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


def read(net: nn.Module, size: tuple[int, int] | None = None) -> tuple[Node, ...]:
    """Read a net as a graph; the last node gives the logits.

    Args:
        net: a module.
        size: height and width of the images, for nets that depend on it; None for what the net says
            (`image_size`, timm's settings), or else the first usual one that it takes.

    Raises:
        RelevanceError: a layer or a step of its forward has no rule; the message names it.
    """
    check_net(net)
    if type(net) in LAYERS:
        net = nn.Sequential(net)
    if "forward" in vars(net):
        raise RelevanceError(own_forward("", net))
    nodes = _nodes_of(net, size)
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


def _nodes_of(net: nn.Module, size: tuple[int, int] | None) -> tuple[Node, ...]:
    """The nodes by the first way that can read the net."""
    try:
        nodes = _of_any_size(net)
    except RelevanceError as error:
        return _of_one_size(net, size, error)
    layers = [node.layer for node in nodes]
    guessed = any(isinstance(layer, View) and layer.guessed for layer in layers)
    if guessed and any(isinstance(layer, MatrixProduct) for layer in layers):
        # Attention may put more than the images into their dimension, as windows (`view(-1, …)`).
        with suppress(RelevanceError):
            return _of_one_size(net, size, None)
    return nodes


def _of_any_size(net: nn.Module) -> tuple[Node, ...]:
    """The nodes of a net that does the same for images of all sizes."""
    steps = traced(net)
    with evaluating(net):
        return tuple(_nodes(net, steps, _layer))


def _of_one_size(
    net: nn.Module, size: tuple[int, int] | None, before: RelevanceError | None
) -> tuple[Node, ...]:
    """The nodes of a net for images of one size; the first of them refuses others.

    `before` says why it cannot be read for any size; None if it can.
    """
    refused: RelevanceError | None = None
    for one in made_for(net, size):
        try:
            steps = followed(net, one)
            with evaluating(net):
                return tuple(_nodes(net, steps, _layer_of_one_size, one))
        except OtherSize as error:
            refused = refused or error
        except RelevanceError as error:
            refused = error
            break
    raise RelevanceError(f"{before}. For images of one size: {refused}") from refused


def _only(size: tuple[int, int, int]) -> View:
    """The images as they are, if they have the size that the net was read for."""

    def way(images: Tensor) -> Tensor:
        if tuple(images.shape[1:]) != size:
            came = "×".join(map(str, images.shape[2:]))
            raise RelevanceError(
                f"expected images of {size[1]}×{size[2]} with {size[0]} channels, for which the "
                f"net was read (it depends on their size), got {came} with {images.shape[1]}; "
                f"prepare it for these: prepare(net, size={tuple(images.shape[2:])})"
            )
        return images

    return View(way)


_Layer = Callable[[nn.Module, fx.Node, Any], tuple[str, nn.Module, tuple[fx.Node, ...]]]


def _nodes(
    net: nn.Module,
    steps: Traced | Followed,
    layer_at: _Layer,
    size: tuple[int, int, int] | None = None,
) -> Iterator[Node]:
    """The nodes of a traced graph, with positions for arguments."""
    position: dict[fx.Node, int] = {}
    count = 0
    if size is not None:
        yield Node("images", _only(size), (IMAGES,))
        count = 1
    for step in steps.graph.nodes:
        if step.op == "placeholder":
            position[step] = count
            continue
        if step.op == "output":
            _check_output(step, position, count)
            continue
        if (
            is_size(step)
            or step in steps.constants
            or step.target in (*PARTS, *PARTS_BY_IMAGE, torch._assert)
        ):
            continue  # what comes of it is looked up where it is used
        name, layer, inputs = layer_at(net, step, steps)
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
    return _named(step, layer, steps), _known(step, layer), inputs


def _layer_of_one_size(
    net: nn.Module, step: fx.Node, steps: Followed
) -> tuple[str, nn.Module, tuple[fx.Node, ...]]:
    """The same, for a forward that was followed for images of one size."""
    call = _call(step, steps.constants)
    whole, made = call.args[0] if call.args else None, steps.shapes[step]
    try:
        if step.op == "call_module":
            name, module = str(step.target), net.get_submodule(str(step.target))
            _check(name, module)
            (given,) = call.tensors
            place = place_of(steps.shapes[given])
            return name, _known(step, module_by_image(plain(module), place, made)), (given,)
        if isinstance(whole, fx.Node) and whole.target in PARTS_BY_IMAGE:
            of = _call(whole, steps.constants)
            (given,) = of.tensors
            place = place_of(steps.shapes[given])
            part = part_by_image(of, call.args[1], place, steps.shapes[whole])
            return step.name, part, (given,)
        layer = layer_by_image(call, steps.shapes, made)
        inputs = call.tensors[:1] if isinstance(layer, View) else call.tensors
    except RelevanceError as error:
        raise RelevanceError(f"{error} ('{step.name}'{line_of(step)})") from error
    return _named(step, layer, steps), _known(step, layer), inputs


def _known(step: fx.Node, layer: nn.Module | None) -> nn.Module:
    """The layer of a step, if there is one."""
    if layer is None:
        raise RelevanceError(
            f"no rule for '{step.name}' ({step.op.removeprefix('call_')} "
            f"{getattr(step.target, '__name__', step.target)}){line_of(step)} in this form; known "
            "functions and layers: docs/relevance.md. Write it as one of these"
        )
    return layer


def _named(step: fx.Node, layer: nn.Module | None, steps: Traced | Followed) -> str:
    """The name of a function's layer: that of the module whose weights it is given, if any."""
    name = step.name
    if type(layer) in WEIGHTED:  # a function that is given the weights of a module
        named = [steps.names[arg] for arg in step.all_input_nodes if arg in steps.names]
        weights = [n.removesuffix("weight").rstrip("._") for n in named if n.endswith("weight")]
        name = weights[0] if weights else name
    if layer is not None:
        _check(name, layer)
    return name


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
