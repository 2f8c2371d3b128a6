"""What a net's forward does, as steps, or the refusal to follow it.

torch.fx calls the forward once, with a stand-in for the images, and writes down what is done to it.
"""

import builtins
import inspect
import re
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jaxtyping
import torch
from torch import Tensor, fx, nn

from emorank.errors import RelevanceError
from emorank.relevance.activations import ACTIVATIONS
from emorank.relevance.layers import (
    LAYERS,
    MODULES,
    NORMALISING,
    NORMS,
    WEIGHTED,
    is_parametrised,
)
from emorank.relevance.same_borders import is_same

_ANY_NUMBER = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

ADVICE: dict[type[nn.Module], str] = {
    nn.LogSoftmax: "explain the logits: leave it away",
    nn.DataParallel: "explain what is in it: net.module",
}
_ELSE = "replace it, or give it a rule (docs/relevance.md)"


def check_net(net: Any) -> None:
    """Refuse what is no net of layers, whatever else it is."""
    if not isinstance(net, nn.Module):
        came = f"the class {net.__name__}" if isinstance(net, type) else type(net).__name__
        raise RelevanceError(
            f"expected a net, an object of torch.nn.Module, got {came}; build the net and load its "
            "weights into it"
        )
    for name, module in net.named_modules():
        if isinstance(module, torch.jit.ScriptModule) or hasattr(module, "_orig_mod"):
            made = "a TorchScript program" if hasattr(module, "graph") else "a compiled program"
            raise RelevanceError(
                f"no rule for {described(name, module)}: it is {made}; explain the net behind it"
            )


def traced(net: nn.Module) -> "Traced":
    """What the net's forward does, as steps."""
    tracer = Traced()
    try:
        with ONE_NET, _unchecked(), evaluating(net), _len_of_steps(net):
            tracer.graph = tracer.trace(net)
            return tracer
    except RelevanceError:
        raise
    except Exception as error:  # whatever a stranger's forward raises when it is traced
        raise RelevanceError(
            f"cannot read the forward of {type(net).__name__} as a fixed graph of layers"
            f"{place(traceback.extract_tb(error.__traceback__))} ({_why(error)}); write it as an "
            "nn.Sequential, or with a forward that does the same for every image"
        ) from error


def only_images(forward: Callable[..., Any]) -> str:
    """The name of the images in a forward, whose other arguments must have defaults."""
    _, images, *others = inspect.signature(forward).parameters.values()
    for other in others:
        if other.default is other.empty and other.kind not in _ANY_NUMBER:
            raise RelevanceError(
                f"expected a net whose forward takes images only, got a second argument "
                f"'{other.name}' without a default; wrap the net so that its forward takes one"
            )
    return images.name


# torch.fx changes torch.nn.Module itself while it traces: one net at a time.
ONE_NET = threading.Lock()


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
    """Trace or run a forward in evaluation, and undo what it writes to attributes of the net."""
    before = [(module, dict(vars(module))) for module in net.modules()]
    for module, _ in before:
        vars(module)["training"] = False
    try:
        yield
    finally:
        for module, were in before:
            if type(module).__module__.startswith("torch.nn"):  # writes only weights it computes
                vars(module)["training"] = were["training"]
                continue
            for new in vars(module).keys() - were.keys():
                del vars(module)[new]
            vars(module).update(were)


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


# Subclasses of these are read by their forward, which calls torch's function (`F.linear`).
_OPEN = (*WEIGHTED, *NORMALISING, *NORMS, *ACTIVATIONS)


class _Step(fx.Proxy):
    """A step whose type and device, which are those of the weights, are known when it is traced."""

    def __getattr__(self, k: str) -> Any:
        weight = next(self.tracer.root.parameters(), None)  # type: ignore[attr-defined]
        if k in ("dtype", "device", "is_cuda") and weight is not None:
            return getattr(weight, k)
        return super().__getattr__(k)


