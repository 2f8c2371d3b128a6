"""A composite of zennit as a preset: which rule it gives to each layer of a net.

zennit is not imported: its objects are asked for what they hold, and their classes known by name.
"""

import inspect
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from emorank.errors import RelevanceError
from emorank.relevance.layers import WEIGHTED
from emorank.relevance.presets import Preset
from emorank.relevance.rules import (
    AlphaBeta,
    Epsilon,
    Flat,
    Gamma,
    Pass,
    Rule,
    WSquare,
    ZBox,
    Zero,
    ZPlus,
)

_POOLING = (nn.AvgPool2d, nn.AdaptiveAvgPool2d)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.SyncBatchNorm)
_NORM_EPSILON = 1e-6  # of average pooling, here and in zennit's composites


def from_zennit(composite: Any, net: nn.Module) -> dict[str, Any]:
    """What `prepare` and `relevance` take to do what a composite of zennit does to a net.

    `prepare(net, **from_zennit(composite, net))`. Relevance starts from the logit here, and in
    zennit from what you give to the attributor (docs/peers.md).

    Args:
        composite: any of zennit's: of layer types, of names, mixed, one of its own or yours.
        net: the one that it would be registered with.

    Returns:
        `preset`, a rule for each layer with weights by its name; `low` and `high`, (channels,),
        the bounds of the z-box rule, where the composite has it.

    Raises:
        RelevanceError: it has a rule, a stabiliser or a treatment of a layer that we do not have,
            or leaves a layer with weights to the gradient; the layer is named.
    """
    choose = getattr(composite, "module_map", None)
    if not callable(choose):
        raise RelevanceError(
            "expected a composite of zennit, an object with a `module_map`, got "
            f"{type(composite).__name__}"
        )
    context: dict[Any, Any] = {}
    rules: dict[str, Rule] = {}
    bounds: dict[str, Tensor] = {}
    for name, module in net.named_modules():
        if next(module.children(), None) is not None:
            continue
        hook = choose(context, name, module)
        if type(module) in WEIGHTED:
            rules[name] = _rule(hook, name)
            bounds |= _bounds(hook)
        else:
            _check(hook, name, module, bool(getattr(composite, "canonizers", ())))
    if not rules:
        raise RelevanceError("expected a net with convolutions or dense layers, got one without")
    preset = Preset(Epsilon(), Epsilon(), Epsilon(), layers=rules)
    return {"preset": preset, **bounds}


def _rule(hook: Any, name: str) -> Rule:
    """Ours for zennit's at a layer."""
    if hook is None:
        raise RelevanceError(
            f"the composite has no rule for layer '{name}', which zennit leaves to the gradient; "
            "give it one"
        )
    kind = type(hook).__name__
    if kind not in _RULES:
        raise RelevanceError(
            f"zennit's '{kind}' at layer '{name}' is no rule that we have; expected one of "
            f"{', '.join(_RULES)}"
        )
    # Parts of a rule that come after the first leave the bias out by themselves, and flat does.
    first = next(iter(getattr(hook, "param_modifiers", ())), None)
    zeroed = getattr(first, "zero_params", None)
    if zeroed and kind != "Flat":
        raise RelevanceError(
            f"zennit's zero_params={zeroed} at layer '{name}' leaves parameters out "
            "of the denominator, which no rule does here"
        )
    return _RULES[kind](hook, name)


def _numbers(function: Callable[..., Any]) -> dict[str, Any]:
    """What a function of zennit was made with."""
    return dict(inspect.getclosurevars(function).nonlocals)


def _stabiliser(hook: Any, name: str) -> float:
    """ε of a rule whose stabiliser is a number."""
    stabiliser = _numbers(hook.gradient_mapper)["stabilizer_fn"]
    epsilon = getattr(stabiliser, "epsilon", None)
    plain = not getattr(stabiliser, "clip", True) and not getattr(stabiliser, "norm_scale", True)
    if not isinstance(epsilon, int | float) or not plain:
        raise RelevanceError(
            f"the stabiliser of layer '{name}' is a function of its own, which this rule does not "
            "have here; give zennit's rule a number"
        )
    return float(epsilon)


