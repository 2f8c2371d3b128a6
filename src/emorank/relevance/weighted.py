"""Relevance through a convolution or dense layer: a rule prepared for the weights of one layer.

Three facts about a layer save passes. If its inputs come from a ReLU, the terms of negative inputs
are zero. The sum of the whole inputs through the whole weights is the layer's stored output. And
if no relevance can lie on a unit whose ReLU is off, only outputs z > 0 count.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from emorank.errors import RelevanceError
from emorank.relevance.account import Account, plus
from emorank.relevance.division import divide, with_sign_of
from emorank.relevance.layers import among_zeros, without_zeros
from emorank.relevance.operators import Ones, Operator, by_output, geometry_of
from emorank.relevance.rules import (
    Branch,
    Epsilon,
    Gamma,
    Modifier,
    Outputs,
    Part,
    Rule,
    Term,
    nothing,
    one,
    whole,
)
from emorank.relevance.signed_gamma import SignedGamma, signed_gamma
from emorank.relevance.steps import Saved, Sent

_OF_INPUTS = (Part.WHOLE, Part.POSITIVE, Part.NEGATIVE)


@dataclass(frozen=True)
class Ready:
    """A branch of a rule with the modified weights of one layer.

    Attributes:
        stored: the layer's own outputs are part of the denominator.
        forward: parts of the inputs, and weights, that give the rest of the denominator.
        bias: added to the denominator, or None for zero.
        absorbed: all of the bias in the denominator; None for zero.
        parts: the part of the inputs that each term multiplies with what comes back.
        back: the weights of all terms, side by side along the inputs, for the way back.
        share, outputs, sign, remainder, normalised: as in the rule's branch.
    """

    stored: bool
    forward: tuple[tuple[Part, Operator | Ones], ...]
    bias: Tensor | None
    absorbed: Tensor | None
    parts: tuple[Part, ...]
    back: Operator | Ones
    share: float
    outputs: Outputs
    sign: int
    remainder: bool
    normalised: bool


@dataclass(frozen=True)
class Weighted:
    """A convolution or dense layer, with the ReLU after it where there is one.

    Attributes:
        name: of the layer in the net's state dict.
        own: the layer's own weights.
        bias: (out,) or None.
        rectified: a ReLU follows.
        alive: relevance at the outputs is zero wherever the ReLU's output is zero.
        epsilon: the absolute part of the rule's stabiliser.
        relative: the part in root mean squares of z.
        branches: the rule's branches for these weights; empty if the rule passes relevance on.
        gamma: the rule in the place of branches, where it is gamma and signs are mixed.
        low, high: pixel bounds (1, channels, 1, 1), for the z-box rule.
        border: zeros that the layer before has added around the inputs, as `F.pad` takes them.
        gaps: how far apart it has put rows and columns, with zeros between them.
        evenly: spreads the share of bias and stabiliser over the inputs; None if they keep it.
    """

    name: str
    own: Operator
    bias: Tensor | None
    rectified: bool
    alive: bool
    epsilon: float
    relative: float
    branches: tuple[Ready, ...]
    gamma: SignedGamma | None
    low: Tensor | None
    high: Tensor | None
    border: tuple[int, ...]
    gaps: tuple[int, int]
    evenly: Ones | None

    passes = False

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        """Compute the layer and its ReLU; save the inputs and z (if `alive`, only z > 0)."""
        (values,) = inputs
        outputs = self.own.forward(values, self.bias)
        saved: Saved = (values, outputs)
        if self.relative:
            # In double precision: squares leave the range of the narrower types early.
            dims = tuple(range(1, outputs.ndim))
            norm = torch.linalg.vector_norm(outputs, dim=dims, keepdim=True, dtype=torch.float64)
            scale = self.relative / math.sqrt(max(1, outputs[:1].numel()))
            saved = (values, outputs, (norm * scale + self.epsilon).to(outputs.dtype))
        if not self.rectified:
            return outputs, saved
        return (outputs.relu_() if self.alive else outputs.relu()), saved

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """Send relevance from the outputs to the inputs by the rule."""
        inputs, outputs, *scaled = saved
        account = Account(self.evenly, self.own.geometry)
        if self.gamma is not None:
            result = self.gamma.backward(relevance, inputs, outputs, account)
            return account.close(result, self._part(Part.ONE, inputs))
        if not self.branches:
            return Sent((self._passed(relevance, inputs),))
        epsilon = scaled[0] if scaled else self.epsilon
        denominators: list[Tensor] = []
        for branch in self.branches:
            denominators.append(self._denominator(branch, inputs, outputs, denominators))
        arrived: Tensor | None = None
        for branch, denominator in zip(self.branches, denominators, strict=True):
            shares = self._shares(branch, relevance, denominator, outputs, epsilon, account)
            back = branch.back.back(shares, inputs.shape)
            part = self._gather(branch, back, inputs)
            arrived = part if arrived is None else arrived.add_(part)
        assert arrived is not None  # noqa: S101 - there is a branch
        return account.close(arrived, self._part(Part.ONE, inputs))

    def _shares(
        self,
        branch: Ready,
        relevance: Tensor,
        denominator: Tensor,
        outputs: Tensor,
        epsilon: float | Tensor,
        account: Account,
    ) -> Tensor:
        """R_j / (d_j + ε sign d_j) of the branch's outputs."""
        if not branch.normalised:
            return relevance
        # If the sign is not known beforehand, the stabiliser's account needs it.
        mixed = branch.sign == 0
        sign = with_sign_of(torch.ones_like(denominator), denominator) if mixed else None
        # The layers above do not need these outputs any more. If z is not needed after the only
        # branch, its memory is used again. The logits belong to the caller: they are never `alive`.
        spent = denominator is not outputs or (self.alive and len(self.branches) == 1)
        shares = divide(relevance, denominator, epsilon, branch.sign, spent=spent)
        shares = _of_branch(branch, shares, outputs)
        signed = None if sign is None else shares * sign
        account.add(shares, epsilon, branch.sign, signed, branch.absorbed)
        if self.evenly is not None and not isinstance(epsilon, Tensor) and epsilon == 0:
            unsent = relevance.masked_fill(denominator != 0, 0)
            account.spread = plus(account.spread, _of_branch(branch, unsent, outputs))
        return shares

    def _denominator(
        self, branch: Ready, inputs: Tensor, outputs: Tensor, before: list[Tensor]
    ) -> Tensor:
        if branch.remainder:
            # The difference of two near numbers must not be smaller than its rounding error: a
            # division by less would give noise.
            least = before[-1] * (branch.sign * _CANCELLED * torch.finfo(outputs.dtype).eps)
            return torch.minimum(outputs - before[-1], least)
        sums = outputs if branch.stored else None
        bias = branch.bias
        for part, operator in branch.forward:
            # The first pass adds the bias at no cost.
            more = operator.forward(self._part(part, inputs), bias)
            sums = more if sums is None else sums + more
            bias = None
        assert sums is not None  # noqa: S101 - every branch has a term
        if bias is not None:
            sums = sums + by_output(bias, outputs, self.own.geometry)
        return sums

    def _part(self, part: Part, inputs: Tensor) -> Tensor:
        """A part of the inputs; a part that is the same for every image has a batch of one."""
        match part:
            case Part.WHOLE:
                return inputs
            case Part.POSITIVE:
                return inputs.clamp(min=0)
            case Part.NEGATIVE:
                return inputs.clamp(max=0)
            case Part.ONE:
                return self._within(inputs.new_ones(()), inputs)
            case Part.LOW | Part.HIGH:
                bound = self.low if part is Part.LOW else self.high
                assert bound is not None  # noqa: S101 - `prepare` has checked it
                return self._within(bound, inputs)

    def _within(self, value: Tensor, inputs: Tensor) -> Tensor:
        """A value at every input of one image, and zero at those that are padding."""
        if not self.border:
            return value.expand_as(inputs[:1])
        inner = without_zeros(inputs[:1], self.border, self.gaps)
        return among_zeros(value.expand_as(inner), self.border, self.gaps)

    def _gather(self, branch: Ready, back: Tensor, inputs: Tensor) -> Tensor:
        """Multiply what came back through the weights of each term with its part, and add up."""
        if branch.parts == (Part.ONE,) and not self.border:
            return back
        if len(branch.parts) == 1:
            return back.mul_(self._part(branch.parts[0], inputs))
        if self.own.geometry is None:
            terms = back.chunk(len(branch.parts), dim=-1)
            given = [t * self._part(p, inputs) for t, p in zip(terms, branch.parts, strict=True)]
            return torch.stack(given).sum(0)
        groups = self.own.geometry.groups
        each = inputs.shape[1] // groups
        by_term = back.view(len(back), groups, len(branch.parts), each, *inputs.shape[2:])
        result = torch.zeros_like(by_term[:, :, 0].flatten(1, 2))
        for k, part in enumerate(branch.parts):
            # reshape, not a view in place: channels last and groups may need a copy
            result += by_term[:, :, k].reshape(result.shape) * self._part(part, inputs)
        return result

    def _passed(self, relevance: Tensor, inputs: Tensor) -> Tensor:
        if relevance.shape[1:] != inputs.shape[1:]:
            raise RelevanceError(
                f"the rule 'pass' is for layers whose outputs have the shape of their inputs, and "
                f"layer '{self.name}' takes {tuple(inputs.shape[1:])} to "
                f"{tuple(relevance.shape[1:])}; choose another rule for it"
            )
        return relevance


