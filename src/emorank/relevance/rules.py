"""The rules of layer-wise relevance propagation, one small record each.

A layer computes z_j = Σ_i a_i w_ij + b_j. A rule says how the relevance R_j at its outputs goes
back to its inputs. Every rule here is a sum of *branches* of one form,

    R_i = Σ_branches share · Σ_terms part_i · Σ_j weight_ij · R_j / (d_j + ε sign d_j),
    d_j = Σ_terms Σ_i part_i · weight_ij + bias_j,                         sign(0) = +1,

where `part` is a part of the inputs (all of a, a⁺, a⁻, ones, the pixel bounds) and `weight`, `bias`
are modified parameters. A new rule is one record with its branches; see docs/relevance.md.

With R_j = 0 wherever d_j = 0 nothing is divided by zero. The bias is part of the denominator and so
absorbs its share of relevance; modified biases follow the modified weights (b⁺ where w⁺, b + γ b⁺
where w + γ w⁺), once per branch.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

import torch
from torch import Tensor

from emorank.errors import RelevanceError

EPSILON = 1e-6  # absolute, the usual stabiliser of the literature's implementations

Modifier = Callable[[Tensor], Tensor]


class Part(Enum):
    """What a term multiplies the weights with."""

    WHOLE = "a"
    POSITIVE = "a⁺ = max(a, 0)"
    NEGATIVE = "a⁻ = min(a, 0)"
    ONE = "1"
    LOW = "l, the lowest value a pixel can take"
    HIGH = "h, the highest value a pixel can take"


class Outputs(Enum):
    """Which outputs j a branch sends relevance back from, by the sign of z_j; sign(0) = +1."""

    ALL = "all"
    POSITIVE = "z ≥ 0"
    NEGATIVE = "z < 0"


def whole(parameter: Tensor) -> Tensor:
    """W as it is."""
    return parameter


def positive(parameter: Tensor) -> Tensor:
    """w⁺ = max(w, 0)."""
    return parameter.clamp(min=0)


def negative(parameter: Tensor) -> Tensor:
    """w⁻ = min(w, 0)."""
    return parameter.clamp(max=0)


def minus_positive(parameter: Tensor) -> Tensor:
    """−w⁺."""
    return -parameter.clamp(min=0)


def minus_negative(parameter: Tensor) -> Tensor:
    """−w⁻."""
    return -parameter.clamp(max=0)


def square(parameter: Tensor) -> Tensor:
    """w²."""
    return parameter.square()


def one(parameter: Tensor) -> Tensor:
    """1 for every weight."""
    return torch.ones_like(parameter)


def nothing(parameter: Tensor) -> Tensor:
    """0 for every bias."""
    return torch.zeros_like(parameter)


@dataclass(frozen=True)
class Term:
    """A part of the inputs and the weights that it goes through."""

    part: Part
    weight: Modifier


@dataclass(frozen=True)
class Branch:
    """Terms that share one denominator.

    Attributes:
        terms: what is summed in the denominator, and what relevance is shared out among.
        bias: the modified bias in the denominator.
        share: factor of the branch (α, −β).
        outputs: the outputs it applies to.
        sign: of the denominator where it is known beforehand (+1, −1), else 0.
        remainder: the denominators of this branch and the one before it add up to z, so that it
            need not be computed.
        normalised: relevance is divided by the denominator; if not, it is sent as it is.
    """

    terms: tuple[Term, ...]
    bias: Modifier = whole
    share: float = 1.0
    outputs: Outputs = Outputs.ALL
    sign: int = 0
    remainder: bool = False
    normalised: bool = True


class Rule(Protocol):
    """What the walk asks of a rule."""

    @property
    def epsilon(self) -> float:
        """The stabiliser ε, absolute, in units of z; 0 for none."""
        ...

    def branches(self) -> tuple[Branch, ...]:
        """The formula, as branches; none where relevance passes a layer as it is."""
        ...


@dataclass(frozen=True)
class Epsilon:
    """R_i = Σ_j a_i w_ij / (z_j + ε sign z_j) R_j: Bach et al. 2015, eq. 58.

    Attributes:
        epsilon: the absolute part of ε.
        relative: what is added to it, in root mean squares of the z of the layer and image: 0.25 in
            Montavon et al. 2019, section 10.3, where ε is given in "std".
    """

    epsilon: float = EPSILON
    relative: float = 0.0

    def __post_init__(self) -> None:
        _not_negative(epsilon=self.epsilon, relative=self.relative)

    def branches(self) -> tuple[Branch, ...]:
        """The inputs through the weights."""
        return (Branch((Term(Part.WHOLE, whole),)),)


@dataclass(frozen=True)
class Zero:
    """R_i = Σ_j a_i w_ij / z_j R_j: Bach et al. 2015, eq. 56.

    An output with z_j = 0 sends nothing.
    """

    epsilon: float = field(default=0.0, init=False)

    def branches(self) -> tuple[Branch, ...]:
        """The inputs through the weights."""
        return (Branch((Term(Part.WHOLE, whole),)),)


@dataclass(frozen=True)
class ZPlus:
    """R_i = Σ_j (a_i w_ij)⁺ / Σ_i' (a_i' w_i'j)⁺ R_j: Montavon et al. 2017 (the z⁺ rule).

    For inputs of both signs the positive contributions are a⁺w⁺ + a⁻w⁻, as in alpha 1, beta 0.
    """

    epsilon: float = EPSILON

    def __post_init__(self) -> None:
        _not_negative(epsilon=self.epsilon)

    def branches(self) -> tuple[Branch, ...]:
        """The positive contributions."""
        return (_POSITIVE_CONTRIBUTIONS,)


@dataclass(frozen=True)
class AlphaBeta:
    """R_i = Σ_j (α (aw)⁺/Σ(aw)⁺ − β (aw)⁻/Σ(aw)⁻) R_j, α − β = 1: Bach et al. 2015, eq. 60."""

    alpha: float = 2.0
    beta: float = 1.0
    epsilon: float = EPSILON

    def __post_init__(self) -> None:
        _not_negative(epsilon=self.epsilon)
        if self.beta < 0 or not abs(self.alpha - self.beta - 1) <= 1e-9:
            raise ValueError(
                f"expected alpha − beta = 1 and beta ≥ 0 (relevance would not be conserved "
                f"otherwise), got alpha={self.alpha}, beta={self.beta}; usual: 1 and 0, 2 and 1"
            )

    def branches(self) -> tuple[Branch, ...]:
        """The positive contributions, α times; less the negative ones, β times."""
        plus = Branch(_POSITIVE_CONTRIBUTIONS.terms, bias=positive, share=self.alpha, sign=+1)
        minus = Branch(
            (Term(Part.POSITIVE, negative), Term(Part.NEGATIVE, positive)),
            bias=negative,
            share=-self.beta,
            sign=-1,
            remainder=True,
        )
        return (plus, minus) if self.beta else (plus,)


@dataclass(frozen=True)
class Gamma:
    """R_i = Σ_j a_i (w_ij + γ w⁺_ij) / Σ_i' a_i' (w_i'j + γ w⁺_i'j) R_j.

    Source: Montavon et al. 2019, section 10.2.1; for inputs of both signs as generalised by Andéol
    et al. 2021: outputs with z_j ≥ 0 favour positive contributions by γ, outputs with z_j < 0
    negative ones.
    """

    gamma: float = 0.25
    epsilon: float = EPSILON

    def __post_init__(self) -> None:
        _not_negative(gamma=self.gamma, epsilon=self.epsilon)

    def branches(self) -> tuple[Branch, ...]:
        """The positive outputs; the negative ones."""

        def more_positive(parameter: Tensor) -> Tensor:
            return parameter + self.gamma * parameter.clamp(min=0)

        def more_negative(parameter: Tensor) -> Tensor:
            return parameter + self.gamma * parameter.clamp(max=0)

        return (
            Branch(
                (Term(Part.POSITIVE, more_positive), Term(Part.NEGATIVE, more_negative)),
                bias=more_positive,
                outputs=Outputs.POSITIVE,
                sign=+1,
            ),
            Branch(
                (Term(Part.POSITIVE, more_negative), Term(Part.NEGATIVE, more_positive)),
                bias=more_negative,
                outputs=Outputs.NEGATIVE,
                sign=-1,
            ),
        )


@dataclass(frozen=True)
class ZBox:
    """R_i = Σ_j (a_i w_ij − l_i w⁺_ij − h_i w⁻_ij) / Σ_i'(same) R_j: Montavon et al. 2017 (zᴮ).

    For the layer that sees the pixels, l ≤ a ≤ h being the normalised values of black and white.
    The bias cancels (b − b⁺ − b⁻ = 0).
    """

    epsilon: float = EPSILON

    def __post_init__(self) -> None:
        _not_negative(epsilon=self.epsilon)

    def branches(self) -> tuple[Branch, ...]:
        """The pixels through w, less the lowest through w⁺ and the highest through w⁻."""
        terms = (
            Term(Part.WHOLE, whole),
            Term(Part.LOW, minus_positive),
            Term(Part.HIGH, minus_negative),
        )
        return (Branch(terms, bias=nothing),)


@dataclass(frozen=True)
class WSquare:
    """R_i = Σ_j w²_ij / (Σ_i' w²_i'j + b²_j) R_j: Montavon et al. 2017 (the w² rule)."""

    epsilon: float = EPSILON

    def __post_init__(self) -> None:
        _not_negative(epsilon=self.epsilon)

    def branches(self) -> tuple[Branch, ...]:
        """Ones through the squared weights."""
        return (Branch((Term(Part.ONE, square),), bias=square, sign=+1),)


@dataclass(frozen=True)
class Flat:
    """R_i = Σ_j 1 / Σ_i' 1 · R_j over the inputs j is connected with: Lapuschkin et al. 2019."""

    epsilon: float = EPSILON

    def __post_init__(self) -> None:
        _not_negative(epsilon=self.epsilon)

    def branches(self) -> tuple[Branch, ...]:
        """Ones through ones."""
        return (Branch((Term(Part.ONE, one),), bias=nothing, sign=+1),)


