"""The picture of an intensity, and what it says in words."""

import io

import numpy as np
import pytest
from PIL import Image

from emorank.reading.intensity import Intensity
from emorank.report.intensity import draw_intensity, figure
from emorank.vocabulary import LEVELS


def face(level="Strong", score=2.5, lower="Average", upper="Strong", lost=0.0):
    """A face of sixteen pixels."""
    random = np.random.default_rng(0)
    row = {"image": "a.jpg", "face": 1, "expressed": "happy", "rank": level, "score": score}
    row |= {"p_none": 0.0, "p_minimal": 0.1, "p_average": 0.2, "p_strong": 0.7}
    return Intensity(
        random.integers(0, 256, (16, 16, 3), dtype=np.uint8),
        random.standard_normal((3, 16, 16)).astype(np.float32),
        row,
        lower=lower,
        upper=upper,
        odds=score - 2.0,
        thresholds=(-2.0, 0.0, 2.0),
        bias=-0.25,
        lost=lost,
    )


def test_the_question_is_about_the_level_and_its_neighbour():
    """From the level down; None, which has nothing below it, from Minimal."""
    assert face().question == "why Strong and not Average"
    none = face("None", -3.0, lower="None", upper="Minimal")
    assert none.question == "why None and not Minimal"
    assert none.threshold == -2.0
    assert face().threshold == 2.0


def test_the_account_adds_up():
    """Score less threshold, and pixels with biases, are the log-odds; a rest is said if any."""
    assert face().account == (
        "log-odds +0.50 = score +2.50 less threshold +2.00 = pixels +0.75, biases −0.25"
    )
    assert face(lost=0.25).account.endswith("pixels +0.50, biases −0.25, rules and rounding +0.25")


@pytest.mark.parametrize("score", [-40.0, -2.0, 0.1, 2.0, 55.0])
def test_a_picture_for_any_score(score):
    """Also far beyond the outer thresholds; the same bytes every time."""
    one = draw_intensity(face(score=score))
    assert one == draw_intensity(face(score=score))
    with Image.open(io.BytesIO(one)) as image:
        assert min(image.size) > 400


def test_the_picture_says_what_the_record_says():
    """The verdict in its heading, each level with its probability under the axis."""
    page = figure(face())
    heading = "a.jpg\nHappy, Strong: why Strong and not Average"
    assert page.get_suptitle() == f"{heading}\n{face().account}"
    texts = [text.get_text() for axes in page.axes for text in axes.texts]
    for level, share in zip(LEVELS, ("0.00", "0.10", "0.20", "0.70"), strict=True):
        assert f"{level}\n{share}" in texts
    assert "2.50" in texts