def _of_branch(branch: Ready, values: Tensor, outputs: Tensor) -> Tensor:
    """The branch's part of values, one per output; overwrites them."""
    if branch.outputs is Outputs.POSITIVE:
        values = values.masked_fill_(outputs < 0, 0)
    elif branch.outputs is Outputs.NEGATIVE:
        values = values.masked_fill_(outputs >= 0, 0)
    return values if branch.share == 1 else values.mul_(branch.share)


_CANCELLED = 4  # the least difference of two denominators, in units of their rounding error


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
    border: tuple[int, ...] = (),
    gaps: tuple[int, int] = (1, 1),
    distributed: bool = False,
) -> Weighted:
    """Modify the weights of a layer as its rule asks, and leave out terms that are zero.

    Args:
        name: of the layer.
        layer: stays as it is; weights that are not modified are shared with it if their layout
            allows.
        rule: of the layer.
        rectified: a ReLU follows.
        alive: relevance will be zero wherever the ReLU's output is zero.
        nonnegative: the inputs are ≥ 0.
        low: the lowest values of the inputs, (1, channels, 1, 1), for the z-box rule.
        high: the highest ones.
        border: zeros around the inputs that are padding, as `F.pad` takes them.
        gaps: how far apart rows and columns of inputs are, with zeros between them.
        distributed: spread over the inputs what bias and stabiliser would take.
    """
    geometry = None
    weight = layer.weight.detach()
    if isinstance(layer, nn.Conv2d):
        geometry = geometry_of(layer)
        weight = weight.contiguous(memory_format=torch.channels_last)
    own = Operator(weight, geometry)
    bias = None if layer.bias is None else layer.bias.detach()
    alive = alive and rectified
    gamma = None
    branches: tuple[Ready, ...] = ()
    if isinstance(rule, Gamma) and not (alive and nonnegative):
        gamma = signed_gamma(rule, own, bias, positive=alive, nonnegative=nonnegative)
    else:
        branches = tuple(
            _ready(branch, own, bias, alive=alive, nonnegative=nonnegative)
            for branch in rule.branches()
            if not (alive and branch.outputs is Outputs.NEGATIVE)
        )
    return Weighted(
        name=name,
        own=own,
        bias=bias,
        rectified=rectified,
        alive=alive,
        epsilon=rule.epsilon,
        relative=rule.relative if isinstance(rule, Epsilon) else 0.0,
        branches=branches,
        gamma=gamma,
        low=low,
        high=high,
        border=border,
        gaps=gaps,
        evenly=Ones(weight.shape, geometry) if distributed else None,
    )


