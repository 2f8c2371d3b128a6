"""The emotion test: scores against scikit-learn, undefined values, baseline, JSON."""

import json

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import classification_report, confusion_matrix

from emorank.evaluation import Classification, classification

CLASSES = ("anger", "fear", "happy", "neutral")


def score(truth, predicted, **options) -> Classification:
    options = {"rng": np.random.default_rng(0), "resamples": 50, **options}
    return classification(truth, predicted, CLASSES, **options)


@given(st.lists(st.tuples(st.sampled_from(CLASSES), st.sampled_from(CLASSES)), min_size=1))
def test_scores_equal_scikit_learn(pairs):
    """Confusion matrix and every defined per-class score equal the library's report."""
    truth, predicted = map(list, zip(*pairs, strict=True))
    result = score(truth, predicted)
    expected = confusion_matrix(truth, predicted, labels=CLASSES)
    np.testing.assert_array_equal(result.confusion, expected)
    report = classification_report(
        truth, predicted, labels=CLASSES, output_dict=True, zero_division=0
    )
    assert result.accuracy.value == np.mean(np.array(truth) == np.array(predicted))
    for row in result.per_class:
        theirs = report[row.label]
        assert row.support == theirs["support"]
        assert (row.recall is None) == (row.f1 is None) == (row.support == 0)
        assert (row.precision is None) == (row.label not in predicted)
        assert bool(row.reason) == (row.recall is None or row.precision is None)
        for name in ("precision", "recall"):
            if getattr(row, name) is not None:
                np.testing.assert_allclose(getattr(row, name), theirs[name], rtol=1e-12)
        if row.f1 is not None:
            np.testing.assert_allclose(row.f1, theirs["f1-score"], rtol=1e-12)


def test_an_empty_class_is_undefined_not_zero():
    """A class without images has no recall, a class never predicted no precision."""
    result = score(["anger", "fear"], ["anger", "anger"])
    rows = {row.label: row for row in result.per_class}
    assert rows["happy"].precision is rows["happy"].recall is rows["happy"].f1 is None
    assert rows["happy"].reason == "no image of this class, never predicted"
    assert rows["fear"].precision is None
    assert rows["fear"].recall == rows["fear"].f1 == 0.0
    np.testing.assert_allclose(result.balanced_accuracy.value, 0.5)


def test_the_baseline_is_the_majority_of_the_train_part():
    """The class most frequent in training is scored on the test part; else the test's own."""
    truth = ["anger", "anger", "fear", "happy"]
    own = score(truth, truth).baseline
    assert (own.label, own.source, own.accuracy.value) == ("anger", "test", 0.5)
    trained = score(truth, truth, majority="happy").baseline
    assert (trained.label, trained.source, trained.accuracy.value) == ("happy", "train", 0.25)
    with pytest.raises(ValueError, match="'joy' is not among"):
        score(truth, truth, majority="joy")


def test_unknown_truth_is_left_out_and_counted():
    """Images without a true class are not scored; persons stay aligned with the others."""
    truth = pd.Series(["anger", pd.NA, "fear", "happy"], dtype="string", index=[9, 8, 7, 6])
    result = score(truth, ["anger", "fear", "fear", "fear"], persons=["p", "q", "p", pd.NA])
    assert (result.count, result.unlabelled, result.persons) == (3, 1, 2)
    assert result.accuracy_over_persons.method == "bootstrap over 2 persons, 50 resamples"
    np.testing.assert_allclose(result.accuracy.value, 2 / 3)


def test_persons_that_are_all_unknown_are_no_persons():
    """A column of missing persons is the same as none: the images are drawn again."""
    result = score(["anger", "fear"], ["anger", "fear"], persons=[pd.NA, None])
    assert result.persons is None
    assert "2 images" in result.accuracy_over_persons.method


def test_no_images_at_all():
    """Nothing tested gives an empty record with reasons, not an exception."""
    result = score([], [])
    assert result.count == 0
    assert result.accuracy.value is result.macro_f1.value is result.baseline is None
    assert result.accuracy_over_persons.reason == "no images"


def test_strangers_are_refused():
    """A class outside the list is named; so are sequences of different length."""
    with pytest.raises(ValueError, match="true class 'joy'"):
        score(["joy"], ["anger"])
    with pytest.raises(ValueError, match="predicted class 'joy'"):
        score(["anger"], ["joy"])
    with pytest.raises(ValueError, match="2 true classes but 1"):
        score(["anger", "fear"], ["anger"])


def test_the_record_is_json_and_comes_back():
    """The record survives JSON, with undefined values as null."""
    result = score(["anger", "fear"], ["anger", "anger"], persons=["p", "q"])
    text = json.dumps(msgspec.to_builtins(result), allow_nan=False)
    assert msgspec.convert(json.loads(text), Classification) == result
