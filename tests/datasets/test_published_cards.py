"""The cards of published data sets: numbers of images, and whether faces are cropped."""

import pytest

from emorank.datasets import ADAPTERS, sample
from emorank.datasets.fer2013 import FERPLUS

# anger, contempt, disgust, fear, happy, sadness, surprise, neutral, as their authors publish them
COUNTS = {
    "jaffe": (30, None, 29, 32, 31, 31, 30, 30),
    "ckplus": (135, 54, 177, 75, 207, 84, 249, None),
    "kdef": (140, None, 140, 140, 140, 140, 140, 140),
    "affectnet": (25_382, 4_249, 4_303, 6_878, 134_915, 25_959, 14_590, 75_374),
    "fer2013": (4_953, None, 547, 5_121, 8_989, 6_077, 4_002, 6_198),
    "rafdb": (867, None, 877, 355, 5_957, 2_460, 1_619, 3_204),
}
CROPPED = {"ckplus", "affectnet", "fer2013", "rafdb"}
ORDER = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise", "neutral")


@pytest.mark.parametrize("name", ADAPTERS)
def test_numbers_and_framing_of_published_sets(name):
    """By emotion; sets of anybody's own have no published number."""
    card = ADAPTERS[name].CARD
    expected = COUNTS.get(name)
    if expected is None:
        assert card.counts is None
    else:
        known = zip(ORDER, expected, strict=True)
        assert dict(card.counts) == {word: count for word, count in known if count is not None}
    assert card.cropped == (name in CROPPED)
    assert not card.simulated
    assert not card.aligned


def test_labels_of_ferplus_have_no_published_number():
    """It depends on the rule that makes a label of votes."""
    assert FERPLUS.counts is None
    assert FERPLUS.cropped


def test_the_sample_is_rendered_and_aligned():
    """So a network that learnt from it is shown aligned faces."""
    assert sample.CARD.simulated
    assert sample.CARD.aligned
    assert sample.CARD.cropped