def keeps_zeros(rule: Rule) -> bool:
    """Whether a rule gives relevance only to inputs that are not zero."""
    branches = rule.branches()
    return bool(branches) and all(
        term.part in _OF_INPUTS for branch in branches for term in branch.terms
    )


def needs_bounds(rule: Rule) -> bool:
    """Whether a rule needs the pixel bounds."""
    return any(
        term.part in (Part.LOW, Part.HIGH) for branch in rule.branches() for term in branch.terms
    )


def _ready(
    branch: Branch, own: Operator, bias: Tensor | None, *, alive: bool, nonnegative: bool
) -> Ready:
    """A branch with the weights of one layer.

    Where its denominator comes from; "whole" is the term of the whole inputs and weights, whose sum
    the layer has computed already:

    | branch                  | denominator                                          | passes  |
    |-------------------------|------------------------------------------------------|---------|
    | not normalised          | none                                                 | 0       |
    | remainder               | z less that of the branch before                     | 0       |
    | whole alone, whole bias | z                                                    | 0       |
    | whole and others        | z, the others, and the bias that z does not hold yet | others  |
    | others                  | the terms and the modified bias                      | terms   |
    """
    terms = _of_nonnegative(branch.terms) if nonnegative else branch.terms
    operators, back = _operators(terms, own)
    others = tuple((t.part, o) for t, o in zip(terms, operators, strict=True) if not _is_z(t))
    stored = len(others) < len(terms)
    modified = _modified(branch.bias, bias)
    added = _beyond_z(branch.bias, bias) if stored else modified
    computed = branch.normalised and not branch.remainder
    return Ready(
        stored=stored,
        forward=others if computed else (),
        bias=added,
        absorbed=modified if branch.normalised else None,
        parts=tuple(term.part for term in terms),
        back=back,
        share=branch.share,
        outputs=Outputs.ALL if alive else branch.outputs,
        # The denominator is z, and only outputs with z > 0 carry relevance.
        sign=+1 if alive and not others and added is None else branch.sign,
        remainder=branch.remainder,
        normalised=branch.normalised,
    )


