"""A branch of a rule made ready for the weights of one layer: what it must compute, and what not.

Where its denominator comes from; "whole" is the term of the whole inputs and weights, whose sum
the layer has computed already:

| branch                  | denominator                                          | passes  |
|-------------------------|------------------------------------------------------|---------|
| not normalised          | none                                                 | 0       |
| remainder               | z less that of the branch before                     | 0       |
| whole alone, whole bias | z                                                    | 0       |
| whole and others        | z, the others, and the bias that z does not hold yet | others  |
| others                  | the terms and the modified bias                      | terms   |

Terms of the inputs go side by side through one operator. What depends on no input (terms of ones,
the bounds of the pixels) is a constant for each size of image.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from emorank.relevance.division import is_none
from emorank.relevance.operators import Geometry, Ones, Operator, Unmade
from emorank.relevance.rules import (
    Branch,
    Modifier,
    Outputs,
    Part,
    Term,
    negative,
    nothing,
    one,
    positive,
    square,
    whole,
)

AnyOperator = Operator | Unmade | Ones


@dataclass(frozen=True)
class Ready:
    """A branch of a rule with the modified weights of one layer.

    Attributes:
        stored: the layer's own outputs are part of the denominator.
        forward: weights, side by side, that give the rest of the denominator; None for nothing.
        needed: the part of the inputs that goes through each of these.
        constant: weights that give a constant of the denominator from ones; None for zero.
        bias: added to the denominator, or None for zero.
        absorbed: all of the bias in the denominator; None for zero.
        parts: the part of the inputs that each term multiplies with what comes back.
        back: the weights of all terms, side by side along the inputs, for the way back.
        share, outputs, sign, remainder, normalised: as in the rule's branch.
        stabilised: the bias holds ε too.
        certain: no denominator can be below zero, whatever its relevance.
    """

    stored: bool
    forward: AnyOperator | None
    needed: tuple[Part, ...]
    constant: AnyOperator | None
    bias: Tensor | None
    absorbed: Tensor | None
    parts: tuple[Part, ...]
    back: AnyOperator
    share: float
    outputs: Outputs
    sign: int
    remainder: bool
    normalised: bool
    stabilised: bool
    certain: bool

    @property
    def is_constant(self) -> bool:
        """Whether the denominators depend on no image."""
        return self.constant is not None and self.forward is None and not self.stored


def ready(
    branch: Branch,
    own: Operator,
    bias: Tensor | None,
    epsilon: float,
    bounds: tuple[Tensor, Tensor] | None,
    *,
    after: Ready | None = None,
    alive: bool,
    nonnegative: bool,
) -> Ready:
    """A branch with the weights of one layer.

    Args:
        branch: of a rule.
        own: the layer's weights.
        bias: the layer's, or None.
        epsilon: the rule's ε; 0 also where it is another one for each image.
        bounds: the least and greatest pixels, (1, channels, 1, 1), where the rule needs them.
        after: the branch before, whose denominators and those of a remainder make z.
        alive: only outputs z > 0 carry relevance.
        nonnegative: the inputs are ≥ 0.
    """
    terms = _of_nonnegative(branch.terms) if nonnegative else branch.terms
    weights = [(term, term.weight(own.weight)) for term in terms if term.part not in _BOUNDS]
    others = [(term, weight) for term, weight in weights if not _is_z(term)]
    stored = len(others) < len(weights)
    parts = [term.part for term, _ in weights]
    if bounds is not None and len(weights) < len(terms):
        # The bounds do not depend on the image: their part is one of ones.
        of_bounds = _of_bounds(terms, own, bounds)
        weights.append((_ONES, of_bounds))
        others.append((_ONES, of_bounds))
        parts.append(Part.ONE)
    back = _operator(weights, own)
    of_ones = [pair for pair in others if pair[0].part is Part.ONE]
    of_inputs = [pair for pair in others if pair[0].part is not Part.ONE]
    modified = _modified(branch.bias, bias)
    added = _beyond_z(branch.bias, bias) if stored else modified
    computed = branch.normalised and not branch.remainder
    sign = +1 if alive and not others and added is None else branch.sign
    stabilised = (
        computed and sign > 0 and not stored and not is_none(epsilon, own.weight.dtype)
    )  # fmt: skip
    # cuDNN may add up products of one sign in ways that go below zero.
    certain = computed and not stored and not own.weight.is_cuda and branch.sign > 0
    certain &= branch.bias in (positive, square, nothing)
    certain &= all(_never_negative(term, nonnegative=nonnegative) for term, _ in others)
    if stabilised:
        added = (own.weight.new_zeros(len(own.weight)) if added is None else added) + epsilon
    if branch.remainder and after is not None and after.stabilised:
        stabilised = certain = True  # z − (d + ε), which is at most −ε
    return Ready(
        stored=stored,
        forward=_one_of(of_inputs, weights, back, own) if computed else None,
        needed=tuple(term.part for term, _ in of_inputs),
        constant=_one_of(of_ones, weights, back, own) if computed else None,
        bias=added,
        absorbed=modified if branch.normalised else None,
        parts=tuple(parts),
        back=back,
        share=branch.share,
        outputs=Outputs.ALL if alive else branch.outputs,
        # The denominator is z, and only outputs with z > 0 carry relevance.
        sign=sign,
        remainder=branch.remainder,
        normalised=branch.normalised,
        stabilised=stabilised,
        certain=certain,
    )


_BOUNDS = (Part.LOW, Part.HIGH)
_ONES = Term(Part.ONE, whole)

Weights = list[tuple[Term, Tensor]]


def _one_of(some: Weights, weights: Weights, back: AnyOperator, own: Operator) -> (
    AnyOperator | None
):  # fmt: skip
    """The operator of some terms; that of all is there already."""
    if not some:
        return None
    return back if len(some) == len(weights) else _operator(some, own)


def _operator(weights: Weights, own: Operator) -> AnyOperator:
    """The weights of all terms side by side, within each group of channels."""
    geometry = own.geometry
    if [term.weight for term, _ in weights] == [one]:
        return Ones(own.weight.shape, geometry)
    if len(weights) == 1:
        term, weight = weights[0]
        if weight is own.weight:
            return own
        if geometry is not None and term is not _ONES:
            return Unmade(own.weight, term.weight, geometry)
        return Operator(weight, geometry)
    joined = torch.cat([weight for _, weight in weights], dim=1)
    if joined.ndim == 4:
        joined = joined.contiguous(memory_format=torch.channels_last)
    return Operator(joined, geometry)


def _of_bounds(terms: tuple[Term, ...], own: Operator, bounds: tuple[Tensor, Tensor]) -> Tensor:
    """The weights times the bounds: what is left to multiply them with is one."""
    total = torch.zeros_like(own.weight)
    for term in terms:
        if term.part in _BOUNDS:
            bound = bounds[0] if term.part is Part.LOW else bounds[1]
            total += term.weight(own.weight) * _by_input(bound, own)
    return total


def _by_input(bound: Tensor, own: Operator) -> Tensor:
    """A bound of each channel in the shape of the weights of a convolution."""
    geometry: Geometry | None = own.geometry
    assert geometry is not None  # noqa: S101 - the z-box rule is for convolutions
    out, each = own.weight.shape[:2]
    by_group = bound.reshape(-1).expand(geometry.groups * each).view(geometry.groups, 1, each)
    return by_group.expand(-1, out // geometry.groups, -1).reshape(out, each, 1, 1)


def _of_nonnegative(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    """The terms for inputs ≥ 0: there are no negative parts, and the positive part is the whole."""
    return tuple(
        replace(term, part=Part.WHOLE) if term.part is Part.POSITIVE else term
        for term in terms
        if term.part is not Part.NEGATIVE
    )


def _never_negative(term: Term, *, nonnegative: bool) -> bool:
    """Whether all products of a term are ≥ 0."""
    match term.part:
        case Part.NEGATIVE:
            return term.weight is negative
        case Part.WHOLE if not nonnegative:
            return False
        case _:
            return term.weight in (positive, square, one)


def _is_z(term: Term) -> bool:
    """Whether a term is the layer's own sum: the whole inputs through the whole weights."""
    return term.part is Part.WHOLE and term.weight is whole


def _modified(modifier: Modifier, bias: Tensor | None) -> Tensor | None:
    """The bias of a branch; None for zero."""
    return None if bias is None or modifier is nothing else modifier(bias)


def _beyond_z(modifier: Modifier, bias: Tensor | None) -> Tensor | None:
    """What the bias of a branch has more than z, which holds the whole bias; None for nothing."""
    return None if bias is None or modifier is whole else modifier(bias) - bias
