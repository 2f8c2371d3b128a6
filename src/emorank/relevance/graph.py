"""A network as a graph of named layers in the order of computation, or the refusal to read it.

The net's `forward` is traced once by torch.fx, without images and without running anything. What
comes out is a list of nodes of the few kinds that relevance can be propagated through; functions
such as `torch.flatten` or `F.relu` become the layers that do the same.
"""

import operator
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jaxtyping
import torch
import torch.nn.functional as F
from torch import fx, nn

from emorank.errors import RelevanceError


class Sum(nn.Module):
    """Stands for `a + b`, where the branches of a residual net join."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """Add up."""
        return first + second


class Pad(nn.Module):
    """Stands for `F.pad` with zeros: `padding` as there, from the last dimension on."""

    def __init__(self, padding: tuple[int, ...]) -> None:
        super().__init__()
        self.padding = padding

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Add zeros around."""
        return F.pad(values, self.padding)


# By exact type: a subclass may compute something else.
WEIGHTED = (nn.Conv2d, nn.Linear)
NORMALISING = (nn.BatchNorm2d, nn.BatchNorm1d)
POOLING = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)
IGNORED = (nn.Dropout, nn.Dropout2d, nn.Identity)  # explained as in evaluation mode
PADDING = (nn.ZeroPad2d, Pad)
LAYERS = (*WEIGHTED, *NORMALISING, *POOLING, *PADDING, *IGNORED, nn.ReLU, nn.Flatten, Sum)

_VIEWS = (*IGNORED, nn.Flatten)  # their outputs are, or may be, the memory of their inputs

IMAGES = 0  # the position of what goes in; node k's outputs have position k + 1

_ADVICE: dict[type[nn.Module], str] = {
    nn.Softmax: "explain the logits: leave it away",
    nn.LogSoftmax: "explain the logits: leave it away",
}
_ELSE = "replace it, or give it a rule (docs/relevance.md)"


@dataclass(frozen=True)
class Node:
    """One layer where it stands in the net.

    Attributes:
        name: as in the state dict; of what is no module, the name that torch.fx gives it.
        layer: the module, never changed.
        inputs: positions of what goes in: `IMAGES`, or k + 1 for the outputs of node k.
    """

    name: str
    layer: nn.Module
    inputs: tuple[int, ...]


def read(net: nn.Module) -> tuple[Node, ...]:
    """Read a net as a graph; the last node gives the logits.

    Raises:
        RelevanceError: a layer or a step of its forward has no rule; the message names it.
    """
    if type(net) in LAYERS:
        net = nn.Sequential(net)
    nodes = tuple(_nodes(net, _traced(net)))
    _check_in_place(nodes)
    if not any(type(node.layer) in WEIGHTED for node in nodes):
        raise RelevanceError(
            "expected a net with at least one convolution or dense layer, "
            f"got {type(net).__name__} without any"
        )
    return nodes


def _traced(net: nn.Module) -> fx.Graph:
    """What the net's forward does, as steps."""
    try:
        with _TRACING, _unchecked(), _evaluating(net):
            return _Tracer().trace(net)
    except RelevanceError:
        raise
    except Exception as error:  # whatever a stranger's forward raises when it is traced
        raise RelevanceError(
            f"cannot read the forward of {type(net).__name__} as a fixed graph of layers "
            f"({type(error).__name__}: {_first_line(error)}); write it as an nn.Sequential, "
            "or with a forward that does the same for every image"
        ) from error


# torch.fx changes torch.nn.Module itself while it traces: one net at a time.
_TRACING = threading.Lock()


@contextmanager
def _unchecked() -> Iterator[None]:
    """Switch jaxtyping off: torch.fx traces with proxies, which are no tensors."""
    checked = not jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", not checked)


