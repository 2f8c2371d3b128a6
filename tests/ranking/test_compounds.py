"""Compounds: the table is whole, and shares and levels obey what a mixture has to obey."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from emorank.ranking.compounds import (
    COMPOUNDS,
    DU,
    MDNS,
    RULES,
    compounds_of,
    expressed_emotions,
    shares,
    weaker_level,
)
from emorank.vocabulary import Emotion

CLASSES = tuple(Emotion)
BASIC = [e for e in Emotion if e not in (Emotion.NEUTRAL, Emotion.CONTEMPT)]
MDNS_COLUMNS = (
    *("cruelty", "outrage", "dread", "contempt", "betrayal"),
    *("amazement", "desperation", "morbidness", "hopeful", "spooked"),
    *("unbelief", "disappointment", "horror", "devastation", "remorse"),
)
weights = arrays(float, (5, len(CLASSES)), elements=st.floats(1e-6, 1))


def row(**probabilities):
    """One face's probabilities; the rest is shared by the other classes."""
    rest = (1 - sum(probabilities.values())) / (len(CLASSES) - len(probabilities))
    return np.array([[probabilities.get(e.value, rest) for e in CLASSES]])


def test_every_pair_of_six_has_one_name():
    """Fifteen pairs, each once, under names of their own; the order is that of MDNS."""
    assert {frozenset(c.parts) for c in COMPOUNDS} == set(map(frozenset, combinations(BASIC, 2)))
    assert len({c.name for c in COMPOUNDS}) == len(COMPOUNDS) == 15
    named = [[name for name, who in c.also if who == MDNS] for c in COMPOUNDS]
    assert named == [[name] for name in MDNS_COLUMNS]
    order = ("anger", "happy", "surprise", "fear", "disgust", "sadness")
    assert [set(c.parts) for c in COMPOUNDS] == [set(pair) for pair in combinations(order, 2)]


def test_the_papers_pride_is_there():
    """Section V: pride is a combination of happiness and surprise."""
    pride = [c.name for c in COMPOUNDS if ("pride", "the paper") in c.also]
    assert pride == ["happily surprised"]
    assert {c.name for c in COMPOUNDS if DU in dict(map(reversed, c.also))} == {
        "angrily disgusted",
        "fearfully surprised",
    }


@given(weights)
def test_shares_are_bounded(drawn):
    """Between 0 and what the two parts have together; the order of the classes does not matter."""
    probabilities = drawn / drawn.sum(1, keepdims=True)
    found = shares(probabilities, CLASSES)
    column = {e: i for i, e in enumerate(CLASSES)}
    for j, compound in enumerate(compounds_of(CLASSES)):
        first, second = (probabilities[:, column[part]] for part in compound.parts)
        np.testing.assert_allclose(found[:, j], 2 * np.sqrt(first * second))
        assert (found[:, j] <= first + second + 1e-12).all()
    backwards = shares(probabilities[:, ::-1], CLASSES[::-1])
    np.testing.assert_array_equal(found, backwards)


@given(st.floats(0, 1), st.floats(0, 1))
def test_rules_are_means_in_their_order(first, second):
    """Symmetric, between the parts, and min ≤ harmonic ≤ geometric ≤ arithmetic ≤ max."""
    a, b = np.array([first]), np.array([second])
    order = ("minimum", "harmonic", "geometric", "arithmetic", "maximum")
    values = [RULES[name](a, b)[0] for name in order]
    assert (np.diff(values) >= -1e-9).all()
    np.testing.assert_array_equal(values, [RULES[name](b, a)[0] for name in order])


def test_an_even_half_each_is_whole():
    """Two emotions with a half each share the face wholly; one alone shares it with nobody."""
    happily_surprised = [c.name for c in compounds_of(CLASSES)].index("happily surprised")
    found = shares(row(happy=0.5, surprise=0.5), CLASSES)[0]
    assert found[happily_surprised] == pytest.approx(1)
    assert np.delete(found, happily_surprised) == pytest.approx(0)
    assert shares(row(happy=1.0), CLASSES) == pytest.approx(0)


def test_expressed_is_more_than_chance_and_neutral():
    """An emotion that neutral outweighs is not expressed, nor one that chance would give."""
    there = expressed_emotions(row(happy=0.5, surprise=0.3, anger=0.125), CLASSES)[0]
    assert [e for e, yes in zip(CLASSES, there, strict=True) if yes] == ["happy", "surprise"]
    assert not expressed_emotions(row(happy=0.3, neutral=0.4), CLASSES).any()
    assert not expressed_emotions(np.full((1, len(CLASSES)), 1 / len(CLASSES)), CLASSES).any()


def test_chance_decides_where_there_is_no_neutral():
    """More than 1/classes, not as much; each face is judged by its own probability of neutral."""
    classes = (Emotion.ANGER, Emotion.FEAR, Emotion.HAPPY, Emotion.SADNESS)
    there = expressed_emotions(np.array([[0.3, 0.26, 0.25, 0.19]]), classes)
    assert there.tolist() == [[True, True, False, False]]
    classes = (Emotion.ANGER, Emotion.FEAR, Emotion.NEUTRAL)
    there = expressed_emotions(np.array([[0.45, 0.45, 0.1], [0.42, 0.0, 0.58]]), classes)
    assert there.tolist() == [[True, True, False], [False, False, False]]


def test_a_network_without_two_emotions_knows_no_compound():
    """Happy against neutral has nothing to mix."""
    classes = (Emotion.HAPPY, Emotion.NEUTRAL)
    assert compounds_of(classes) == ()
    assert shares(np.array([[0.5, 0.5]]), classes).shape == (1, 0)


def test_the_weaker_part_decides():
    """None with anything is None."""
    np.testing.assert_array_equal(
        weaker_level(np.array([0, 1, 3]), np.array([3, 2, 2])), np.array([0, 1, 2])
    )
