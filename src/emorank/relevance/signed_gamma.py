"""Gamma through a layer whose inputs or outputs have both signs, in half of the passes.

Outputs z ≥ 0 favour positive contributions c = a w by γ, outputs z < 0 negative ones. Because
c⁺ = (c + |c|) / 2 and c⁻ = (c − |c|) / 2, both are one formula with the sign of z in it. With
k = γ / (2 + γ) and everything divided by 1 + γ / 2:

    R_i = Σ_j (c_ij + k sign(z_j) |c_ij|) / d_j · R_j,
    |d_j| = |z_j| + k (Σ_i |c_ij| + |b_j|) + ε / (1 + γ / 2),      sign(d_j) = sign(z_j).

So one pass more gives the denominators, where the products of a⁺ and a⁻ with two modified weights
would take four, and two passes lead back. No two numbers of opposite sign are added up on the way
to a denominator, so it is as exact as z.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from emorank.relevance.account import Account
from emorank.relevance.division import divide, is_none, quotient, with_sign_of
from emorank.relevance.operators import Operator
from emorank.relevance.rules import Gamma


@dataclass(frozen=True)
class SignedGamma:
    """The rule for the weights of one layer.

    Attributes:
        own: the layer's own weights.
        sizes: k |w|.
        bias: the layer's own, (out,) or None.
        bias_sizes: k |b|, or None.
        absorbed: b + k |b|, all of the bias where z is positive, or None.
        epsilon: ε / (1 + γ / 2).
        stable: k |b| + ε / (1 + γ / 2), (out,).
        joined: both weights side by side, where that saves a pass; or None.
        positive: relevance lies only on outputs z ≥ 0, and others are not kept.
        nonnegative: the inputs are ≥ 0.
    """

    own: Operator
    sizes: Operator
    bias: Tensor | None
    bias_sizes: Tensor | None
    absorbed: Tensor | None
    epsilon: float
    stable: Tensor
    joined: Operator | None
    positive: bool
    nonnegative: bool

    def backward(
        self, relevance: Tensor, inputs: Tensor, outputs: Tensor, account: Account
    ) -> Tensor:
        """Send relevance from the outputs z to the inputs."""
        magnitudes = inputs if self.nonnegative else inputs.abs()
        denominator = self.sizes.forward(magnitudes, self.stable)
        denominator.add_(outputs if self.positive else outputs.abs())
        # R / |d|, which goes through the sizes; with the sign of d through the weights.
        if is_none(self.epsilon, outputs.dtype):
            unsigned = divide(relevance, denominator, 0.0)
            account.unsent(relevance, denominator)
        else:
            unsigned = quotient(relevance, denominator)
        shares = unsigned if self.positive else with_sign_of(unsigned, outputs)
        if self.positive:
            account.add(shares, self.absorbed, shares, self.epsilon)
        else:
            account.add(shares, self.bias, unsigned, self.epsilon)
            if self.bias_sizes is not None:
                account.add(unsigned, self.bias_sizes, unsigned, 0.0)
        if self.joined is not None:
            # All shares are of one sign, and few channels cost as much as twice as many.
            both = self.joined.back(shares, inputs.shape)
            result, favoured = (half.contiguous() for half in both.chunk(2, dim=1))
        else:
            result = self.own.back(shares, inputs.shape)
            favoured = self.sizes.back(unsigned, inputs.shape)
        if self.nonnegative:
            result.add_(favoured).mul_(inputs)
        else:
            result.mul_(inputs).addcmul_(magnitudes, favoured)
        return result


def signed_gamma(
    rule: Gamma, own: Operator, bias: Tensor | None, *, positive: bool, nonnegative: bool
) -> SignedGamma:
    """Make the rule ready for a layer."""
    k = rule.gamma / (2 + rule.gamma)
    epsilon = rule.epsilon / (1 + rule.gamma / 2)
    return _of_sizes(k, epsilon, own, bias, positive=positive, nonnegative=nonnegative)


def signed_plus(epsilon: float, own: Operator, bias: Tensor | None) -> SignedGamma:
    """Make the z⁺ rule ready for inputs of both signs, where relevance lies only on outputs z > 0.

    It is gamma without bound: k = 1, and ε twice as large, since everything is divided by a half.
    There d = z⁺ is at least half of Σ |c|, so that nothing cancels.
    """
    return _of_sizes(1.0, 2 * epsilon, own, bias, positive=True, nonnegative=False)


def _of_sizes(
    k: float,
    epsilon: float,
    own: Operator,
    bias: Tensor | None,
    *,
    positive: bool,
    nonnegative: bool,
) -> SignedGamma:
    sizes = own.weight.abs()
    bias_sizes = None if bias is None else bias.abs() * k
    nothing = own.weight.new_zeros(len(own.weight))
    sizes = sizes if k == 1 else sizes.mul_(k)
    joined = None
    if positive and own.geometry and own.geometry.groups == 1 and own.weight.shape[1] <= _FEW:
        side_by_side = torch.cat([own.weight, sizes], 1)
        joined = Operator(
            side_by_side.contiguous(memory_format=torch.channels_last), own.geometry
        )  # fmt: skip
    return SignedGamma(
        own=own,
        sizes=Operator(sizes, own.geometry),
        bias=bias,
        bias_sizes=bias_sizes,
        absorbed=None if bias is None or bias_sizes is None else bias + bias_sizes,
        epsilon=epsilon,
        stable=(nothing if bias_sizes is None else bias_sizes) + epsilon,
        joined=joined,
        positive=positive,
        nonnegative=nonnegative,
    )


_FEW = 4  # channels, the colours of a picture: a convolution computes eight or more at a time
