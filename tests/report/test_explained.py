"""The picture of an explanation: it says what was explained, and relevance is not changed by it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.report.test_figures import words

from emorank import heatmaps
from emorank.errors import PlanError
from emorank.reading.explanations import Explanation
from emorank.report import figures, style
from emorank.report.explained import draw_classes, draw_explanation, verdict


def explained(maps=("epsilon",), target=0, labels=None, logits=(2.0, -1.0)) -> Explanation:
    random = np.random.default_rng(0)
    drawn = {name: random.normal(size=(3, 24, 24)).astype(np.float32) for name in maps}
    pixels = random.integers(0, 256, (24, 24, 3), dtype=np.uint8)
    return Explanation(
        Path("a.png"), 1, pixels, drawn, target, np.array(logits, np.float32), labels
    )


def test_the_verdict_names_class_logit_and_probability():
    """1 / (1 + e^-3) = 0.95; the predicted class is named where another is explained."""
    assert verdict(explained()) == "class 0, logit 2.00, probability 0.95"
    other = explained(target=1, labels=("cat", "dog"))
    assert (
        verdict(other) == "dog (class 1), logit −1.00, probability 0.05, predicted: cat (class 0)"
    )
    assert verdict(explained(logits=(2.0,))) == "class 0, logit 2.00"
    assert len(verdict(explained(labels=("x" * 5000, "y")))) < 100


def test_the_verdict_says_what_of_the_class_is_explained():
    """A difference with the other class, a probability, a start of one's own."""
    one = explained(labels=("cat", "dog"))
    assert (
        verdict(replace(one, kind="difference", against=1))
        == "cat (class 0) against dog (class 1), logit difference 3.00"
    )
    swapped = replace(one, kind="difference", target=1, against=0)
    assert verdict(swapped).endswith("difference −3.00, predicted: cat (class 0)")
    assert verdict(replace(one, kind="probability")) == (
        "probability 0.95 of cat (class 0), logit 2.00"
    )
    assert verdict(replace(one, kind="own")) == "a target of your own, predicted: cat (class 0)"


def test_every_class_has_a_tile_on_one_scale(monkeypatch):
    """The class, its logit and probability; the note below the verdict; one scale for all."""
    drawn = []
    monkeypatch.setattr(
        "emorank.report.explained.png", lambda figure: drawn.append(words(figure)) or b""
    )
    some = [explained(target=k, labels=("cat", "dog")) for k in range(2)]
    some[1] = replace(some[1], maps={"epsilon": 7 * some[1].maps["epsilon"]})
    draw_classes(some, note="with dense by zero")
    (said,) = drawn
    assert "every class on one scale, epsilon; predicted: cat (class 0)" in said
    assert "with dense by zero" in said
    assert "cat (class 0)\nlogit 2.00, probability 0.95" in said
    assert "dog (class 1)\nlogit −1.00, probability 0.05" in said
    full = heatmaps.scale(some[1].maps["epsilon"].sum(axis=0)).full
    assert said.count(f"darkest from ±{full:.2g}") == 2


def test_what_is_no_picture_of_classes_is_refused():
    """None, too many, several presets."""
    with pytest.raises(PlanError, match="expected 1 to 40 classes for one picture, got 0"):
        draw_classes([])
    with pytest.raises(PlanError, match="got 41; choose one with a target"):
        draw_classes([explained()] * 41)
    with pytest.raises(PlanError, match=r"expected one preset.*got 2"):
        draw_classes([explained(("epsilon", "epsilon-plus"))] * 2)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 9])
def test_every_preset_has_a_tile_with_its_scale(count):
    """Its name, where the colours end, the greatest value, the sum; a single map is laid over."""
    names = [f"preset-{i}" for i in range(count)]
    one = explained(names)
    figure = figures.comparison(one.pixels, one.maps, verdict="Happy", title="a.png")
    said = words(figure)
    assert "a.png\nHappy" in said
    for name, relevance in one.maps.items():
        total = relevance.sum(axis=0)
        assert name in said
        assert f"greatest {np.abs(total).max():.2g}" in said
        assert f"sum {total.sum():+.3g}".replace("-", "−") in said
    assert ("Overlay" in said) == (count == 1)
    shown = [axes for axes in figure.axes if axes.get_visible() and axes.images]
    assert len(shown) == count + (2 if count == 1 else 1)


def test_the_picture_leaves_relevance_alone_and_repeats():
    """Scaling is for the eye: the arrays stay, and the same explanation gives the same bytes."""
    one = explained(("epsilon", "epsilon-plus"))
    before = {name: relevance.copy() for name, relevance in one.maps.items()}
    first = draw_explanation(one)
    assert first.startswith(b"\x89PNG")
    assert draw_explanation(one) == first
    for name, relevance in one.maps.items():
        np.testing.assert_array_equal(relevance, before[name])


def test_hostile_names_and_empty_maps_are_drawn():
    """Dollars, control characters, and a map without relevance."""
    one = explained(labels=("$x^{$\x1b[2J", "b"))
    blank = {"epsilon": np.zeros((3, 24, 24), np.float32)}
    figure = figures.comparison(one.pixels, blank, verdict=verdict(one), title="\x1b[2J$")
    assert style.png(figure)
    assert "\x1b" not in words(figure)