@dataclass(frozen=True)
class Pass:
    """R_i = R_i: the layer is not there; for layers whose outputs have the shape of their inputs.

    Source: Lapuschkin et al. 2019, for activations.
    """

    epsilon: float = field(default=0.0, init=False)

    def branches(self) -> tuple[Branch, ...]:
        """None: nothing is shared out."""
        return ()


@dataclass(frozen=True)
class NormFree:
    """R_i = Σ_j a_i w_ij R_j: contributions that are not divided by their sum.

    Bach et al. 2015, eq. 56, without its denominator. It does not conserve relevance and grows with
    the activations; it is there to be compared with.
    """

    epsilon: float = field(default=0.0, init=False)

    def branches(self) -> tuple[Branch, ...]:
        """The inputs through the weights, without a denominator."""
        return (Branch((Term(Part.WHOLE, whole),), bias=nothing, normalised=False),)


# Every rule by the name that plans and the command line know it by; a new one is a row here.
RULES: dict[str, Callable[..., Rule]] = {
    "zero": Zero,
    "epsilon": Epsilon,
    "gamma": Gamma,
    "z-plus": ZPlus,
    "alpha-beta": AlphaBeta,
    "z-box": ZBox,
    "w-square": WSquare,
    "flat": Flat,
    "pass": Pass,
    "norm-free": NormFree,
}


