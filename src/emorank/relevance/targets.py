"""What is explained: a logit, a difference of two, a probability, or any start of your own.

The walk begins with relevance at the outputs, (batch, classes), and is linear in it. A target says
which class the map is for and what this start is, from the logits.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from emorank.errors import RelevanceError

Classes = Tensor | Sequence[int] | int | None


@dataclass(frozen=True)
class Logit:
    """The logit of a class: R = z_c at c, zero elsewhere; the map sums to the logit.

    Attributes:
        of: class indices, one per image or one for all; None for the predicted class.
    """

    of: Classes = None


@dataclass(frozen=True)
class Difference:
    """The difference of two logits, "why this and not that": R = z_c at c and −z_d at d.

    Attributes:
        of: as in `Logit`.
        against: the other class; None for the greatest logit among the others.
    """

    of: Classes = None
    against: Classes = None


@dataclass(frozen=True)
class Probability:
    """The softmax probability of a class: R = p_c at c, zero elsewhere; the map sums to it.

    Attributes:
        of: as in `Logit`.
    """

    of: Classes = None


Start = Callable[[Float[Tensor, "batch classes"]], Float[Tensor, "batch classes"]]
Target = Classes | Logit | Difference | Probability | Start


def start(
    target: Target, logits: Float[Tensor, "batch classes"]
) -> tuple[Int[Tensor, "batch"], Float[Tensor, "batch classes"]]:
    """The class that is explained, and relevance at the outputs.

    Args:
        target: class indices stand for their `Logit`; a function is called with the logits and
            gives the start itself, and the class is then the predicted one.
        logits: of all classes.

    Raises:
        RelevanceError: indices out of range, or a start of another shape or not finite.
    """
    match target:
        case Difference(of, against):
            chosen = classes(of, logits)
            if against is None:
                others = logits.scatter(1, chosen[:, None], -torch.inf)
                against = others.argmax(1)
            other = classes(against, logits)
            _check_two(chosen, other, logits)
            return chosen, _at(chosen, logits) - _at(other, logits)
        case Probability(of):
            chosen = classes(of, logits)
            return chosen, _at(chosen, logits.softmax(1))
        case Logit(of):
            chosen = classes(of, logits)
            return chosen, _at(chosen, logits)
    if callable(target):
        return logits.argmax(1), _own(target, logits)
    chosen = classes(target, logits)
    return chosen, _at(chosen, logits)


def classes(given: Classes, logits: Float[Tensor, "batch classes"]) -> Int[Tensor, "batch"]:
    """Class indices on the device of the logits; the predicted ones for None.

    Raises:
        RelevanceError: they are no class indices, or not one for each image.
    """
    if given is None:
        return logits.argmax(dim=1)
    chosen = torch.as_tensor(given, device=logits.device)
    batch, count = logits.shape
    if chosen.ndim == 0:
        chosen = chosen.expand(batch)
    if chosen.is_floating_point() or chosen.dtype == torch.bool or chosen.shape != (batch,):
        raise RelevanceError(
            f"expected a class index for each of {batch} images, got {chosen.dtype} of shape "
            f"{tuple(chosen.shape)}"
        )
    if batch and not 0 <= int(chosen.min()) <= int(chosen.max()) < count:
        raise RelevanceError(
            f"expected class indices from 0 to {count - 1}, got {int(chosen.min())} to "
            f"{int(chosen.max())}"
        )
    return chosen.long()


def _at(chosen: Tensor, values: Tensor) -> Tensor:
    """The values of the chosen classes where they are, zero elsewhere."""
    return torch.zeros_like(values).scatter_(1, chosen[:, None], values.gather(1, chosen[:, None]))


def _check_two(chosen: Tensor, other: Tensor, logits: Tensor) -> None:
    if bool((chosen == other).any()):
        raise RelevanceError(
            "expected a difference of two classes, got the same class twice "
            f"(of {logits.shape[1]} in all)"
        )


def _own(function: Start, logits: Tensor) -> Tensor:
    given = function(logits.clone())
    if not isinstance(given, Tensor) or given.shape != logits.shape:
        came = tuple(given.shape) if isinstance(given, Tensor) else type(given).__name__
        raise RelevanceError(
            f"expected relevance at the outputs of shape {tuple(logits.shape)} from the target "
            f"function, got {came}"
        )
    if not bool(torch.isfinite(given).all()):
        raise RelevanceError("expected finite relevance from the target function, got NaN or inf")
    return given.detach().to(logits)