@contextmanager
def _evaluating(net: nn.Module) -> Iterator[None]:
    """Trace what a forward does in evaluation; it may ask `self.training`."""
    training = [module for module in net.modules() if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True


class _Tracer(fx.Tracer):
    """Takes torch's own layers as leaves and goes into everything else.

    Calls of other threads are not traced.
    """

    def __init__(self) -> None:
        super().__init__()
        self.thread = threading.get_ident()

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        if threading.get_ident() != self.thread:
            return attr_val
        return super().getattr(attr, attr_val, parameter_proxy_cache)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        # A subclass of a layer comes with a forward of its own, which is not to be guessed at.
        layer = isinstance(m, LAYERS) or type(m).__module__.startswith("torch.nn")
        if layer and not isinstance(m, nn.Sequential) and type(m) not in LAYERS:
            raise RelevanceError(_no_rule(module_qualified_name, m))
        return type(m) in LAYERS

    def call_module(
        self,
        m: nn.Module,
        forward: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        # A slice of a Sequential (`self.features[:5]`) is made on the way and has no name.
        if type(m) is nn.Sequential or threading.get_ident() != self.thread:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)


def _nodes(net: nn.Module, traced: fx.Graph) -> Iterator[Node]:
    """The nodes of a traced graph, with positions for arguments."""
    position: dict[fx.Node, int] = {}
    count = 0
    for step in traced.nodes:
        if step.op == "placeholder":
            if position:
                raise RelevanceError(
                    f"expected a net whose forward takes images only, got a second argument "
                    f"'{step.name}'; wrap the net so that its forward takes one"
                )
            position[step] = IMAGES
            continue
        if step.op == "output":
            _check_output(step, position, count)
            continue
        if _is_size(step):
            continue
        name, layer, inputs = _layer(net, step)
        _check(name, layer)
        unknown = [str(arg) for arg in inputs if arg not in position]
        if unknown:
            raise RelevanceError(
                f"cannot follow the inputs of '{name}': {', '.join(unknown)} is no layer's output; "
                "write the net as layers in a row"
            )
        yield Node(name, layer, tuple(position[arg] for arg in inputs))
        count += 1
        position[step] = count


def _layer(net: nn.Module, step: fx.Node) -> tuple[str, nn.Module, tuple[fx.Node, ...]]:
    """A traced step as a layer with its name and what goes in."""
    if step.op == "call_module":
        name = str(step.target)
        return name, net.get_submodule(name), _tensors(step)
    make = _FUNCTIONS.get(step.target if step.op == "call_function" else str(step.target))
    layer = make(step) if make else None
    if layer is None:
        known = ", ".join(kind.__name__ for kind in LAYERS)
        raise RelevanceError(
            f"no rule for '{step.name}' ({step.op.removeprefix('call_')} "
            f"{getattr(step.target, '__name__', step.target)}); known layers: {known}. "
            "Write it as one of these"
        )
    return step.name, layer, _tensors(step)


def _tensors(step: fx.Node) -> tuple[fx.Node, ...]:
    """The tensors among the arguments, `x + x` two of them; sizes asked for are none."""
    given = (*step.args, *step.kwargs.values())
    return tuple(arg for arg in given if isinstance(arg, fx.Node) and not _is_size(arg))


def _is_size(step: fx.Node) -> bool:
    """Whether a step asks for a shape (`x.size(0)`, `x.shape[0]`) and computes nothing else."""
    if step.op == "call_method" and step.target == "size":
        return True
    if step.op != "call_function":
        return False
    if step.target is getattr:
        return step.args[1] == "shape"
    first = step.args[0] if step.args else None
    return step.target is operator.getitem and isinstance(first, fx.Node) and _is_size(first)


def _given(step: fx.Node, names: tuple[str, ...], **defaults: Any) -> dict[str, Any]:
    """Arguments behind the tensor by their names, wherever they were written."""
    named = {key: value for key, value in step.kwargs.items() if key != "input"}
    return defaults | dict(zip(names, step.args[1:], strict=False)) | named


def _sum(step: fx.Node) -> nn.Module | None:
    plain = len(_tensors(step)) == len(step.args) == 2 and not step.kwargs
    return Sum(step.target in (operator.iadd, "add_")) if plain else None


def _relu(step: fx.Node) -> nn.Module:
    in_place = step.target in (torch.relu_, "relu_")
    return nn.ReLU(**_given(step, ("inplace",), inplace=in_place))


def _flatten(step: fx.Node) -> nn.Module:
    given = _given(step, ("start_dim", "end_dim"), start_dim=0, end_dim=-1)
    return nn.Flatten(given["start_dim"], given["end_dim"])


def _reshape(step: fx.Node) -> nn.Module | None:
    """`x.view(x.size(0), -1)` and its like; any other reshaping mixes what is not to be mixed."""
    shape = step.args[1:] if len(step.args) != 2 else step.args[1]
    rows_kept = (
        isinstance(shape, tuple | list)
        and len(shape) == 2
        and shape[1] == -1
        and _is_batch_size(shape[0])
    )
    return nn.Flatten() if rows_kept else None


def _is_batch_size(given: Any) -> bool:
    """Whether it is `x.size(0)`, `x.size()[0]` or `x.shape[0]`; a number fits one batch only."""
    if not isinstance(given, fx.Node) or not _is_size(given):
        return False
    if given.op == "call_method":
        return bool(given.args[1:] == (0,))
    return given.target is operator.getitem and bool(given.args[1] == 0)


def _max_pool(step: fx.Node) -> nn.Module:
    names = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
    return nn.MaxPool2d(**_given(step, names))


def _avg_pool(step: fx.Node) -> nn.Module:
    names = (
        "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"
    )  # fmt: skip
    return nn.AvgPool2d(**_given(step, names))


def _adaptive(step: fx.Node) -> nn.Module:
    return nn.AdaptiveAvgPool2d(**_given(step, ("output_size",)))


def _pad(step: fx.Node) -> nn.Module | None:
    arguments = _given(step, ("pad", "mode", "value"), mode="constant", value=0)
    zeros = arguments["mode"] == "constant" and not arguments["value"]
    return Pad(tuple(arguments["pad"])) if zeros else None


# What stands in a forward without being a module: functions by themselves, methods by name.
_FUNCTIONS: dict[Any, Callable[[fx.Node], nn.Module | None]] = {
    **dict.fromkeys((operator.add, operator.iadd, torch.add, "add", "add_"), _sum),
    **dict.fromkeys((torch.flatten, "flatten"), _flatten),
    **dict.fromkeys(("view", "reshape", torch.reshape), _reshape),
    **dict.fromkeys((F.relu, torch.relu, torch.relu_, "relu", "relu_"), _relu),
    **dict.fromkeys((F.dropout, F.dropout2d, "contiguous"), lambda _: nn.Identity()),
    F.max_pool2d: _max_pool,
    F.avg_pool2d: _avg_pool,
    F.adaptive_avg_pool2d: _adaptive,
    F.pad: _pad,
}


def _check(name: str, layer: nn.Module) -> None:
    """Refuse settings of a known layer that the walk back does not follow."""
    match layer:
        case nn.Conv2d() if layer.padding_mode != "zeros":
            problem = f"padding_mode='{layer.padding_mode}'; expected 'zeros'"
        case nn.Conv2d() if layer.padding == "same" and any(
            d * (k - 1) % 2 for d, k in zip(layer.dilation, layer.kernel_size, strict=True)
        ):
            problem = (
                "padding='same' with an even kernel; expected an odd one, or padding as numbers"
            )
        case nn.MaxPool2d() if layer.return_indices:
            problem = "return_indices=True; expected False"
        case nn.Flatten() if (layer.start_dim, layer.end_dim) != (1, -1):
            problem = f"dimensions {layer.start_dim} to {layer.end_dim}; expected 1 to -1"
        case nn.ZeroPad2d() | Pad() if min(padding_of(layer)) < 0 or len(padding_of(layer)) > 6:
            problem = (
                f"padding {padding_of(layer)}; expected zeros added to channels, rows or columns"
            )
        case nn.BatchNorm2d() | nn.BatchNorm1d() if layer.running_var is None:
            problem = "statistics of the batch; expected running ones (track_running_stats=True)"
        case _:
            return
    raise RelevanceError(f"no rule for {_of(name, layer)} with {problem}")


def padding_of(layer: nn.Module | None) -> tuple[int, ...]:
    """The zeros that a layer adds, as `F.pad` takes them; empty if it is no padding."""
    return tuple(layer.padding) if isinstance(layer, nn.ZeroPad2d | Pad) else ()


def _check_in_place(nodes: tuple[Node, ...]) -> None:
    """Refuse what overwrites values that a later layer reads as they were: the graph hides it."""
    held = [(IMAGES, 0)]  # by position: the memory, and how many had written there in place
    writers: dict[int, list[str]] = {IMAGES: []}
    for place, node in enumerate(nodes, start=1):
        for memory, age in (held[position] for position in node.inputs):
            if age < len(writers[memory]):
                raise RelevanceError(
                    f"'{writers[memory][age]}' works in place on what '{node.name}' reads later, "
                    "which then is another value; write it with inplace=False (or as a = a + b)"
                )
        memory, age = held[node.inputs[0]]
        if isinstance(node.layer, nn.ReLU | Sum) and node.layer.inplace:
            writers[memory].append(node.name)
            held.append((memory, age + 1))
        elif isinstance(node.layer, _VIEWS):
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


def _no_rule(name: str, module: nn.Module) -> str:
    known = ", ".join(kind.__name__ for kind in LAYERS)
    return (
        f"no rule for {_of(name, module)}; known layers: {known}. "
        f"{_ADVICE.get(type(module), _ELSE)}"
    )


def _of(name: str, module: nn.Module) -> str:
    return f"layer '{name}' ({type(module).__name__})" if name else type(module).__name__


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "no message"
