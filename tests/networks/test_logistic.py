"""A logistic head: scikit-learn's numbers, other people's answers to start from, a strength."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from emorank.networks import logistic
from emorank.networks.logistic import STRENGTHS, fit

CLASSES = 3


def faces(images, features, seed=0, shift=0.0):
    """Features in which a class moves three of them, and the classes."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, images)
    values = rng.normal(shift, 1, (images, features)).astype(np.float32)
    values[np.arange(images), labels] += 1.5
    return values, labels


@pytest.mark.parametrize("features", [6, 200])  # fewer and more than images
def test_without_answers_to_start_from_it_is_scikit_learns(features, monkeypatch):
    """The same probabilities, at the same strength, on standardised features."""
    monkeypatch.setattr(logistic, "STRENGTHS", (0.01,))
    values, labels = faces(120, features)
    nothing = np.zeros((120, CLASSES), np.float32)
    head = fit(values, labels, np.zeros(120, np.int64), nothing, np.ones(CLASSES))
    scaled = (values - values.mean(0)) / values.std(0)
    oracle = LogisticRegression(C=0.01, tol=1e-8, max_iter=5000).fit(scaled, labels)
    logits = head.logits(values, nothing)
    found = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(found, oracle.predict_proba(scaled), atol=2e-4)


def test_the_stronger_the_penalty_the_nearer_to_what_was_given(monkeypatch):
    """With hardly any weight of its own, only how much is kept is learnt."""
    values, labels = faces(200, 20)
    told = np.where(np.arange(200) % 4, labels, (labels + 1) % CLASSES)  # a quarter is wrong
    given = np.eye(CLASSES, dtype=np.float32)[told] * 2
    folds = np.zeros(200, np.int64)
    sizes = []
    for strength in (1e-8, 1e-3, 1.0):
        monkeypatch.setattr(logistic, "STRENGTHS", (strength,))
        head = fit(values, labels, folds, given, np.ones(CLASSES))
        sizes.append(float(np.abs(head.weight).max()))
        assert head.share > 0.5
    assert sizes[0] < 1e-4 < sizes[1] < sizes[2]


def test_the_strength_is_chosen_on_persons_that_a_fit_has_not_seen():
    """Features that tell persons apart want a strong penalty, those that tell classes a weak."""
    rng = np.random.default_rng(1)
    persons = np.repeat(np.arange(10), 30)
    labels = rng.integers(0, CLASSES, 300)
    signal = np.eye(CLASSES)[labels] * 3 + rng.normal(0, 0.3, (300, CLASSES))
    own = rng.normal(0, 1, (10, 40))[persons]
    folds, nothing = persons % 5, np.zeros((300, CLASSES), np.float32)
    clear = fit(signal.astype(np.float32), labels, folds, nothing, np.ones(CLASSES))
    noise = np.hstack([own, rng.normal(0, 1, (300, 40))]).astype(np.float32)
    blurred = fit(noise, labels, folds, nothing, np.ones(CLASSES))
    assert clear.strength > blurred.strength
    assert len(clear.loss) == len(STRENGTHS)
    assert clear.loss[-1] < clear.loss[0]


def test_rare_classes_count_more_where_they_are_weighted():
    """A class of weight 0 is never learnt."""
    values, labels = faces(90, 6)
    nothing, folds = np.zeros((90, CLASSES), np.float32), np.zeros(90, np.int64)
    head = fit(values, labels, folds, nothing, np.array([1.0, 1.0, 0.0]))
    assert (head.logits(values, nothing).argmax(1) != 2).all()
