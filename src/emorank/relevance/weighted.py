"""Relevance through a convolution or dense layer: a rule prepared for the weights of one layer.

Three facts about a layer save passes. If its inputs come from a ReLU, the terms of negative inputs
are zero. The sum of the whole inputs through the whole weights is the layer's stored output. And
if no relevance can lie on a unit whose ReLU is off, only outputs z > 0 count.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from emorank.errors import RelevanceError
from emorank.relevance.account import Account, plus
from emorank.relevance.branches import Ready, ready
from emorank.relevance.division import divide, divide_signed, is_none, product, quotient
from emorank.relevance.layers import among_zeros, without_zeros
from emorank.relevance.operators import Ones, Operator, by_output, geometry_of
from emorank.relevance.parts import Parts
from emorank.relevance.rules import AlphaBeta, Epsilon, Gamma, Outputs, Part, Rule, ZPlus
from emorank.relevance.signed_gamma import SignedGamma, signed_gamma, signed_plus
from emorank.relevance.steps import Saved, Sent

_OF_INPUTS = (Part.WHOLE, Part.POSITIVE, Part.NEGATIVE)


@dataclass(frozen=True)
class Weighted:
    """A convolution or dense layer, with the ReLU after it where there is one.

    Attributes:
        name: of the layer in the net's state dict.
        own: the layer's own weights.
        bias: (out,) or None.
        rectified: a ReLU follows, or one that has an upper limit too.
        cap: the upper limit; None for none.
        alive: relevance at the outputs is zero wherever the ReLU's output is zero.
        epsilon: the absolute part of the rule's stabiliser.
        relative: the part in root mean squares of z.
        branches: the rule's branches for these weights; empty if the rule passes relevance on.
        gamma: the rule in the place of branches, where one formula does for both signs.
        bounded: the rule is for pixels between bounds.
        border: zeros that the layer before has added around the inputs, as `F.pad` takes them.
        gaps: how far apart it has put rows and columns, with zeros between them.
        evenly: spreads the share of bias and stabiliser over the inputs; None if they keep it.
        constants: of each branch what no image changes, with the shape that it is for.
    """

    name: str
    own: Operator
    bias: Tensor | None
    rectified: bool
    cap: float | None
    alive: bool
    epsilon: float
    relative: float
    branches: tuple[Ready, ...]
    gamma: SignedGamma | None
    bounded: bool
    border: tuple[int, ...]
    gaps: tuple[int, int]
    evenly: Ones | None
    constants: dict[int, tuple[Any, Tensor]] = field(default_factory=dict, compare=False)

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
        if self.alive:
            outputs.relu_()
            return (outputs if self.cap is None else outputs.clamp(max=self.cap)), saved
        return (outputs.relu() if self.cap is None else outputs.clamp(0, self.cap)), saved

    def backward(self, relevance: Tensor, saved: Saved) -> Sent:
        """Send relevance from the outputs to the inputs by the rule."""
        inputs, outputs, *scaled = saved
        del saved
        account = Account(self.evenly, self.own.geometry)
        if self.gamma is not None:
            result = self.gamma.backward(relevance, inputs, outputs, account)
            return self._closed(account, result, inputs)
        if not self.branches:
            return Sent((self._passed(relevance, inputs),))
        epsilon = scaled[0] if scaled else self.epsilon
        parts = Parts(inputs, self.own.geometry)
        denominators: list[Tensor] = []
        operators = [branch.back.made() for branch in self.branches]
        for k, operator in enumerate(operators):
            denominators.append(self._denominator(k, operator, parts, outputs, denominators))
        # With z its memory goes, unless it is used as a denominator or for its sign.
        of_z = [denominator is outputs for denominator in denominators]
        signs = None if all(b.outputs is Outputs.ALL for b in self.branches) else outputs
        del outputs
        backs: dict[tuple[Part, ...], Tensor] = {}
        for k, (branch, operator) in enumerate(zip(self.branches, operators, strict=True)):
            shares = self._shares(
                branch, relevance, denominators[k], of_z[k], signs, epsilon, account
            )
            back = operator.back(shares, inputs.shape)
            before = backs.get(branch.parts)
            backs[branch.parts] = back if before is None else before.add_(back)
        # Branches that multiply with the same parts do it once.
        arrived: Tensor | None = None
        for kinds, back in backs.items():
            arrived = plus(arrived, parts.times(back, kinds, self._ones(inputs)))
        assert arrived is not None  # noqa: S101 - there is a branch
        return self._closed(account, arrived, inputs)

    def _closed(self, account: Account, relevance: Tensor, inputs: Tensor) -> Sent:
        if self.evenly is None:
            return account.close(relevance)
        ones = self._ones(inputs)
        return account.close(relevance, inputs.new_ones(inputs[:1].shape) if ones is None else ones)

    def _shares(
        self,
        branch: Ready,
        relevance: Tensor,
        denominator: Tensor,
        of_z: bool,
        signs: Tensor | None,
        epsilon: float | Tensor,
        account: Account,
    ) -> Tensor:
        """R_j / (d_j + ε sign d_j) of the branch's outputs.

        `of_z`: the denominators are z; `signs` are those of the outputs, where a branch is for one.
        """
        if not branch.normalised:
            return relevance
        # The layers above do not need these outputs any more. If z is not needed after the only
        # branch, its memory is used again. The logits belong to the caller: they are never `alive`.
        # A constant is for other images too.
        spent = self.alive and len(self.branches) == 1 if of_z else not branch.is_constant
        held: Tensor | None = None
        if branch.stabilised:
            stable = denominator if branch.certain else denominator.clamp_(min=self.epsilon)
            shares = quotient(relevance, stable) if spent else relevance / stable
        elif branch.sign or (not self.relative and is_none(self.epsilon, denominator.dtype)):
            certain = branch.certain or (of_z and self.alive)
            shares = divide(
                relevance, denominator, epsilon, branch.sign, spent=spent, certain=certain
            )
        else:
            shares, held = divide_signed(relevance, denominator, epsilon)
        shares = _of_branch(branch, shares, signs)
        if held is None:
            account.add(shares, branch.absorbed, shares, epsilon * (branch.sign or 1))
        else:
            account.add(shares, branch.absorbed, product(held, shares), 1.0)
        if self.evenly is not None and not isinstance(epsilon, Tensor) and epsilon == 0:
            unsent = relevance.masked_fill(denominator != 0, 0)
            account.spread = plus(account.spread, _of_branch(branch, unsent, signs))
        return shares

    def _denominator(
        self,
        k: int,
        made: Operator | Ones,
        parts: Parts,
        outputs: Tensor,
        before: list[Tensor],
    ) -> Tensor:
        """The denominators of a branch, ε being part of them if it is `stabilised`.

        `made` are its weights for the way back, which often serve here too.
        """
        branch = self.branches[k]
        if branch.remainder:
            # The difference of two near numbers must not be smaller than its rounding error: a
            # division by less would give noise. If ε is part of the one, it is of the other.
            least = before[-1] * (branch.sign * _CANCELLED * torch.finfo(outputs.dtype).eps)
            if branch.stabilised:
                least.add_(branch.sign * self.epsilon)
            return torch.minimum(outputs - before[-1], least, out=least)
        if branch.is_constant:
            return self._constant(k, parts.inputs, outputs)
        sums = outputs if branch.stored else None
        bias = branch.bias
        if branch.forward is not None:
            # The pass adds the bias at no cost.
            operator = made if branch.forward is branch.back else branch.forward.made()
            more = operator.forward(parts.side_by_side(branch.needed), bias)
            sums, bias = more if sums is None else more.add_(sums), None
        assert sums is not None  # noqa: S101 - every branch has a term
        if branch.constant is not None:
            return sums + self._constant(k, parts.inputs, outputs)
        return sums if bias is None else sums + by_output(bias, outputs, self.own.geometry)

    def _constant(self, k: int, inputs: Tensor, outputs: Tensor) -> Tensor:
        """What no image changes of the denominators, for one image; kept for the next of its size.

        It holds the bias, if no other pass has added it.
        """
        branch = self.branches[k]
        assert branch.constant is not None  # noqa: S101 - asked before
        like = (inputs.shape[1:], inputs.dtype, inputs.device, self.border)
        kept = self.constants.get(k)
        if kept is None or kept[0] != like:
            ones = self._ones(inputs)
            bias = branch.bias if branch.forward is None else None
            everywhere = inputs.new_ones(()).expand_as(inputs[:1]) if ones is None else ones
            fixed = branch.constant.made().forward(everywhere, bias)
            if isinstance(branch.constant, Ones) and branch.absorbed is None:
                fixed = self._once(fixed)
            kept = (like, fixed)
            self.constants[k] = kept
        return kept[1]

    def _once(self, fixed: Tensor) -> Tensor:
        """One channel, where all are alike."""
        geometry = self.own.geometry
        return fixed[:, :1].clone() if geometry and geometry.groups == 1 else fixed

    def _ones(self, inputs: Tensor) -> Tensor | None:
        """One at every input of one image, and zero at those that are padding; None without."""
        if not self.border:
            return None
        inner = without_zeros(inputs[:1], self.border, self.gaps)
        return among_zeros(inputs.new_ones(()).expand_as(inner), self.border, self.gaps)

    def _passed(self, relevance: Tensor, inputs: Tensor) -> Tensor:
        if relevance.shape[1:] != inputs.shape[1:]:
            raise RelevanceError(
                f"the rule 'pass' is for layers whose outputs have the shape of their inputs, and "
                f"layer '{self.name}' takes {tuple(inputs.shape[1:])} to "
                f"{tuple(relevance.shape[1:])}; choose another rule for it"
            )
        return relevance


def _of_branch(branch: Ready, values: Tensor, signs: Tensor | None) -> Tensor:
    """The branch's part of values, one per output; overwrites them."""
    if signs is not None and branch.outputs is Outputs.POSITIVE:
        values = values.masked_fill_(signs < 0, 0)
    elif signs is not None and branch.outputs is Outputs.NEGATIVE:
        values = values.masked_fill_(signs >= 0, 0)
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
    cap: float | None = None,
    low: Tensor | None = None,
    high: Tensor | None = None,
    border: tuple[int, ...] = (),
    gaps: tuple[int, int] = (1, 1),
    zeros: tuple[int, int] = (0, 0),
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
        cap: the upper limit of the ReLU, if it has one.
        low: the lowest values of the inputs, (1, channels, 1, 1), for the z-box rule.
        high: the highest ones.
        border: zeros around the inputs that are padding, as `F.pad` takes them.
        gaps: how far apart rows and columns of inputs are, with zeros between them.
        zeros: rows and columns that a convolution adds on either side, beside its own padding.
        distributed: spread over the inputs what bias and stabiliser would take.
    """
    geometry = None
    weight = layer.weight.detach()
    if isinstance(layer, nn.Conv2d):
        geometry = geometry_of(layer, zeros)
        weight = weight.contiguous(memory_format=torch.channels_last)
    own = Operator(weight, geometry)
    bias = None if layer.bias is None else layer.bias.detach()
    alive = alive and rectified
    relative = rule.relative if isinstance(rule, Epsilon) else 0.0
    bounds = None if low is None or high is None else (low, high)
    gamma = None
    branches: list[Ready] = []
    if isinstance(rule, Gamma) and not (alive and nonnegative):
        gamma = signed_gamma(rule, own, bias, positive=alive, nonnegative=nonnegative)
    elif alive and not nonnegative and _is_plus(rule):
        gamma = signed_plus(rule.epsilon, own, bias)
    else:
        for branch in rule.branches():
            if alive and branch.outputs is Outputs.NEGATIVE:
                continue
            one = ready(
                branch,
                own,
                bias,
                0.0 if relative else rule.epsilon,
                bounds,
                after=branches[-1] if branches else None,
                alive=alive,
                nonnegative=nonnegative,
            )
            branches.append(one)
    return Weighted(
        name=name,
        own=own,
        bias=bias,
        rectified=rectified,
        cap=cap,
        alive=alive,
        epsilon=rule.epsilon,
        relative=relative,
        branches=tuple(branches),
        gamma=gamma,
        bounded=bounds is not None,
        border=border,
        gaps=gaps,
        evenly=Ones(weight.shape, geometry) if distributed else None,
    )


def _is_plus(rule: Rule) -> bool:
    return isinstance(rule, ZPlus) or (isinstance(rule, AlphaBeta) and not rule.beta)


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
