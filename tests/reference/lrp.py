"""Slow, obvious oracle for layer-wise relevance propagation: each layer as one dense matrix.

The matrix of a convolution is found by probing it with unit vectors; then a rule is the
literature's formula over the contributions c_ij = a_i w_ij, one image at a time, in float64. A net
is a list of layers, each with the positions of what goes in: 0 for the image, k + 1 for the outputs
of layer k. Nothing of the engine is used.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

EPSILON = 1e-6
Rule = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
Begin = Callable[[np.ndarray], np.ndarray]


def stable(d: np.ndarray, epsilon: float) -> np.ndarray:
    """Denominators moved away from zero: d + ε sign d with sign(0) = +1."""
    return d + epsilon * np.where(d < 0, -1.0, 1.0)


def share_out(c: np.ndarray, d: np.ndarray, r: np.ndarray, epsilon: float) -> np.ndarray:
    """R_i = Σ_j c_ij / (d_j + ε sign d_j) R_j, term by term; 0/0 = 0."""
    given = np.zeros(len(c))
    for j in range(c.shape[1]):
        denominator = stable(d[j], epsilon)
        if denominator != 0:
            given += c[:, j] / denominator * r[j]
    return given


# Each rule: inputs a (I), weights w (I, J), bias b (J), connected (I, J) 0 or 1, relevance r (J).


def epsilon(value: float = EPSILON) -> Rule:
    def rule(a, w, b, connected, r):
        c = a[:, None] * w
        return share_out(c, c.sum(0) + b, r, value)

    return rule


def relative_epsilon(absolute: float, relative: float) -> Rule:
    """ε in root mean squares of z over the whole layer, added to an absolute one."""

    def rule(a, w, b, connected, r):
        c = a[:, None] * w
        z = c.sum(0) + b
        return share_out(c, z, r, absolute + relative * np.sqrt(np.mean(z**2)))

    return rule


def unchanged(a, w, b, connected, r):
    return r


def norm_free(a, w, b, connected, r):
    return (a[:, None] * w) @ r


def zero(a, w, b, connected, r):
    c = a[:, None] * w
    return share_out(c, c.sum(0) + b, r, 0.0)


def alpha_beta(alpha: float, beta: float) -> Rule:
    def rule(a, w, b, connected, r):
        c = a[:, None] * w
        up, down = np.maximum(c, 0), np.minimum(c, 0)
        gained = share_out(up, up.sum(0) + np.maximum(b, 0), r, EPSILON)
        lost = share_out(down, down.sum(0) + np.minimum(b, 0), r, EPSILON)
        return alpha * gained - beta * lost

    return rule


z_plus = alpha_beta(1.0, 0.0)


def gamma(value: float) -> Rule:
    def rule(a, w, b, connected, r):
        c = a[:, None] * w
        z = c.sum(0) + b
        favoured = np.where(z >= 0, np.maximum(c, 0), np.minimum(c, 0))
        favoured_bias = np.where(z >= 0, np.maximum(b, 0), np.minimum(b, 0))
        c = c + value * favoured
        return share_out(c, c.sum(0) + b + value * favoured_bias, r, EPSILON)

    return rule


def z_box(*bounds: np.ndarray) -> Rule:
    """Bounds for each channel."""

    def rule(a, w, b, connected, r):
        low, high = (np.repeat(bound, len(a) // len(bound)) for bound in bounds)
        c = a[:, None] * w - low[:, None] * np.maximum(w, 0) - high[:, None] * np.minimum(w, 0)
        return share_out(c, c.sum(0), r, EPSILON)

    return rule


def w_square(a, w, b, connected, r):
    c = w**2
    return share_out(c, c.sum(0) + b**2, r, EPSILON)


def flat(a, w, b, connected, r):
    return share_out(connected, connected.sum(0), r, EPSILON)


def probe(layer: Callable[[torch.Tensor], torch.Tensor], shape: tuple[int, ...]) -> np.ndarray:
    """The matrix (I, J) of a linear map, one unit vector after another."""
    size = int(np.prod(shape))
    rows = []
    for i in range(size):
        unit = torch.zeros(size, dtype=torch.float64)
        unit[i] = 1
        rows.append(layer(unit.reshape(1, *shape)).flatten().numpy())
    return np.stack(rows)


def weights(layer: nn.Module, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights (I, J), bias (J,) and which inputs are connected with which outputs (I, J)."""
    with torch.no_grad():
        bias = layer(torch.zeros(1, *shape, dtype=torch.float64)).flatten().numpy()
        w = probe(lambda x: layer(x) - layer(torch.zeros_like(x)), shape)
        kept = layer.weight.clone()
        layer.weight.fill_(1)
        connected = probe(lambda x: layer(x) - layer(torch.zeros_like(x)), shape)
        layer.weight.copy_(kept)
    return w, bias, np.round(connected)