class Traced(fx.Tracer):
    """Takes torch's own layers as leaves and goes into everything else.

    Calls of other threads are not traced.

    Attributes:
        graph: the steps.
        constants: the tensors that steps are given and that are the same for all images.
        names: in the state dict, of those that are parameters.
    """

    def __init__(self) -> None:
        super().__init__()
        self.thread = threading.get_ident()
        self.constants: dict[fx.Node, Tensor] = {}
        self.names: dict[fx.Node, str] = {}

    def create_args_for_root(
        self, root_fn: Callable[..., Any], is_module: bool, concrete_args: Any = None
    ) -> tuple[Any, list[Any]]:
        """The images alone; what else a forward may take has its default."""
        name = only_images(root_fn)
        return root_fn, [self.root, self.create_proxy("placeholder", name, (), {})]

    def proxy(self, node: fx.Node) -> fx.Proxy:
        """The stand-in for what a step gives."""
        return _Step(node, self)

    def create_node(self, *args: Any, **kwargs: Any) -> fx.Node:
        """A step that knows the line of the forward it comes from, so that a refusal names it.

        torch's own record of it (`record_stack_traces`) imports its compiler, for 85 MiB.
        """
        node = super().create_node(*args, **kwargs)
        frames = traceback.extract_stack()[:-1]
        first = next((k for k, frame in enumerate(frames) if frame.name == "forward"), len(frames))
        node.stack_trace = "".join(traceback.format_list(frames[first:]))
        return node

    def create_proxy(
        self,
        kind: str,
        target: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *_: Any,
        **more: Any,
    ) -> Any:
        """A step; a constant where one is only given the type of the images."""
        if kind == "call_method" and target in ("to", "type_as") and isinstance(args[0], Tensor):
            return args[0]
        if kind == "call_method" and target == "new_tensor" and not kwargs:
            return torch.tensor(args[1])
        return super().create_proxy(kind, target, args, kwargs, **more)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        """A parameter by itself, so that `self.scale.view(1, -1, 1, 1)` is one."""
        return attr_val

    def create_arg(self, a: Any) -> Any:
        """What a step is given; tensors are kept in `constants`."""
        if isinstance(a, Tensor):  # torch.fx would store it in the net
            node = self.create_node("get_attr", "constant", (), {})
            self.constants[node] = a.detach()
            names = [name for name, p in self.root.named_parameters() if p is a]
            if names:
                self.names[node] = names[0]
            return node
        return super().create_arg(a)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Whether it is a layer with a rule, which is one step."""
        if "forward" in vars(m) and isinstance(m, LAYERS):
            raise RelevanceError(own_forward(module_qualified_name, m))
        known = type(m) in MODULES or is_parametrised(m) or is_same(m)
        torchs = type(m).__module__.startswith("torch.")
        if isinstance(m, _OPEN) and not known and not torchs:
            return False  # what it does with the weights stands in its forward
        layer = isinstance(m, LAYERS) or torchs
        if layer and not isinstance(m, nn.Sequential) and not known:
            raise RelevanceError(no_rule(module_qualified_name, m))
        return known

    def call_module(
        self,
        m: nn.Module,
        forward: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """A module that is called: a layer as a step, everything else by its forward."""
        if threading.get_ident() != self.thread:
            return forward(*args, **kwargs)
        # Hooks are no steps: `own_net.OwnNet` finds out whether they change anything.
        # A slice of a Sequential (`self.features[:5]`) is made on the way and has no name.
        if type(m) is nn.Sequential:
            return m.forward(*args, **kwargs)  # type: ignore[no-untyped-call]  # torch's own
        return super().call_module(m, m.forward, args, kwargs)


def own_forward(name: str, module: nn.Module) -> str:
    """Words that refuse a forward of one object."""
    return (
        f"no rule for {described(name, module)} with a forward that was put into this one object; "
        "write a module of its own that computes it"
    )


def no_rule(name: str, module: nn.Module) -> str:
    """Words that refuse a layer."""
    return (
        f"no rule for {described(name, module)}; known layers: docs/relevance.md. "
        f"{ADVICE.get(type(module), _ELSE)}"
    )


def described(name: str, module: nn.Module) -> str:
    """A module by its name and type."""
    return f"layer '{name}' ({type(module).__name__})" if name else type(module).__name__


def _why(error: Exception) -> str:
    if isinstance(error, fx.proxy.TraceError):
        return "a choice or a loop there depends on the images or their size"
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"


TORCH, OURS = str(Path(torch.__file__).parent), str(Path(__file__).parents[1])


def place(frames: traceback.StackSummary) -> str:
    """The last line that is neither torch's nor of this program, as words; empty without one."""
    theirs = [frame for frame in frames if not frame.filename.startswith((TORCH, OURS))]
    if not theirs or not theirs[-1].line:
        return ""
    last = theirs[-1]
    return f" at line {last.lineno} of {Path(last.filename).name}, `{last.line}`"


_FRAME = re.compile(r'File "(?P<file>.+)", line (?P<line>\d+), in .+\n +(?P<code>.+)')


def line_of(step: fx.Node) -> str:
    """The line of a forward that a step comes from, likewise."""
    frames = [
        traceback.FrameSummary(found["file"], int(found["line"]), "", line=found["code"])
        for found in _FRAME.finditer(step.stack_trace or "")
    ]
    return place(traceback.StackSummary.from_list(frames))
