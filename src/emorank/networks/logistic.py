"""A head on frozen features: multinomial logistic regression that starts from another's answers.

Trained on a few hundred posed faces of one studio, a head alone learns the studio too. So it learns
only what it has to add to the logits of the ready network (`given`): the stronger the penalty, the
nearer it stays to them. The strength is chosen on persons that a fit has not seen.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from emorank.progress import Progress, silent

STRENGTHS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
"""Inverse penalties that are tried; the penalty is ‖W‖² / (2 strength) on standardised features."""
FOLDS = 5
_STEPS = 200  # of L-BFGS; it stops before


@dataclass(frozen=True)
class Head:
    """Logits = features · weight + bias + share · given.

    Attributes:
        weight: of the features as they are, (features, classes).
        bias: (classes,).
        share: how much of the given logits is kept.
        strength: the inverse penalty.
        loss: mean log loss of unseen persons at each of `STRENGTHS`, in nats; empty for one fold.
    """

    weight: Float[np.ndarray, "features classes"]
    bias: Float[np.ndarray, " classes"]
    share: float
    strength: float
    loss: tuple[float, ...] = ()

    def logits(
        self,
        features: Float[np.ndarray, "images features"],
        given: Float[np.ndarray, "images classes"],
    ) -> Float[np.ndarray, "images classes"]:
        """Of each image and class."""
        return np.asarray(features @ self.weight + self.bias + self.share * given)


def fit(
    features: Float[np.ndarray, "images features"],
    labels: Int[np.ndarray, " images"],
    folds: Int[np.ndarray, " images"],
    given: Float[np.ndarray, "images classes"],
    weights: Float[np.ndarray, " classes"],
    progress: Progress = silent,
) -> Head:
    """Fit a head; the strength has the least log loss on folds of persons, by one standard error.

    Of the strengths whose loss is within one standard error of the least, the smallest is taken
    (Breiman et al. 1984): it stays nearest to the given logits.

    Args:
        features: as they are; they are standardised inside.
        labels: a class of each image.
        folds: from 0, a number for each image; all images of a person have the same. With one fold
            the middle strength is taken.
        given: logits of each image for each class; 0 where nothing is known.
        weights: of each class in the loss.
        progress: told of fits done.
    """
    values, before, weight = (
        torch.from_numpy(np.asarray(part, np.float64)) for part in (features, given, weights)
    )
    label = torch.from_numpy(np.asarray(labels, np.int64))
    count = int(folds.max()) + 1
    fits = count * len(STRENGTHS) + 1
    losses = np.zeros((count, len(STRENGTHS)))
    for fold in range(count) if count > 1 else ():
        learnt = torch.from_numpy(folds != fold)
        scale = _Scale(values[learnt])
        seen, unseen = scale(values[learnt]), scale(values[~learnt])
        fitted = None
        for k, strength in enumerate(STRENGTHS):
            progress(fold * len(STRENGTHS) + k, fits, "logistic regression")
            fitted = _fit(seen, label[learnt], before[learnt], weight, strength, fitted)
            logits = _logits(fitted, unseen, before[~learnt])
            losses[fold, k] = float(cross_entropy(logits, label[~learnt]))
    chosen, mean = len(STRENGTHS) // 2, losses.mean(0)
    if count > 1:
        best = int(mean.argmin())
        error = losses[:, best].std(ddof=1) / np.sqrt(count)
        chosen = int(np.flatnonzero(mean <= mean[best] + error)[0])
    scale = _Scale(values)
    fitted = _fit(scale(values), label, before, weight, STRENGTHS[chosen], None)
    progress(fits, fits, "logistic regression")
    plain = scale.turn @ fitted[0] / scale.deviation[:, None]
    return Head(
        plain.numpy().astype(np.float32),
        (fitted[1] - scale.mean @ plain).numpy().astype(np.float32),
        float(fitted[2]),
        STRENGTHS[chosen],
        tuple(mean.round(4).tolist()) if count > 1 else (),
    )


class _Scale:
    """Standardises features as those that it was made from.

    With fewer images than features it turns them to the images' own directions, which suffice,
    because the penalty does not see turns.
    """

    def __init__(self, features: Tensor) -> None:
        self.mean, deviation = features.mean(0), features.std(0, correction=0)
        self.deviation = torch.where(deviation < 1e-9, torch.ones_like(deviation), deviation)
        self.turn = torch.eye(features.shape[1], dtype=features.dtype)
        if len(features) < features.shape[1]:
            inputs = (features - self.mean) / self.deviation
            self.turn = torch.linalg.svd(inputs, full_matrices=False).Vh.T

    def __call__(self, features: Tensor) -> Tensor:
        return ((features - self.mean) / self.deviation) @ self.turn


_Fitted = tuple[Tensor, Tensor, Tensor]


def _fit(
    inputs: Tensor,
    label: Tensor,
    given: Tensor,
    weights: Tensor,
    strength: float,
    start: _Fitted | None,
) -> _Fitted:
    """Weight of scaled features, bias, share."""
    classes = given.shape[1]
    first = (inputs.new_zeros(inputs.shape[1], classes), inputs.new_zeros(classes))
    free = [part.clone().requires_grad_() for part in start or (*first, inputs.new_ones(()))]
    search = torch.optim.LBFGS(
        free, max_iter=_STEPS, tolerance_grad=1e-5, line_search_fn="strong_wolfe"
    )

    def closure() -> float:
        search.zero_grad()
        logits = _logits((free[0], free[1], free[2]), inputs, given)
        loss = cross_entropy(logits, label, weights, reduction="sum")
        loss = loss + (free[0] ** 2).sum() / (2 * strength)
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    search.step(closure)  # type: ignore[no-untyped-call]
    return free[0].detach(), free[1].detach(), free[2].detach()


def _logits(fitted: _Fitted, inputs: Tensor, given: Tensor) -> Tensor:
    return inputs @ fitted[0] + fitted[1] + fitted[2] * given
