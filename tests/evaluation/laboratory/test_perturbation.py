"""Changes of pictures that do not change the expression."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from emorank.evaluation.laboratory import perturbation
from emorank.evaluation.laboratory.controls import CONTROLS
from emorank.evaluation.laboratory.perturbation import CHANGES

PICTURES = arrays.arrays(
    np.uint8,
    st.tuples(st.integers(4, 20), st.integers(4, 20), st.just(3)),
    elements=st.integers(0, 255),
)


def smooth(side=64):
    """A picture as soft as a face: colours that change over many pixels."""
    y, x = np.mgrid[:side, :side] / side
    planes = (np.sin(3 * x + y), np.cos(2 * y), x * y)
    return np.stack([128 + 100 * p for p in planes], axis=-1).astype(np.uint8)


@given(PICTURES)
def test_the_mirror_of_a_mirror_is_the_picture(rgb):
    """Mirroring twice gives the picture, mirroring once swaps its edges."""
    once = perturbation.mirrored(rgb)
    np.testing.assert_array_equal(perturbation.mirrored(once), rgb)
    np.testing.assert_array_equal(once[:, 0], rgb[:, -1])


@given(PICTURES, st.integers(-3, 3), st.integers(-3, 3))
def test_a_shift_and_back_leaves_the_inside(rgb, down, right):
    """All but a border as wide as the shift is the same again."""
    moved = perturbation.shifted(rgb, down, right)
    assert moved.shape == rgb.shape
    back = perturbation.shifted(moved, -down, -right)
    inside = (
        slice(abs(down), rgb.shape[0] - abs(down)),
        slice(abs(right), rgb.shape[1] - abs(right)),
    )
    np.testing.assert_array_equal(back[inside], rgb[inside])


def test_a_shift_moves_to_where_it_says():
    """Down is down, right is right."""
    rgb = np.zeros((9, 9, 3), np.uint8)
    rgb[4, 4] = 255
    assert perturbation.shifted(rgb, 2, 0)[6, 4, 0] == 255
    assert perturbation.shifted(rgb, 0, -2)[4, 2, 0] == 255


@given(PICTURES, PICTURES)
def test_a_dissolve_begins_and_ends_with_the_pictures(one, other):
    """The middle lies between the two; pictures of different size are refused."""
    if one.shape != other.shape:
        with pytest.raises(ValueError, match="one size"):
            perturbation.dissolved(one, other, 0.5)
        return
    np.testing.assert_array_equal(perturbation.dissolved(one, other, 0), one)
    np.testing.assert_array_equal(perturbation.dissolved(one, other, 1), other)
    half = perturbation.dissolved(one, other, 0.5)
    assert (half >= np.minimum(one, other)).all()
    assert (half <= np.maximum(one, other)).all()


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_changes_little(name):
    """The result has the size and type of the picture, differs from it, and only a little."""
    rgb = smooth()
    before = rgb.copy()
    after = CHANGES[name](rgb)
    assert after.shape == rgb.shape
    assert after.dtype == np.uint8
    assert after.flags.c_contiguous
    assert not np.array_equal(after, rgb)
    np.testing.assert_array_equal(rgb, before)
    unturned = perturbation.mirrored(after) if name == "mirror" else after
    assert abs(unturned.astype(float) - rgb).mean() < 20


def test_resizing_keeps_the_middle():
    """A square in the middle stays in the middle and grows by the factor."""
    rgb = np.zeros((65, 65, 3), np.uint8)
    rgb[28:37, 28:37] = 255
    for factor in (0.9, 1.1):
        after = perturbation.resized(rgb, factor).astype(float)[..., 0]
        rows = (after.sum(1) * np.arange(65)).sum() / after.sum()
        assert rows == pytest.approx(32, abs=0.05)
        assert after.sum() / rgb[..., 0].sum() == pytest.approx(factor**2, rel=0.03)


def test_brightness_is_the_luma():
    """White is 255; green is brighter than red, red than blue."""
    assert perturbation.brightness(np.full((4, 4, 3), 255, np.uint8)) == pytest.approx(255)
    red, green, blue = (
        np.eye(3, dtype=np.uint8)[i] * np.ones((4, 4, 1), np.uint8) * 100 for i in range(3)
    )
    assert (
        perturbation.brightness(green)
        > perturbation.brightness(red)
        > perturbation.brightness(blue)
    )
    assert perturbation.brightness(perturbation.brightened(green, 1.1)) == pytest.approx(
        64.57, abs=0.1
    )


def test_controls_are_what_they_say():
    """A constant, a number that depends on the picture alone, the brightness; levels are thirds."""
    rng = np.random.default_rng(0)
    pixels = [rng.integers(0, 255, (8, 8, 3)).astype(np.uint8) for _ in range(300)]
    found = {name: control(pixels) for name, control in CONTROLS.items()}
    assert found["constant"]["score"].nunique() == 1
    assert set(found["constant"]["level"]) == {2}
    again = CONTROLS["random"](pixels[::-1])["score"].to_numpy()[::-1]
    np.testing.assert_array_equal(again, found["random"]["score"])
    assert found["random"]["score"].nunique() == 300
    assert found["random"]["level"].value_counts().min() > 70
    digest = hashlib.sha256(pixels[0].tobytes()).digest()
    assert found["random"]["score"][0] == int.from_bytes(digest[:8]) / 256**8
    assert found["constant"]["score"][0] == 0.5
    white, black = np.full((4, 4, 3), 255, np.uint8), np.zeros((4, 4, 3), np.uint8)
    assert CONTROLS["brightness"]([black, white])["level"].to_list() == [1, 3]
    greys = [np.full((4, 4, 3), value, np.uint8) for value in (84, 86, 169, 171)]
    bright = CONTROLS["brightness"](greys)
    assert bright["level"].to_list() == [1, 2, 2, 3]
    assert bright["score"][0] == pytest.approx(84 / 255)


def test_the_changes_are_those_of_the_documentation():
    """Direction, distance, factor and quality of each, against the functions."""
    rgb = smooth()
    for name, after in {
        "2 px left": perturbation.shifted(rgb, 0, -2),
        "2 px right": perturbation.shifted(rgb, 0, 2),
        "2 px up": perturbation.shifted(rgb, -2, 0),
        "2 px down": perturbation.shifted(rgb, 2, 0),
        "10 % darker": np.rint(rgb * 0.9).astype(np.uint8),
        "10 % brighter": np.rint(np.minimum(rgb * 1.1, 255)).astype(np.uint8),
        "JPEG, quality 60": perturbation.recompressed(rgb, 60),
        "1 % larger": perturbation.resized(rgb, 1.01),
        "2 % smaller": perturbation.resized(rgb, 0.98),
    }.items():
        np.testing.assert_array_equal(CHANGES[name](rgb), after, err_msg=name)
