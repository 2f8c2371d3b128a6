"""Slow, obvious oracle for layer-wise relevance propagation: each layer as one dense matrix.

The matrix of a convolution is found by probing it with unit vectors; then a rule is the
literature's formula over the contributions c_ij = a_i w_ij, one image at a time, in float64.
Nothing of the engine is used.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

EPSILON = 1e-6
Rule = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


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


def z_box(low: np.ndarray, high: np.ndarray) -> Rule:
    """Bounds for each input, (I,)."""

    def rule(a, w, b, connected, r):
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


def max_pool(layer: nn.MaxPool2d, a: np.ndarray, r: np.ndarray) -> np.ndarray:
    """The first maximum of each window takes all; padding never wins."""
    kernel, stride, padding = layer.kernel_size, layer.stride, layer.padding
    given = np.zeros_like(a)
    channels, height, width = a.shape
    for c in range(channels):
        for y in range(r.shape[1]):
            for x in range(r.shape[2]):
                window = [
                    (v, u)
                    for v in range(y * stride - padding, y * stride - padding + kernel)
                    for u in range(x * stride - padding, x * stride - padding + kernel)
                    if 0 <= v < height and 0 <= u < width
                ]
                v, u = max(window, key=lambda at, c=c: a[c, at[0], at[1]])
                given[c, v, u] += r[c, y, x]
    return given


def relevance(
    layers: list[nn.Module], image: np.ndarray, target: int | None, rules: dict[int, Rule]
) -> tuple[np.ndarray, list[float]]:
    """Relevance of one image (C, H, W), and its sum before and after each layer.

    `rules` maps the position of each layer with weights to its rule.
    """
    inputs = [torch.from_numpy(image)[None]]
    with torch.no_grad():
        for layer in layers:
            inputs.append(layer(inputs[-1].clone()))
    logits = inputs[-1][0].numpy()
    target = int(logits.argmax()) if target is None else target
    r = np.where(np.arange(len(logits)) == target, logits, 0.0)
    sums = [float(r.sum())]
    for k in reversed(range(len(layers))):
        layer, a = layers[k], inputs[k][0].numpy()
        if k in rules:
            w, b, connected = weights(layer, a.shape)
            r = rules[k](a.flatten(), w, b, connected, r.flatten()).reshape(a.shape)
        elif isinstance(layer, nn.MaxPool2d):
            r = max_pool(layer, a, r)
        elif isinstance(layer, nn.AvgPool2d | nn.AdaptiveAvgPool2d):
            c = a.flatten()[:, None] * probe(layer, a.shape)
            r = share_out(c, c.sum(0), r.flatten(), EPSILON).reshape(a.shape)
        else:  # ReLU, dropout, flatten
            r = r.reshape(a.shape)
        sums.append(float(r.sum()))
    return r, sums
