"""What a net's forward does with images of one size, as steps.

The forward is run once with stand-ins, tensors without memory whose shapes are known, and each
function that is called with one is written down. So choices and sizes that follow from the size of
the images are what they are for that size, as windows and position embeddings need it.
"""

import linecache
import operator
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.utils import _pytree as pytree

from emorank.errors import RelevanceError
from emorank.relevance.forwards.attention import IN_PARTS
from emorank.relevance.forwards.tracing import (
    ADVICE,
    ONE_NET,
    OURS,
    TORCH,
    evaluating,
    no_rule,
    only_images,
    own_forward,
    place,
)
from emorank.relevance.layers import MODULES, is_parametrised, plain
from emorank.relevance.same_borders import is_same

BATCH = 211
"""How many images the stand-ins are: a prime that no size inside of a net is a multiple of."""

Size = tuple[int, int, int]
"""Channels, height, width."""


class OtherSize(RelevanceError):
    """A forward fails with images of this size; others may do."""


def followed(net: nn.Module, size: Size) -> "Followed":
    """What the net's forward does with images of a size.

    Raises:
        OtherSize: it raises an error with such images, or chooses by their values.
        RelevanceError: a layer has no rule.
    """
    steps = Followed(net)
    only_images(type(net).forward)
    try:
        with ONE_NET, evaluating(net), torch.no_grad(), _each_module(steps):
            steps.follow(size)
            return steps
    except RelevanceError:
        raise
    except Exception as error:  # whatever a stranger's forward raises
        lines = str(error).strip().splitlines()
        why = f"{type(error).__name__}: {lines[0] if lines else 'no message'}"
        if "meta" in str(error):
            why = "a choice or a number there depends on the values of the images"
        line = place(traceback.extract_tb(error.__traceback__))
        raise OtherSize(
            f"cannot read the forward of {type(net).__name__} as a fixed graph of layers for "
            f"images of {size[1]}×{size[2]}{line} ({why}); "
            "write it as an nn.Sequential, or with a forward that does the same for every image"
        ) from error


