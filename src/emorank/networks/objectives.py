"""What a training learns: the loss of outputs against labels, and which images count as right."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Objective:
    """A loss, and a share that people can read beside it.

    Attributes:
        loss: mean over the batch, from outputs (batch, n), labels (batch, …) and the weight of each
            value that a label may have; with weights of one all images count the same.
        right: from outputs and labels, whether each image is right, (batch,) bool.
        by_loss: the best epoch is the one with the lowest validation loss; else the one with the
            highest validation accuracy, and among equals the lowest loss.
        values: how many values a label may have; None for as many as the network has outputs.
    """

    loss: Callable[[Tensor, Tensor, Tensor], Tensor]
    right: Callable[[Tensor, Tensor], Tensor]
    by_loss: bool = False
    values: int | None = None


def _right_class(logits: Tensor, labels: Tensor) -> Tensor:
    return logits.argmax(1) == labels


def _cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    return F.cross_entropy(logits, labels, weights)


# One class of several: the categorical cross-entropy of the paper's Table 1.
CLASSES = Objective(_cross_entropy, _right_class)
