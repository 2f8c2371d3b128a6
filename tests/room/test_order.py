"""A rater's own permutation: every image once, some a second time well after the first."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorank.room.order import showing_order

EMOTIONS = st.lists(st.sampled_from(["anger", "fear", "happy", "sadness"]), max_size=120)


@given(EMOTIONS, st.integers(0, 99), st.sampled_from(["emotion", "mixed"]), st.floats(0, 0.3))
def test_every_image_once_and_repeats_after_it(emotions, seed, ordering, share):
    """All images, each repeat once and after its first showing, no more than asked for."""
    order = showing_order(emotions, np.random.default_rng(seed), ordering, share)
    firsts = [image for image, repeat in order if not repeat]
    repeats = [image for image, repeat in order if repeat]
    assert sorted(firsts) == list(range(len(emotions)))
    assert len(set(repeats)) == len(repeats) <= round(share * len(emotions))
    for image in repeats:
        assert order.index((image, False)) < order.index((image, True))


@given(EMOTIONS, st.integers(0, 99), st.sampled_from(["emotion", "mixed"]))
def test_a_third_of_the_class_lies_between(emotions, seed, ordering):
    """Between both showings are at least a third of the images of the class (or of all)."""
    order = showing_order(emotions, np.random.default_rng(seed), ordering, 0.3)
    for image in {image for image, repeat in order if repeat}:
        size = emotions.count(emotions[image]) if ordering == "emotion" else len(emotions)
        between = order[order.index((image, False)) + 1 : order.index((image, True))]
        assert sum(not repeat for _, repeat in between) >= size // 3


@given(EMOTIONS, st.integers(0, 99))
def test_classes_stay_together(emotions, seed):
    """By emotion class, repeats included: each class is one run."""
    words = [emotions[i] for i, _ in showing_order(emotions, np.random.default_rng(seed))]
    runs = [word for i, word in enumerate(words) if i == 0 or words[i - 1] != word]
    assert len(runs) == len(set(emotions))


def test_five_per_cent_come_twice():
    """336 images: 17 repeats by default, none when switched off."""
    emotions = ["happy", "fear", "anger"] * 112
    rng = np.random.default_rng(3)
    assert sum(repeat for _, repeat in showing_order(emotions, rng)) == 17
    assert not any(repeat for _, repeat in showing_order(emotions, rng, "mixed", 0))


@pytest.mark.parametrize("ordering", ["emotion", "mixed"])
def test_raters_differ_and_a_seed_is_an_order(ordering):
    """Two raters see two orders; the same seed gives the same one."""
    emotions = ["happy", "fear"] * 20
    orders = [
        showing_order(emotions, np.random.default_rng([0, rater]), ordering) for rater in (1, 2, 1)
    ]
    assert orders[0] == orders[2] != orders[1]