def _not_negative(**numbers: float) -> None:
    if not all(number >= 0 for number in numbers.values()):  # NaN is none either
        came = ", ".join(f"{name}={number:g}" for name, number in numbers.items())
        raise ValueError(f"expected {' ≥ 0, '.join(numbers)} ≥ 0, got {came}")


def rule(text: str) -> Rule:
    """Read a rule as it is written in a plan: its name, then its numbers in order or by name.

    `gamma`, `gamma 0.1`, `alpha-beta 2 1`, `epsilon relative=0.25`.

    Raises:
        RelevanceError: there is no such rule, or the numbers do not fit it.
    """
    name, _, rest = text.strip().partition(" ")
    words = rest.split()
    if name not in RULES:
        raise RelevanceError(f"'{name}' is no rule; expected one of {', '.join(RULES)}")
    numbers: list[float] = []
    named: dict[str, float] = {}
    try:
        for word in words:
            key, equals, value = word.rpartition("=")
            if equals:
                named[key] = float(value)
            else:
                numbers.append(float(value))
        if not all(map(math.isfinite, (*numbers, *named.values()))):
            raise ValueError("expected finite numbers")
        return RULES[name](*numbers, **named)
    except (TypeError, ValueError) as error:
        fields = getattr(RULES[name], "__dataclass_fields__", {})
        known = ", ".join(f"{k}={f.default:g}" for k, f in fields.items() if f.init)
        raise RelevanceError(
            f"rule '{text}': {error}; expected the numbers of {known or 'nothing: it has none'}"
        ) from error


_POSITIVE_CONTRIBUTIONS = Branch(
    (Term(Part.POSITIVE, positive), Term(Part.NEGATIVE, negative)), bias=positive, sign=+1
)