def _of_nonnegative(terms: tuple[Term, ...]) -> tuple[Term, ...]:
    """The terms for inputs ≥ 0: there are no negative parts, and the positive part is the whole."""
    return tuple(
        replace(term, part=Part.WHOLE) if term.part is Part.POSITIVE else term
        for term in terms
        if term.part is not Part.NEGATIVE
    )


def _is_z(term: Term) -> bool:
    """Whether a term is the layer's own sum: the whole inputs through the whole weights."""
    return term.part is Part.WHOLE and term.weight is whole


def _modified(modifier: Modifier, bias: Tensor | None) -> Tensor | None:
    """The bias of a branch; None for zero."""
    return None if bias is None or modifier is nothing else modifier(bias)


def _beyond_z(modifier: Modifier, bias: Tensor | None) -> Tensor | None:
    """What the bias of a branch has more than z, which holds the whole bias; None for nothing."""
    return None if bias is None or modifier is whole else modifier(bias) - bias


def _operators(
    terms: tuple[Term, ...], own: Operator
) -> tuple[list[Operator | Ones], Operator | Ones]:
    """The weights of each term forwards, and all of them side by side back."""
    geometry = own.geometry
    if [t.weight for t in terms] == [one]:
        ones = Ones(own.weight.shape, geometry)
        return [ones], ones
    weights = [t.weight(own.weight) for t in terms]
    forward = [own if w is own.weight else Operator(w, geometry) for w in weights]
    if len(forward) == 1:
        return [*forward], forward[0]
    joined = torch.cat(weights, dim=1)
    if joined.ndim == 4:
        joined = joined.contiguous(memory_format=torch.channels_last)
    return [*forward], Operator(joined, geometry)