def _epsilon(hook: Any, name: str) -> Rule:
    stabiliser = _numbers(hook.gradient_mapper)["stabilizer_fn"]
    scaled = getattr(stabiliser, "norm_scale", False) and not getattr(stabiliser, "clip", True)
    if scaled and stabiliser.dim is None:
        return Epsilon(0.0, relative=float(stabiliser.epsilon))
    epsilon = _stabiliser(hook, name)
    return Epsilon(epsilon) if epsilon else Zero()


def _gamma(hook: Any, name: str) -> Rule:
    gamma = _numbers(hook.param_modifiers[0].modifier)["gamma"]
    return Gamma(float(gamma), _stabiliser(hook, name))


def _alpha_beta(hook: Any, name: str) -> Rule:
    numbers = _numbers(hook.reducer)
    return AlphaBeta(float(numbers["alpha"]), float(numbers["beta"]), _stabiliser(hook, name))


_RULES: dict[str, Callable[[Any, str], Rule]] = {
    "Epsilon": _epsilon,
    "Gamma": _gamma,
    "ZPlus": lambda hook, name: ZPlus(_stabiliser(hook, name)),
    "AlphaBeta": _alpha_beta,
    "ZBox": lambda hook, name: ZBox(_stabiliser(hook, name)),
    "WSquare": lambda hook, name: WSquare(_stabiliser(hook, name)),
    "Flat": lambda hook, name: Flat(_stabiliser(hook, name)),
    "Pass": lambda hook, name: Pass(),
}


def _bounds(hook: Any) -> dict[str, Tensor]:
    """Black and white per channel, of a z-box rule; they may not differ from pixel to pixel."""
    if type(hook).__name__ != "ZBox":
        return {}
    bounds = {}
    for modifier, key in zip(hook.input_modifiers[1:], ("low", "high"), strict=True):
        bound = _numbers(modifier)[key]
        bound = bound if isinstance(bound, Tensor) else Tensor([float(bound)])
        if bound.numel() == 1:
            bounds[key] = bound.flatten()
            continue
        planes = bound.reshape(-1, *bound.shape[-3:])[0].flatten(1)
        if not bool((planes == planes[:, :1]).all()):
            raise RelevanceError(
                f"expected {key} of the z-box rule per channel, got one that differs from pixel to "
                "pixel"
            )
        bounds[key] = planes[:, 0].clone()
    return bounds


def _check(hook: Any, name: str, module: nn.Module, canonised: bool) -> None:
    """Refuse what is done to a layer without weights in another way than here."""
    kind = None if hook is None else type(hook).__name__
    expected: tuple[str | None, ...] = (None, "Pass")
    if isinstance(module, _POOLING):
        epsilon = _stabiliser(hook, name) if kind == "Norm" else None
        if kind == "Norm" and epsilon == _NORM_EPSILON:
            return
        raise RelevanceError(
            f"average pooling '{name}' is shared out in proportion here, stabilised by "
            f"{_NORM_EPSILON:g}; zennit's composite does it by {kind or 'the gradient'}"
            f"{'' if epsilon is None else f' and {epsilon:g}'}"
        )
    if isinstance(module, _NORMS):
        if canonised:
            return
        raise RelevanceError(
            f"batch norm '{name}' is folded into the layer before it here, as zennit's canonizer "
            "SequentialMergeBatchNorm does; the composite has no canonizers"
        )
    if kind not in expected:
        raise RelevanceError(
            f"zennit's '{kind}' at '{name}' ({type(module).__name__}) is nothing that the engine "
            "does; activations pass relevance, max pooling gives it to the winner"
        )