class Followed:
    """The steps of a forward.

    Attributes:
        graph: the steps, of the functions and layers that were called.
        constants: the tensors that steps are given and that are the same for all images.
        names: in the state dict, of those that are parameters.
        shapes: what each step gives, with `BATCH` images; of several tensors a list of shapes.
    """

    def __init__(self, net: nn.Module) -> None:
        self.net = net
        self.graph = fx.Graph()
        self.constants: dict[fx.Node, Tensor] = {}
        self.names: dict[fx.Node, str] = {}
        self.shapes: dict[fx.Node, Any] = {}
        self.thread = threading.get_ident()
        self._parameters = {id(p): name for name, p in net.named_parameters()}
        self._modules = {id(module): name for name, module in net.named_modules()}
        self._weight = next(net.parameters(), torch.empty(0))

    def follow(self, size: Size) -> None:
        """Run the forward once, and keep what leads to the logits."""
        images = torch.empty(BATCH, *size, dtype=self._weight.dtype, device="meta")
        start = self._stand_in(images, self.graph.placeholder("images"))
        result = logits_in(self.net.forward(start))
        self.graph.output(result.step if isinstance(result, _StandIn) else str(type(result)))
        for step in reversed(list(self.graph.nodes)):
            # What writes in place is kept, so that whoever reads the values later is refused.
            kept = step.op in ("output", "placeholder") or str(step.target).endswith("_")
            if not step.users and not kept:
                self.graph.erase_node(step)

    def call(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A function that is called with stand-ins."""
        name = getattr(function, "__name__", str(function))
        if function in IN_PARTS:
            return IN_PARTS[function](*args, **kwargs)
        if name == "__get__":
            name = function.__self__.__name__
            if name in ("device", "is_cuda"):
                return getattr(self._weight, name)
        if name in _CASTS and getattr(Tensor, name, None) is function:
            # Types and devices are those of the weights.
            return args[0] if isinstance(args[0], _StandIn) else args[0].to(self._weight)
        with torch._C.DisableTorchFunctionSubclass():
            if name.startswith("new_") or name.endswith("_like"):
                given = args[0]
                like = torch.empty(0 if name[:4] == "new_" else given.shape).to(self._weight)
                return function(like, *args[1:], **kwargs)
            outputs = function(
                *pytree.tree_map(_without_memory, args), **pytree.tree_map(_without_memory, kwargs)
            )
        if name == "__setitem__":
            raise RelevanceError(
                f"no rule for an assignment to parts of a tensor{self._line()[1]}; write it with "
                "torch.cat"
            )
        if not any(isinstance(leaf, Tensor) for leaf in pytree.tree_leaves(outputs)):
            return outputs  # a size, or a question about the kind of tensor
        kind, target, args = _written(function, name, args)
        return self._step(kind, target, args, kwargs, outputs)

    def module(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A module that is called with stand-ins: a layer as a step, others by their forward."""
        name = self._modules.get(id(module))
        known = type(module) in MODULES or is_parametrised(module) or is_same(module)
        if type(module) in ADVICE:
            raise RelevanceError(no_rule(name or "", module))
        if not known or name is None:
            return module.forward(*args, **kwargs)
        if "forward" in vars(module):
            raise RelevanceError(own_forward(name, module))
        bare = plain(module)
        state = {n: t.to("meta") for n, t in (*bare.named_parameters(), *bare.named_buffers())}
        given = pytree.tree_map(_without_memory, (args, kwargs))
        outputs = torch.func.functional_call(bare, state, *given)
        return self._step("call_module", name, args, kwargs, outputs)

    def _step(
        self, kind: str, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any
    ) -> Any:
        given = [self._arguments(one) for one in (args, kwargs)]
        step = self.graph.create_node(kind, target, tuple(given[0]), dict(given[1]))
        step.stack_trace = self._line()[0]
        if isinstance(outputs, Tensor):
            return self._stand_in(outputs, step)
        self.shapes[step] = [tuple(part.shape) for part in outputs]
        parts = []
        for k, part in enumerate(outputs):
            one = self.graph.call_function(_PART, (step, k))
            one.stack_trace = step.stack_trace
            parts.append(self._stand_in(part, one))
        return tuple(parts)

    def _arguments(self, value: Any) -> Any:
        if isinstance(value, _StandIn):
            return value.step
        if isinstance(value, Tensor):
            node = self.graph.get_attr("constant")
            self.constants[node] = value.detach()
            if id(value) in self._parameters:
                self.names[node] = self._parameters[id(value)]
            return node
        if isinstance(value, tuple | list):
            return (
                type(value)(map(self._arguments, value))
                if type(value) in (tuple, list)
                else tuple(value)
            )
        if isinstance(value, dict):
            return {key: self._arguments(one) for key, one in value.items()}
        return value

    def _stand_in(self, value: Tensor, step: fx.Node) -> "_StandIn":
        with torch._C.DisableTorchFunctionSubclass():
            made = value.detach().as_subclass(_StandIn)
        made.step, made.steps = step, self
        self.shapes[step] = tuple(value.shape)
        return made

    def _line(self) -> tuple[str, str]:
        """The line of the forward that is being run, as torch.fx writes it, and as words."""
        frame = sys._getframe(1)
        while frame.f_back and frame.f_code.co_filename.startswith((TORCH, OURS)):
            frame = frame.f_back
        file, number = frame.f_code.co_filename, frame.f_lineno
        code = linecache.getline(file, number).strip()
        words = f" at line {number} of {Path(file).name}, `{code}`" if code else ""
        return f'File "{file}", line {number}, in forward\n    {code}', words


class _StandIn(Tensor):
    """A tensor without memory; what is done with it becomes a step."""

    step: fx.Node
    steps: Followed

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        leaves = pytree.tree_leaves((args, kwargs))
        steps = next(leaf.steps for leaf in leaves if isinstance(leaf, _StandIn))
        return steps.call(func, args, kwargs or {})


def _without_memory(value: Any) -> Any:
    if isinstance(value, _StandIn):
        return value.as_subclass(Tensor)
    return value.to("meta") if isinstance(value, Tensor) else value


def logits_in(result: Any) -> Any:
    """The logits in what a forward returns: itself, or its `logits` (as transformers has it)."""
    return result if isinstance(result, Tensor) else getattr(result, "logits", result)


@contextmanager
def _each_module(steps: Followed) -> Iterator[None]:
    """Let `steps` see each module that is called with stand-ins; hooks are left out."""
    before: Callable[..., Any] = nn.Module.__call__

    def called(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        leaves = pytree.tree_leaves((args, kwargs))
        if threading.get_ident() == steps.thread and any(isinstance(x, _StandIn) for x in leaves):
            return steps.module(module, args, kwargs)
        return before(module, *args, **kwargs)

    nn.Module.__call__ = called  # type: ignore[method-assign]
    try:
        yield
    finally:
        nn.Module.__call__ = before  # type: ignore[method-assign]


_PART = operator.getitem
_CASTS = ("to", "type", "type_as", "float", "double", "half", "bfloat16", "cpu", "cuda")
# Python's operators, by the methods that they call.
_OPERATORS = ("add", "sub", "mul", "truediv", "matmul", "neg", "getitem", "iadd", "isub", "imul")


def _written(function: Any, name: str, args: tuple[Any, ...]) -> tuple[str, Any, tuple[Any, ...]]:
    """A call as torch.fx writes it: operators of Python, methods by name, functions."""
    if function.__name__ == "__get__":  # x.T
        return "call_method", name, args
    bare = name.strip("_")
    if name.startswith("__") and bare in (*_OPERATORS, "itruediv"):
        return "call_function", getattr(operator, bare), args
    if name.startswith("__r") and bare[1:] in _OPERATORS:
        return "call_function", getattr(operator, bare[1:]), (args[1], args[0], *args[2:])
    if getattr(Tensor, name, None) is function:
        return "call_method", name, args
    return "call_function", function, args
