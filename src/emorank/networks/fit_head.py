"""A logistic head on the features of a ready backbone, fitted in seconds."""

import time
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float32
from scipy.special import log_softmax
from torch import nn

from emorank.datasets.splits import person_folds
from emorank.networks import logistic
from emorank.networks.ready import READY, load_ready
from emorank.networks.training import Epoch, Examples, Recipe, class_weights
from emorank.networks.vgg import Chain
from emorank.progress import Progress, silent
from emorank.vocabulary import Emotion


def fit_head(
    net: Chain,
    learning: Examples,
    watching: Examples,
    recipe: Recipe,
    classes: Sequence[Emotion],
    persons: pd.Series,
    progress: Progress = silent,
) -> Epoch:
    """Fit the classifier of `net` in place: what it adds to the answers of the shipped network.

    The strength of the penalty is chosen on folds of the persons of the training part; the
    validation part is only looked at.

    Returns:
        A row of curves: the losses and accuracies of the fit.
    """
    start = time.monotonic()
    views = learning.views.shape[1]
    features = _features(learning, learning.views.ravel())
    labels = np.repeat(learning.labels, views)
    folds = np.repeat(_folds(persons), views)
    ready = _ready_classifier(classes, features.shape[1])
    weights = class_weights(labels, len(classes), recipe.class_weights).numpy()
    head = logistic.fit(features, labels, folds, features @ ready, weights, progress)
    last = net.classifier[0]
    assert isinstance(last, nn.Linear)  # noqa: S101 - for the type checker
    with torch.no_grad():
        last.weight.copy_(torch.from_numpy((head.weight + head.share * ready).T))
        last.bias.copy_(torch.from_numpy(head.bias))
    parts = [
        _loss_and_accuracy(net, _features(part, part.views[:, 0]), part.labels)
        for part in (learning, watching)
    ]
    return Epoch(1, *parts[0], *parts[1], round(time.monotonic() - start, 3))


def _features(examples: Examples, views: np.ndarray) -> Float32[np.ndarray, "images features"]:
    return examples.features.batch(views).flatten(1).numpy()


def _folds(persons: pd.Series) -> np.ndarray:
    """A fold for each image, all of a person in one; fewer folds where persons are few."""
    count = min(logistic.FOLDS, persons.nunique())
    if count < 2:
        return np.zeros(len(persons), np.int64)
    return person_folds(persons, persons, count)


def _ready_classifier(
    classes: Sequence[Emotion], features: int
) -> Float32[np.ndarray, "features classes"]:
    """The shipped network's own classifier: its features are the first ones of every backbone."""
    last = load_ready("expression").classifier[0]
    assert isinstance(last, nn.Linear)  # noqa: S101 - for the type checker
    known = READY["expression"].classes
    weights = np.zeros((features, len(classes)), np.float32)
    for number, emotion in enumerate(classes):
        if emotion in known:
            weights[: last.in_features, number] = last.weight[known.index(emotion)].numpy()
    return weights


def _loss_and_accuracy(net: Chain, features: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    device = next(net.parameters()).device
    with torch.inference_mode():
        logits = net.classifier(torch.from_numpy(features).to(device)).cpu().numpy()
    loss = -log_softmax(logits.astype(np.float64), axis=1)[np.arange(len(labels)), labels].mean()
    return float(loss), float((logits.argmax(1) == labels).mean())
