"""Relevance through a convolution or dense layer: a rule made ready for one layer's weights.

What is known of the layer beforehand saves passes: where the inputs are a ReLU's outputs, the terms
of negative inputs vanish; the whole inputs through the whole weights are the stored outputs; and
where relevance cannot lie on a dead unit, only outputs z > 0 count.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emorank.relevance.division import divide
from emorank.relevance.pooling import Saved
from emorank.relevance.rules import Branch, Outputs, Part, Rule, nothing, whole

_OF_INPUTS = (Part.WHOLE, Part.POSITIVE, Part.NEGATIVE)


@dataclass(frozen=True)
class Geometry:
    """How a convolution slides; a dense layer has none."""

    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int


@dataclass(frozen=True)
class Ready:
    """A branch of a rule with the weights of one layer modified.

    Attributes:
        stored: the layer's own outputs are part of the denominator.
        forward: the parts and weights of which the rest of the denominator is computed.
        bias: added to the denominator, or None for zero.
        parts: what the shares sent back are multiplied with, one after another.
        back: the weights that they are sent back through, side by side along the inputs, times
            the share of the branch.
        outputs, sign, remainder: as in the rule's branch.
    """

    stored: bool
    forward: tuple[tuple[Part, Tensor], ...]
    bias: Tensor | None
    parts: tuple[Part, ...]
    back: Tensor
    outputs: Outputs
    sign: int
    remainder: bool


@dataclass(frozen=True)
class Weighted:
    """A convolution or dense layer, with the ReLU after it where there is one.

    Attributes:
        name: of the layer in the net's state dict.
        weight: (out, in / groups, height, width) or (out, in).
        bias: (out,) or None.
        geometry: of a convolution; None for a dense layer.
        rectified: a ReLU follows.
        alive: relevance at the outputs is zero wherever the ReLU's output is.
        epsilon: the rule's stabiliser.
        branches: the rule's branches for these weights.
        low, high: pixel bounds (1, channels, 1, 1), for the z-box rule.
    """

    name: str
    weight: Tensor
    bias: Tensor | None
    geometry: Geometry | None
    rectified: bool
    alive: bool
    epsilon: float
    branches: tuple[Ready, ...]
    low: Tensor | None
    high: Tensor | None

    def forward(self, inputs: Tensor) -> tuple[Tensor, Saved]:
        """The layer and its ReLU; keep the inputs and z, of which only z > 0 if `alive`."""
        outputs = self._apply(inputs, self.weight, self.bias)
        if not self.rectified:
            return outputs, (inputs, outputs)
        rectified = outputs.relu_() if self.alive else outputs.relu()
        return rectified, (inputs, outputs)

    def backward(self, relevance: Tensor, saved: Saved) -> Tensor:
        """Send relevance from the outputs to the inputs by the rule."""
        inputs, outputs = saved
        denominators: list[Tensor] = []
        for branch in self.branches:
            denominators.append(self._denominator(branch, inputs, outputs, denominators))
        given: Tensor | None = None
        for branch, denominator in zip(self.branches, denominators, strict=True):
            shares = divide(
                relevance,
                denominator,
                self.epsilon,
                branch.sign,
                spent=denominator is not outputs,
            )
            if branch.outputs is Outputs.POSITIVE:
                shares.masked_fill_(outputs < 0, 0)
            elif branch.outputs is Outputs.NEGATIVE:
                shares.masked_fill_(outputs >= 0, 0)
            sent = self._gather(branch, self._transpose(shares, branch.back, inputs), inputs)
            given = sent if given is None else given.add_(sent)
        assert given is not None  # noqa: S101 - every rule has a branch
        return given

    def _denominator(
        self, branch: Ready, inputs: Tensor, outputs: Tensor, before: list[Tensor]
    ) -> Tensor:
        if branch.remainder:
            # Of what cancels, no less may be left than rounding leaves: shares divided by a smaller
            # number would be noise.
            least = before[-1] * (branch.sign * 4 * torch.finfo(outputs.dtype).eps)
            return torch.minimum(outputs - before[-1], least)
        total = outputs if branch.stored else None
        bias = branch.bias
        for part, weight in branch.forward:
            # The bias goes along with the first of the passes, which costs nothing.
            through = self._apply(self._part(part, inputs), weight, bias)
            total = through if total is None else total + through
            bias = None
        assert total is not None  # noqa: S101 - every branch has a term
        if bias is not None:
            total = total + bias.view(1, -1, *(1,) * (outputs.ndim - 2))
        return total

    def _part(self, part: Part, inputs: Tensor) -> Tensor:
        """A part of the inputs; what does not depend on the image is a batch of one."""
        match part:
            case Part.WHOLE:
                return inputs
            case Part.POSITIVE:
                return inputs.clamp(min=0)
            case Part.NEGATIVE:
                return inputs.clamp(max=0)
            case Part.ONE:
                return torch.ones_like(inputs[:1])
            case Part.LOW | Part.HIGH:
                bound = self.low if part is Part.LOW else self.high
                assert bound is not None  # noqa: S101 - checked when made ready
                return bound.expand_as(inputs[:1])

    def _gather(self, branch: Ready, sent: Tensor, inputs: Tensor) -> Tensor:
        """Multiply what came back through each term's weights with its part, and add up."""
        if branch.parts == (Part.ONE,):
            return sent
        if len(branch.parts) == 1:
            return sent.mul_(self._part(branch.parts[0], inputs))
        groups = self.geometry.groups if self.geometry else 1
        each = inputs.shape[1] // groups
        by_term = sent.view(len(sent), groups, len(branch.parts), each, *inputs.shape[2:])
        total = torch.zeros_like(inputs)
        for k, part in enumerate(branch.parts):
            # reshape, not a view in place: channels last and groups may need a copy
            total += by_term[:, :, k].reshape(inputs.shape) * self._part(part, inputs)
        return total

    def _apply(self, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        g = self.geometry
        if g is None:
            return F.linear(inputs, weight, bias)
        return F.conv2d(inputs, weight, bias, g.stride, g.padding, g.dilation, g.groups)

    def _transpose(self, shares: Tensor, weight: Tensor, inputs: Tensor) -> Tensor:
        g = self.geometry
        if g is None:
            return shares @ weight
        # What the stride left over at the lower right edge, and no window saw.
        rest = [
            size - ((out - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1)
            for size, out, stride, padding, dilation, kernel in zip(
                inputs.shape[2:],
                shares.shape[2:],
                g.stride,
                g.padding,
                g.dilation,
                weight.shape[2:],
                strict=True,
            )
        ]
        return F.conv_transpose2d(
            shares, weight, None, g.stride, g.padding, rest, g.groups, g.dilation
        )


def make_ready(
    name: str,
    layer: nn.Conv2d | nn.Linear,
    rule: Rule,
    *,
    rectified: bool,
    alive: bool,
    nonnegative: bool,
    low: Tensor | None = None,
    high: Tensor | None = None,
) -> Weighted:
    """Modify the weights of a layer as its rule asks, leaving out what is known to vanish.

    Args:
        name: of the layer.
        layer: is not changed; unmodified weights are shared with it, not copied, where their
            layout allows.
        rule: of the layer.
        rectified: a ReLU follows.
        alive: relevance will be zero wherever the ReLU's output is.
        nonnegative: the inputs are ≥ 0.
        low: the lowest values of the inputs, (1, channels, 1, 1), for the z-box rule.
        high: the highest ones.
    """
    geometry = None
    weight = layer.weight.detach()
    if isinstance(layer, nn.Conv2d):
        geometry = _geometry(layer)
        weight = weight.contiguous(memory_format=torch.channels_last)
    bias = None if layer.bias is None else layer.bias.detach()
    alive = alive and rectified
    branches = tuple(
        _ready(branch, weight, bias, alive=alive, nonnegative=nonnegative)
        for branch in rule.branches()
        if not (alive and branch.outputs is Outputs.NEGATIVE)
    )
    return Weighted(
        name, weight, bias, geometry, rectified, alive, rule.epsilon, branches, low, high
    )


def keeps_dead(rule: Rule) -> bool:
    """Whether a rule gives relevance only to inputs that are not zero."""
    return all(term.part in _OF_INPUTS for branch in rule.branches() for term in branch.terms)


def sees_bounds(rule: Rule) -> bool:
    """Whether a rule needs the pixel bounds."""
    return any(
        term.part in (Part.LOW, Part.HIGH) for branch in rule.branches() for term in branch.terms
    )


def _ready(
    branch: Branch, weight: Tensor, bias: Tensor | None, *, alive: bool, nonnegative: bool
) -> Ready:
    terms = branch.terms
    if nonnegative:
        whole_part = {Part.POSITIVE: Part.WHOLE}
        terms = tuple(t for t in terms if t.part is not Part.NEGATIVE)
        parts = tuple(whole_part.get(t.part, t.part) for t in terms)
    else:
        parts = tuple(t.part for t in terms)
    weights = [t.weight(weight) for t in terms]
    stored = [
        part is Part.WHOLE and t.weight is whole for part, t in zip(parts, terms, strict=True)
    ]
    modified = None if bias is None or branch.bias is nothing else branch.bias(bias)
    if any(stored) and bias is not None:
        # z holds the whole bias already.
        modified = None if branch.bias is whole else branch.bias(bias) - bias
    only_stored = all(stored) and modified is None
    joined = weights[0] if len(weights) == 1 else torch.cat(weights, dim=1)
    if branch.share != 1:
        joined = joined * branch.share
    if joined.ndim == 4:
        joined = joined.contiguous(memory_format=torch.channels_last)
    return Ready(
        stored=any(stored),
        forward=tuple(
            (part, w) for part, w, known in zip(parts, weights, stored, strict=True) if not known
        ),
        bias=modified,
        parts=parts,
        back=joined,
        outputs=Outputs.ALL if alive else branch.outputs,
        sign=+1 if alive and only_stored else branch.sign,
        remainder=branch.remainder,
    )


def _geometry(layer: nn.Conv2d) -> Geometry:
    dilation = (layer.dilation[0], layer.dilation[1])
    kernel = (layer.kernel_size[0], layer.kernel_size[1])
    if layer.padding == "same":
        padding = (dilation[0] * (kernel[0] - 1) // 2, dilation[1] * (kernel[1] - 1) // 2)
    elif isinstance(layer.padding, str):  # 'valid'
        padding = (0, 0)
    else:
        padding = (layer.padding[0], layer.padding[1])
    return Geometry((layer.stride[0], layer.stride[1]), padding, dilation, layer.groups)
