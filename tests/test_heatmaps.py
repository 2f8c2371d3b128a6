"""Colours of relevance: zero is white, blue below, red above, symmetric."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from emorank import heatmaps


@given(st.floats(1e-12, 1e12), st.floats(0, 2))
def test_sign_decides_the_side(full, share):
    """Zero is exactly white; positive values are red, negative ones blue, on any scale."""
    plane = np.array([[0.0, share * full, -share * full]])
    white, red, blue = heatmaps.colours(plane, full)[0].astype(int)
    assert white.tolist() == [255, 255, 255]
    assert red[0] >= red[2]
    assert blue[2] >= blue[0]
    if share > 0.05:
        assert red[0] > red[2]
        assert blue[2] > blue[0]


def test_more_relevance_is_never_brighter():
    """From zero outwards the colours darken on both sides, and stay at the end of the scale."""
    ramp = heatmaps.colours(np.linspace(0, 1, 101)[None], 1.0)[0].astype(float)
    for side in (ramp, heatmaps.colours(-np.linspace(0, 1, 101)[None], 1.0)[0].astype(float)):
        assert (np.diff(side @ [0.299, 0.587, 0.114]) <= 1).all()
    beyond = heatmaps.colours(np.array([[1.0, 5.0, -1.0, -5.0]]), 1.0)[0]
    np.testing.assert_array_equal(beyond[0], beyond[1])
    np.testing.assert_array_equal(beyond[2], beyond[3])


def test_scale_states_percentile_and_greatest():
    """The scale ends at the 99.5th percentile of |R| and names the greatest value."""
    relevance = np.linspace(-1000, 500, 3001)
    found = heatmaps.scale(relevance)
    np.testing.assert_allclose(found.greatest, 1000)
    np.testing.assert_allclose(found.full, np.percentile(np.abs(relevance), 99.5))
    assert "1e+03" in str(found)


def test_a_map_of_a_single_value_still_has_a_scale():
    """Where the percentile is zero, the greatest value ends the scale."""
    relevance = np.zeros((3, 20, 20))
    relevance[0, 3, 3] = 7
    assert heatmaps.scale(relevance).full == 7


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_map_without_relevance_is_white(value):
    """All zero or undefined: white, the image in grey as overlay, no warning."""
    image = np.full((4, 4, 3), 90, np.uint8)
    plane = np.full((4, 4), value)
    full = heatmaps.scale(plane).full
    assert (heatmaps.colours(plane, full) == 255).all()
    assert (heatmaps.overlay(image, plane, full) == 90).all()


def test_overlay_shows_the_heatmap_where_it_is_strong():
    """Full relevance hides the image, none leaves it in grey."""
    image = np.full((1, 2, 3), 120, np.uint8)
    found = heatmaps.overlay(image, np.array([[0.0, 1.0]]), 1.0)
    assert found[0, 0].tolist() == [120, 120, 120]
    np.testing.assert_array_equal(found[0, 1], heatmaps.COLOURS[-1])


def test_strip_is_three_pictures():
    """Image, overlay and heatmap lie side by side in one JPEG, the same every time."""
    rng = np.random.default_rng(4)
    image = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    relevance = (rng.standard_normal((3, 32, 32)) ** 3).astype(np.float32)
    data = heatmaps.strip(image, relevance)
    assert data == heatmaps.strip(image, relevance)
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.format == "JPEG"
        assert picture.height == 32
        assert picture.width > 3 * 32


def test_glass_over_the_grey_image_is_the_overlay():
    """A page that lays it over the image shows what the figure shows."""
    random = np.random.default_rng(2)
    image = random.integers(0, 255, (9, 9, 3), np.uint8)
    plane = random.normal(size=(9, 9))
    glass = Image.open(io.BytesIO(heatmaps.png(heatmaps.glass(plane, 1.5))))
    grey = (image @ np.array([0.299, 0.587, 0.114])).round()
    below = Image.fromarray(np.repeat(grey[..., None], 3, axis=2).astype(np.uint8), "RGB")
    seen = np.array(Image.alpha_composite(below.convert("RGBA"), glass).convert("RGB"), int)
    assert np.abs(seen - heatmaps.overlay(image, plane, 1.5)).max() <= 2
