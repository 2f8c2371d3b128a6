"""The net that an explainer was made of: is it still as it was, and does it say the same?"""

import functools
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any

import torch
from torch import Tensor, nn

from emorank.errors import RelevanceError
from emorank.relevance.forwards.following import logits_in
from emorank.relevance.forwards.tracing import evaluating
from emorank.relevance.layers import computed_weights
from emorank.relevance.unchanged import Glance

# Weights that are compared of each tensor at every batch; all where there are no more.
_SAMPLE = 1024


class OwnNet:
    """A net, what it was like when it was read, and whether it has been compared with its graph.

    Args:
        net: as it was read.
    """

    def __init__(self, net: nn.Module) -> None:
        self.net = net
        self._modules = _modules(net)
        self._tensors = dict(_tensors(net))
        self._attributes = dict(_attributes(net))
        self._glance = Glance(net, computed_weights)
        self._moved = ""
        self._compared = False

    def check(self) -> None:
        """Refuse a net that has changed: an explainer shares some weights and has changed others.

        A change of single weights by way of `.data` or NumPy may go unnoticed; whatever torch
        counts, new tensors and a change of most weights do not. Where other attributes of its
        modules have changed, which a forward may write or read, the logits are compared again.

        Raises:
            RelevanceError: weights, hooks or settings are not what they were.
        """
        if self._glance.unchanged():
            return
        modules, tensors = _modules(self.net), dict(_tensors(self.net))
        changed = [
            name or type(self.net).__name__
            for name in self._modules.keys() | modules.keys()
            if self._modules.get(name) != modules.get(name)
        ]
        changed += [
            name
            for name in self._tensors.keys() | tensors.keys()
            if not _same(self._tensors.get(name), tensors.get(name))
        ]
        if changed:
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            raise _changed(f"'{min(changed)}'{more}")
        attributes = dict(_attributes(self.net))
        moved = [
            name
            for name in self._attributes.keys() | attributes.keys()
            if not _alike(self._attributes.get(name), attributes.get(name))
        ]
        if moved:
            self._attributes, self._compared = attributes, False
            self._moved = f"'{min(moved)}'"
        self._glance = Glance(self.net, computed_weights)

    def compare(self, images: Tensor, logits: Tensor, sums: Tensor | None) -> None:
        """Compare the logits of the graph with those of the net's own forward, once.

        It costs a forward pass of one image, in evaluation. Hooks of the net run in it.

        Args:
            images: (batch, channels, height, width).
            logits: (batch, classes), by the graph.
            sums: what the last layer adds up, without signs, (batch, classes): their rounding is
                that of the logits; None if unknown.

        Raises:
            RelevanceError: they are not the same to rounding.
        """
        if self._compared or not len(images):
            return
        try:
            with evaluating(self.net):
                own = logits_in(self.net(images[:1].clone(memory_format=torch.contiguous_format)))
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # whatever a stranger's forward or hooks raise
            raise RelevanceError(
                f"the net itself cannot compute images of shape {tuple(images.shape)}, which its "
                f"layers can ({type(error).__name__}: {error}); {_suspects(self.net)}"
            ) from error
        eps = torch.finfo(logits.dtype).eps
        # Half of the digits, or what is left of them if great numbers cancel in the last layer.
        allowed = float(logits[:1].abs().max()) * eps**0.5
        if sums is not None:
            allowed = max(allowed, float(sums[:1].max()) * _CANCELLED * eps)
        # A forward may drop the batch of one (`x.squeeze()`).
        fits = isinstance(own, Tensor) and own.numel() == logits[:1].numel()
        if not fits or not float((own.flatten() - logits[0]).abs().max()) <= allowed:
            if self._moved:
                raise _changed(self._moved)
            came = f"{own.flatten()[:4].tolist()}" if fits else type(own).__name__
            raise RelevanceError(
                "the net does not compute what its layers compute: its logits of the first image "
                f"are {came}, those of its layers {logits[0, :4].tolist()}; {_suspects(self.net)}"
            )
        self._compared, self._moved = True, ""


def _changed(what: str) -> RelevanceError:
    return RelevanceError(
        f"the net has changed since it was prepared ({what}); prepare it again: an explainer is "
        "for the weights of the moment"
    )


_CANCELLED = 256  # ε: the rounding of all layers, in units of what the last one adds up


