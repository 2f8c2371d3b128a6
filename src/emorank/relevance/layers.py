"""A network as a chain of named layers, or the refusal to read it as one."""

from torch import nn

from emorank.errors import RelevanceError

# By exact type: a subclass may compute something else.
WEIGHTED = (nn.Conv2d, nn.Linear)
POOLING = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d)
IGNORED = (nn.Dropout, nn.Dropout2d, nn.Identity)  # explained as in evaluation mode
LAYERS = (*WEIGHTED, *POOLING, *IGNORED, nn.ReLU, nn.Flatten)

_VGG = ("features", "avgpool", "classifier")
_ADVICE: dict[type[nn.Module], str] = {
    nn.BatchNorm2d: "fold it into the convolution before it",
    nn.BatchNorm1d: "fold it into the dense layer before it",
    nn.Softmax: "explain the logits: leave it away",
    nn.LogSoftmax: "explain the logits: leave it away",
}


def chain(net: nn.Module) -> tuple[tuple[str, nn.Module], ...]:
    """Flatten a net into its layers in the order of computation, named as in its state dict.

    Read are an `nn.Sequential` of layers and of further ones, and a net with the children
    `features`, `avgpool`, `classifier` in that order, as torchvision registers VGG and AlexNet.
    Such a net flattens in its `forward`; so a Flatten, named `flatten`, is put in wherever a dense
    layer follows a spatial one.

    Raises:
        RelevanceError: a layer has no rule, or a container is not a chain; the message names it.
    """
    layers: list[tuple[str, nn.Module]] = []
    spatial = True
    for name, layer in _leaves(net, ""):
        if type(layer) is nn.Linear and spatial:
            layers.append(("flatten", nn.Flatten()))
        if type(layer) in (nn.Linear, nn.Flatten):
            spatial = False
        _check(name, layer)
        layers.append((name, layer))
    if not any(type(layer) in WEIGHTED for _, layer in layers):
        raise RelevanceError(
            "expected a net with at least one convolution or dense layer, "
            f"got {type(net).__name__} without any"
        )
    return tuple(layers)


def _leaves(module: nn.Module, name: str) -> list[tuple[str, nn.Module]]:
    children = list(module.named_children())
    if type(module) in LAYERS:
        return [(name or type(module).__name__, module)]
    if type(module) is nn.Sequential or tuple(key for key, _ in children) == _VGG:
        prefix = f"{name}." if name else ""
        return [leaf for key, child in children for leaf in _leaves(child, prefix + key)]
    if children:
        raise RelevanceError(
            f"cannot tell in which order {_of(name, module)} uses its children; expected an "
            f"nn.Sequential, or the children {', '.join(_VGG)} as torchvision's VGG has them; "
            "write the net as an nn.Sequential"
        )
    known = ", ".join(kind.__name__ for kind in LAYERS)
    advice = _ADVICE.get(type(module), "replace it, or give it a rule (docs/relevance.md)")
    raise RelevanceError(f"no rule for {_of(name, module)}; known layers: {known}. {advice}")


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
        case _:
            return
    raise RelevanceError(f"no rule for {_of(name, layer)} with {problem}")


def _of(name: str, module: nn.Module) -> str:
    return f"layer '{name}' ({type(module).__name__})" if name else type(module).__name__