def distributed(rule: Rule) -> Rule:
    """The rule, and what each unit then keeps is spread evenly over the inputs it has.

    Without a denominator neither bias nor stabiliser keeps anything: nothing is to be spread.
    """
    if rule is norm_free:
        return rule

    def spread(a, w, b, connected, r):
        given = np.zeros(len(a))
        for j in np.flatnonzero(r):
            alone = np.where(np.arange(len(r)) == j, r, 0.0)
            sent = rule(a, w, b, connected, alone)
            inputs = connected[:, j].sum()
            given += sent + (r[j] - sent.sum()) * connected[:, j] / max(inputs, 1)
        return given

    return spread


def max_pool(layer: nn.MaxPool2d, a: np.ndarray, r: np.ndarray, way: str) -> np.ndarray:
    """The first maximum of each window takes all, or all of it alike, or in proportion to a.

    Padding has no part in it.
    """
    kernel, stride, padding = (
        (size, size) if isinstance(size, int) else size
        for size in (layer.kernel_size, layer.stride, layer.padding)
    )
    given = np.zeros_like(a)
    for c, y, x in np.ndindex(r.shape):
        top, left = y * stride[0] - padding[0], x * stride[1] - padding[1]
        window = [
            (c, v, u)
            for v in range(max(top, 0), min(top + kernel[0], a.shape[1]))
            for u in range(max(left, 0), min(left + kernel[1], a.shape[2]))
        ]
        if way == "winner":
            given[max(window, key=lambda at: a[at])] += r[c, y, x]
        mean = sum(a[at] for at in window) / len(window)
        for at in window if way != "winner" else ():
            part = a[at] / stable(mean, EPSILON) if way == "proportional" else 1
            given[at] += part / len(window) * r[c, y, x]
    return given