def _suspects(net: nn.Module) -> str:
    """What may make a net compute something else than its layers."""
    hooks = [
        f"'{name or type(net).__name__}' ({_name(hook)})"
        for name, module in net.named_modules()
        for hook in _hooks(module)
    ]
    if hooks:
        return (
            f"hooks that change values are not followed: {', '.join(hooks)}; remove them, and do "
            "what they do to the images before, or in the net's forward"
        )
    return (
        "something changes values on the way (global hooks, a patched function of torch, values "
        "that depend on the image); write it as layers"
    )


def _hooks(module: nn.Module) -> Iterator[Callable[..., Any]]:
    """Those that run in a forward pass."""
    yield from module._forward_pre_hooks.values()
    yield from module._forward_hooks.values()


def _name(hook: Callable[..., Any]) -> str:
    while isinstance(hook, functools.partial):
        hook = hook.func
    return getattr(hook, "__qualname__", type(hook).__name__)


def _modules(net: nn.Module) -> dict[str, tuple[Any, ...]]:
    """Of each module its identity, its hooks, a forward of its own, and torch's settings."""
    return {
        name: (
            module,
            tuple(_hooks(module)),
            vars(module).get("forward"),
            module.extra_repr() if type(module).__module__.startswith("torch.nn") else "",
        )
        for name, module in net.named_modules()
    }


# What torch counts of a tensor, and some of its values as bytes.
_Print = tuple[tuple[Any, ...], Tensor]


def _tensors(net: nn.Module) -> Iterator[tuple[str, _Print]]:
    """Weights and buffers by name."""
    for registered in (net.named_parameters, net.named_buffers):
        for name, tensor in registered(remove_duplicate=False):
            version = 0 if tensor.is_inference() else tensor._version
            yield name, ((*_form(tensor), tensor.data_ptr(), version), _sample(tensor))


# Attributes of a module that are compared otherwise.
_TORCHS = frozenset(vars(nn.Module())) | {"forward"}
_LOOKED_INTO, _LEAVES = 4, 4096  # lists and objects in each other; values in one attribute


def _attributes(net: nn.Module) -> Iterator[tuple[str, list[Any]]]:
    """What modules hold by themselves: tensors, numbers, text, lists and objects of these."""
    for name, module in net.named_modules():
        computed = computed_weights(module)  # anew at each forward
        for key, value in vars(module).items():
            if key not in _TORCHS and key not in computed:
                leaves = islice(_leaves(value, _LOOKED_INTO), _LEAVES)
                yield f"{name}.{key}".lstrip("."), list(leaves)


def _leaves(value: Any, depth: int) -> Iterator[Any]:
    """The values that something is made of, one after another, and what kind of thing it is."""
    if isinstance(value, Tensor):
        yield _form(value)
        yield _sample(value)
    elif isinstance(value, bool | int | float | complex | str | bytes | None):
        yield value
    elif hasattr(value, "tobytes"):  # NumPy's
        yield value.tobytes()
    else:
        yield type(value)
        parts: Iterable[Any] = ()
        if isinstance(value, list | tuple):
            parts = value
        elif isinstance(value, dict):
            parts = chain.from_iterable(value.items())
        elif hasattr(value, "__dict__") and not isinstance(value, nn.Module | type):
            parts = chain.from_iterable(vars(value).items())  # of settings, say
        for part in parts if depth else ():
            yield from _leaves(part, depth - 1)


def _alike(one: list[Any] | None, other: list[Any] | None) -> bool:
    if one is None or other is None or len(one) != len(other):
        return False
    return all(
        isinstance(a, Tensor) == isinstance(b, Tensor)
        and (torch.equal(a, b) if isinstance(a, Tensor) else a == b)
        for a, b in zip(one, other, strict=True)
    )


def _form(tensor: Tensor) -> tuple[Any, ...]:
    return tensor.shape, tensor.dtype, tensor.device


def _same(one: _Print | None, other: _Print | None) -> bool:
    return bool(one and other and one[0] == other[0] and torch.equal(one[1], other[1]))


def _sample(tensor: Tensor) -> Tensor:
    """Some of the values of a tensor, evenly from its memory, as bytes."""
    values, size = tensor.detach(), tensor.numel()
    dense = values.is_contiguous() or values.is_contiguous(memory_format=torch.channels_last)
    some = values.as_strided((size,), (1,)) if dense else values.flatten()
    return some[:: max(1, size // _SAMPLE)].clone().view(torch.uint8)
