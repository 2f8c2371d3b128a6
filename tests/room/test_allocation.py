"""Overlap designs: who rates what, and what is guaranteed of it."""

from collections import Counter
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorank.errors import RatingError
from emorank.room.allocation import allocate, allocate_late, units_per_rater

SEEDS = st.integers(0, 999)


@st.composite
def demands(draw):
    """Emotions and persons of some faces, a number of raters, and of faces for each."""
    faces = draw(st.integers(1, 40))
    emotions = draw(st.lists(st.sampled_from("abcdef"), min_size=faces, max_size=faces))
    someone = st.sampled_from(["ann", "ben", "cleo", None])
    persons = draw(st.lists(someone, min_size=faces, max_size=faces))
    return emotions, persons, draw(st.integers(1, 12)), draw(st.integers(1, faces))


@given(demands(), SEEDS)
def test_faces_raters_and_emotions_are_balanced(demand, seed):
    """Each rater n faces, each emotion its share, each face equally many raters or one more."""
    emotions, persons, raters, per_rater = demand
    hands = allocate(emotions, persons, raters, per_rater, np.random.default_rng(seed))
    assert len(hands) == raters
    total = len(emotions)
    for hand in hands:
        assert len(hand) == len(set(hand)) == per_rater
        mine = Counter(emotions[face] for face in hand)
        for emotion, size in Counter(emotions).items():
            share = per_rater * size / total
            assert floor(share + 1e-9) <= mine[emotion] <= ceil(share - 1e-9)
    seen = Counter(face for hand in hands for face in hand)
    lowest, highest = raters * per_rater // total, -(-raters * per_rater // total)
    assert all(lowest <= seen[face] <= highest for face in range(total))
    assert hands == allocate(emotions, persons, raters, per_rater, np.random.default_rng(seed))


@given(demands(), SEEDS)
def test_a_late_rater_gets_what_has_the_fewest_answers(demand, seed):
    """No face of an emotion is left out that has fewer answers than one that was given."""
    emotions, persons, _, per_rater = demand
    rng = np.random.default_rng(seed)
    answers = rng.integers(0, 4, len(emotions)).tolist()
    hand = allocate_late(emotions, persons, answers, per_rater, rng)
    assert len(set(hand)) == per_rater
    for emotion in set(emotions):
        mine = [answers[face] for face in hand if emotions[face] == emotion]
        others = [answers[i] for i, e in enumerate(emotions) if e == emotion and i not in hand]
        assert max(mine, default=0) <= min(others, default=9)


def test_raters_see_many_persons():
    """Twelve persons with two emotions each, six faces a rater: nearly six (chance: 5.25)."""
    emotions = ["happy", "fear"] * 12
    persons = [f"p{i // 2}" for i in range(24)]
    numbers = [
        len({persons[face] for face in hand})
        for seed in range(40)
        for hand in allocate(emotions, persons, 4, 6, np.random.default_rng(seed))
    ]
    assert np.mean(numbers) > 5.6


def test_raters_are_linked():
    """Ten faces, five for each of six raters: no two groups of raters without a face in common."""
    for seed in range(20):
        hands = allocate(["happy"] * 10, [None] * 10, 6, 5, np.random.default_rng(seed))
        group = set(hands[0])
        for _ in hands:
            group |= {face for hand in hands if group & set(hand) for face in hand}
        assert len(group) == 10


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ((10, 3, None, 4), "4 raters for each face, but there are 3"),
        ((10, 3, 11, None), "11 faces for each rater, but there are 10"),
        ((10, 3, 3, None), r"give 9 answers, but 10 faces with 1 each need 10.* from 4 on, or 4"),
        ((10, 4, 4, 2), r"give 16 answers, but 10 faces with 2 each need 20.* from 5 on, or 5"),
    ],
)
def test_what_does_not_add_up_is_refused(asked, says):
    """With the arithmetic, and what would do."""
    with pytest.raises(RatingError, match=says):
        units_per_rater(*asked)


def test_the_numbers_that_just_do():
    """One demand alone decides the other; none is all faces."""
    assert units_per_rater(10, 4, 5, 2) == 5
    assert units_per_rater(10, 4, None, 2) == 5
    assert units_per_rater(11, 4, None, 2) == 6
    assert units_per_rater(10, 4, 3, None) == 3
    assert units_per_rater(10, 4, None, None) is None
    assert units_per_rater(10, 4, 10, 4) == 10