def norm(layer: nn.Module, a: np.ndarray, r: np.ndarray) -> np.ndarray:
    """A layer, group or instance norm as a matrix, its deviation a constant; by epsilon.

    z_j = Σ_i a_i (δ_ij − 1/N) γ_j / σ + β_j over the N values of the group.
    """
    size, channels = a.size, a.shape[0]
    if isinstance(layer, nn.LayerNorm):
        groups = size // int(np.prod(layer.normalized_shape))
    else:
        groups = layer.num_groups if isinstance(layer, nn.GroupNorm) else channels
    values, given = a.flatten(), np.zeros(size)
    per_value = []
    for parameter, default in ((layer.weight, 1.0), (layer.bias, 0.0)):
        if parameter is None:
            per_value.append(np.full(size, default))
        elif isinstance(layer, nn.LayerNorm):
            per_value.append(np.tile(parameter.detach().numpy().flatten(), groups))
        else:
            per_value.append(np.repeat(parameter.detach().numpy(), size // channels))
    for group in np.arange(size).reshape(groups, -1):
        deviation = np.sqrt(values[group].var() + layer.eps)
        gain, bias = (v[group] for v in per_value)
        w = (np.eye(len(group)) - 1 / len(group)) * gain[None, :] / deviation
        c = values[group][:, None] * w
        given[group] = share_out(c, c.sum(0) + bias, r.flatten()[group], EPSILON)
    return given


@dataclass(frozen=True)
class Product:
    """A product of two branches: all relevance to one of them, or half to each."""

    signal: int | None


def product(by: Product, branches: list[np.ndarray], r: np.ndarray) -> list[np.ndarray]:
    """Value by value; a branch with a dimension of one collects what lies at its copies."""
    sent = [np.zeros_like(branch) for branch in branches]
    for place in np.ndindex(r.shape):
        for k, branch in enumerate(branches):
            at = tuple(0 if n == 1 else p for n, p in zip(branch.shape, place, strict=True))
            sent[k][at] += r[place] * (0.5 if by.signal is None else by.signal == k)
    return sent


_MAPS = (nn.Upsample, nn.ReflectionPad2d, nn.ReplicationPad2d, nn.CircularPad2d)

# A layer, None for a sum, a product, and the positions of what goes in.
Node = tuple[nn.Module | Product | None, tuple[int, ...]]


def walk(
    nodes: list[Node],
    image: np.ndarray,
    begin: Begin,
    rules: dict[int, Rule],
    max_pooling: str = "winner",
) -> list[np.ndarray]:
    """Relevance of one image (C, H, W) and of the outputs of every layer, by position.

    `begin` gives relevance at the logits; `rules` maps the place of each layer with weights to its
    rule.
    """
    values = [torch.from_numpy(image)[None]]
    with torch.no_grad():
        for layer, inputs in nodes:
            given = [values[position].clone() for position in inputs]
            if isinstance(layer, Product):
                values.append(given[0] * given[1])
            else:
                values.append(given[0] + given[1] if layer is None else layer(*given))
    activations = [value[0].numpy() for value in values]
    r = [np.zeros_like(a) for a in activations]
    r[-1] = begin(activations[-1])
    for k in reversed(range(len(nodes))):
        layer, inputs = nodes[k]
        a, arrived = activations[inputs[0]], r[k + 1]
        if layer is None:
            share = arrived / stable(activations[k + 1], EPSILON)
            for position in inputs:
                r[position] = r[position] + activations[position] * share
            continue
        if isinstance(layer, Product):
            sent = product(layer, [activations[position] for position in inputs], arrived)
            for position, part in zip(inputs, sent, strict=True):
                r[position] = r[position] + part
            continue
        if k in rules:
            w, b, connected = weights(layer, a.shape)
            sent = rules[k](a.flatten(), w, b, connected, arrived.flatten())
        elif isinstance(layer, nn.MaxPool2d):
            sent = max_pool(layer, a, arrived, max_pooling)
        elif isinstance(layer, nn.AvgPool2d | nn.AdaptiveAvgPool2d):
            c = a.flatten()[:, None] * probe(layer, a.shape)
            sent = share_out(c, c.sum(0), arrived.flatten(), EPSILON)
        elif isinstance(layer, nn.LayerNorm | nn.GroupNorm | nn.InstanceNorm2d):
            sent = norm(layer, a, arrived)
        elif isinstance(layer, _MAPS):
            c = a.flatten()[:, None] * probe(layer, a.shape)
            mixes = isinstance(layer, nn.Upsample) and layer.mode == "bilinear"
            sent = share_out(c, c.sum(0), arrived.flatten(), EPSILON if mixes else 0.0)
        else:  # ReLU and the other activations, dropout, flatten, local response norm
            sent = arrived
        r[inputs[0]] = r[inputs[0]] + sent.reshape(a.shape)
    return r


def logit(target: int | None) -> Begin:
    """The start of a class, None for the predicted one: its logit there, zero elsewhere."""

    def begin(logits):
        chosen = int(logits.argmax()) if target is None else target
        return np.where(np.arange(len(logits)) == chosen, logits, 0.0)

    return begin


def chain(layers: list[nn.Module]) -> list[Node]:
    """Layers in a row as nodes."""
    return [(layer, (k,)) for k, layer in enumerate(layers)]
