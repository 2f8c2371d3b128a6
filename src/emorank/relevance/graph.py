"""A network as a graph of named layers in the order of computation, or the refusal to read it.

The net's `forward` is traced once by torch.fx, without images and without running anything. What
comes out is a list of nodes of the few kinds that relevance can be propagated through; functions
such as `torch.flatten` or `F.relu` become the layers that do the same (`functions.py`).
"""

import builtins
import inspect
import operator
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jaxtyping
from torch import Tensor, fx, nn

from emorank.errors import RelevanceError
from emorank.relevance.functions import PARTS, Call, layer_of, part_of
from emorank.relevance.layers import (
    CLIPPING,
    IGNORED,
    LAYERS,
    MODULES,
    VIEWS,
    WEIGHTED,
    Affine,
    Pad,
    Sum,
    is_parametrised,
    padding_of,
    plain,
)
from emorank.relevance.sizes import is_size

_SHARING = (*IGNORED, *VIEWS)  # their outputs are, or may be, the memory of their inputs
_IN_PLACE = (nn.ReLU, *CLIPPING, Sum, Affine)  # those that may overwrite what they read
_ANY_NUMBER = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

IMAGES = 0  # the position of what goes in; node k's outputs have position k + 1

_ADVICE: dict[type[nn.Module], str] = {
    nn.Softmax: "explain the logits: leave it away",
    nn.LogSoftmax: "explain the logits: leave it away",
    nn.DataParallel: "explain what is in it: net.module",
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
    if "forward" in vars(net):
        raise RelevanceError(_own_forward("", net))
    traced = _traced(net)
    with evaluating(net):
        nodes = tuple(_nodes(net, traced))
    _check_in_place(nodes)
    if not any(type(node.layer) in WEIGHTED for node in nodes):
        raise RelevanceError(
            "expected a net with at least one convolution or dense layer, "
            f"got {type(net).__name__} without any"
        )
    return nodes


def _traced(net: nn.Module) -> "_Tracer":
    """What the net's forward does, as steps."""
    tracer = _Tracer()
    try:
        with _TRACING, _unchecked(), evaluating(net), _len_of_steps(net):
            tracer.graph = tracer.trace(net)
            return tracer
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
def evaluating(net: nn.Module) -> Iterator[None]:
    """Trace what a forward does in evaluation; it may ask `self.training`."""
    training = [module for module in net.modules() if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True


@contextmanager
def _len_of_steps(net: nn.Module) -> Iterator[None]:
    """Let `len(x)` in a forward be `x.size(0)`; Python itself takes only a number for it."""

    def length(of: Any) -> Any:
        return of.size(0) if isinstance(of, fx.Proxy) else builtins.len(of)

    forwards = [inspect.unwrap(type(module).forward) for module in net.modules()]
    scopes = [forward.__globals__ for forward in forwards if hasattr(forward, "__globals__")]
    ours = [
        scope for scope in {id(scope): scope for scope in scopes}.values() if "len" not in scope
    ]
    for scope in ours:
        scope["len"] = length
    try:
        yield
    finally:
        for scope in ours:
            del scope["len"]


class _Tracer(fx.Tracer):
    """Takes torch's own layers as leaves and goes into everything else.

    Calls of other threads are not traced.

    Attributes:
        graph: the steps.
        constants: the tensors that steps are given and that are the same for all images.
    """

    def __init__(self) -> None:
        super().__init__()
        self.thread = threading.get_ident()
        self.constants: dict[fx.Node, Tensor] = {}

    def create_args_for_root(
        self, root_fn: Callable[..., Any], is_module: bool, concrete_args: Any = None
    ) -> tuple[Any, list[Any]]:
        """The images alone; what else a forward may take has its default."""
        _, images, *others = inspect.signature(root_fn).parameters.values()
        for other in others:
            if other.default is other.empty and other.kind not in _ANY_NUMBER:
                raise RelevanceError(
                    f"expected a net whose forward takes images only, got a second argument "
                    f"'{other.name}' without a default; wrap the net so that its forward takes one"
                )
        return root_fn, [self.root, self.create_proxy("placeholder", images.name, (), {})]

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        return attr_val  # parameters by themselves, so that `self.scale.view(1, -1, 1, 1)` is one

    def create_arg(self, a: Any) -> Any:
        if isinstance(a, Tensor):  # torch.fx would store it in the net
            node = self.create_node("get_attr", "constant", (), {})
            self.constants[node] = a.detach()
            return node
        return super().create_arg(a)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        if "forward" in vars(m) and isinstance(m, LAYERS):
            raise RelevanceError(_own_forward(module_qualified_name, m))
        # A subclass of a layer comes with a forward of its own, which is not to be guessed at.
        known = type(m) in MODULES or is_parametrised(m)
        layer = isinstance(m, LAYERS) or type(m).__module__.startswith("torch.nn")
        if layer and not isinstance(m, nn.Sequential) and not known:
            raise RelevanceError(_no_rule(module_qualified_name, m))
        return known

    def call_module(
        self,
        m: nn.Module,
        forward: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        if threading.get_ident() != self.thread:
            return forward(*args, **kwargs)
        # Hooks are no steps: `own_net.OwnNet` finds out whether they change anything.
        # A slice of a Sequential (`self.features[:5]`) is made on the way and has no name.
        if type(m) is nn.Sequential:
            return m.forward(*args, **kwargs)  # type: ignore[no-untyped-call]  # torch's own
        return super().call_module(m, m.forward, args, kwargs)


def _nodes(net: nn.Module, traced: _Tracer) -> Iterator[Node]:
    """The nodes of a traced graph, with positions for arguments."""
    position: dict[fx.Node, int] = {}
    count = 0
    for step in traced.graph.nodes:
        if step.op == "placeholder":
            position[step] = IMAGES
            continue
        if step.op == "output":
            _check_output(step, position, count)
            continue
        if is_size(step) or step in traced.constants or step.target in PARTS:
            continue  # what comes of it is looked up where it is used
        name, layer, inputs = _layer(net, step, traced.constants)
        unknown = [str(arg) for arg in inputs if arg not in position]
        if unknown or not inputs:
            raise RelevanceError(
                f"cannot follow the inputs of '{name}': {', '.join(unknown) or 'a constant'} is no "
                "layer's output; write the net as layers in a row"
            )
        yield Node(name, layer, tuple(position[arg] for arg in inputs))
        count += 1
        position[step] = count


def _layer(
    net: nn.Module, step: fx.Node, constants: dict[fx.Node, Tensor]
) -> tuple[str, nn.Module, tuple[fx.Node, ...]]:
    """A traced step as a layer with its name and what goes in."""
    call = _call(step, constants)
    if step.op == "call_module":
        name, module = str(step.target), net.get_submodule(str(step.target))
        _check(name, module)
        return name, plain(module), call.tensors
    whole = step.args[0] if step.args else None
    if call.target is operator.getitem and isinstance(whole, fx.Node) and whole.target in PARTS:
        number = step.args[1]
        parts = _call(whole, constants)
        layer = part_of(parts, number) if isinstance(number, int) else None
        inputs = parts.tensors
    else:
        layer, inputs = layer_of(call), call.tensors
    if layer is None:
        known = ", ".join(kind.__name__ for kind in MODULES)
        raise RelevanceError(
            f"no rule for '{step.name}' ({step.op.removeprefix('call_')} "
            f"{getattr(step.target, '__name__', step.target)}) in this form; known layers: "
            f"{known}; functions: docs/relevance.md. Write it as one of these"
        )
    _check(step.name, layer)
    return step.name, layer, inputs


def _call(step: fx.Node, constants: dict[fx.Node, Tensor]) -> Call:
    """A step with the constants in their places."""

    def filled(arg: fx.Node) -> Any:
        return constants.get(arg, arg)

    args, kwargs = fx.node.map_arg((step.args, step.kwargs), filled)
    return Call(step.name, step.target, tuple(args), dict(kwargs))


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
        case nn.Flatten() if layer.start_dim == 0:
            problem = f"dimensions {layer.start_dim} to {layer.end_dim}; expected 1 to -1"
        case nn.ZeroPad2d() | Pad() if min(padding_of(layer)) < 0 or len(padding_of(layer)) > 6:
            problem = (
                f"padding {padding_of(layer)}; expected zeros added to channels, rows or columns"
            )
        case nn.BatchNorm2d() | nn.BatchNorm1d() | nn.SyncBatchNorm() if layer.running_var is None:
            problem = "statistics of the batch; expected running ones (track_running_stats=True)"
        case _:
            return
    raise RelevanceError(f"no rule for {_of(name, layer)} with {problem}")


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
        if type(node.layer) in _IN_PLACE and node.layer.inplace:
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


def _own_forward(name: str, module: nn.Module) -> str:
    return (
        f"no rule for {_of(name, module)} with a forward that was put into this one object; "
        "write a module of its own that computes it"
    )


def _no_rule(name: str, module: nn.Module) -> str:
    known = ", ".join(kind.__name__ for kind in MODULES)
    return (
        f"no rule for {_of(name, module)}; known layers: {known}. "
        f"{_ADVICE.get(type(module), _ELSE)}"
    )


def _of(name: str, module: nn.Module) -> str:
    return f"layer '{name}' ({type(module).__name__})" if name else type(module).__name__


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "no message"
