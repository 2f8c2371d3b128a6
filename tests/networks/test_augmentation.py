"""Views of a face: known ones first, jittered ones that are the same every time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorank.networks.augmentation import LIGHT, view

DIGEST = "0123456789abcdef" * 4


@pytest.fixture(scope="module")
def face():
    """White on the left, dark on the right, with some texture."""
    image = np.random.default_rng(0).integers(20, 60, (64, 64, 3), dtype=np.uint8)
    image[:, :32] += 160
    return image


def test_the_first_views_are_the_image_and_its_mirror(face):
    """View 0 is what is tested on; view 1 differs by nothing but left and right."""
    np.testing.assert_array_equal(view(face, 0, DIGEST), face)
    np.testing.assert_array_equal(view(face, 1, DIGEST), face[:, ::-1])


@given(
    number=st.integers(0, 63),
    digest=st.text("0123456789abcdef", min_size=64, max_size=64),
    side=st.integers(32, 80),
)
def test_a_view_depends_on_number_and_digest_alone(number, digest, side):
    """The same view twice is equal, of the image's shape and type, and leaves the image alone."""
    image = np.random.default_rng(side).integers(0, 256, (side, side, 3), dtype=np.uint8)
    before = image.copy()
    first = view(image, number, digest)
    np.testing.assert_array_equal(view(image, number, digest), first)
    np.testing.assert_array_equal(image, before)
    assert (first.shape, first.dtype) == ((side, side, 3), np.uint8)


@pytest.mark.parametrize("number", range(2, 12))
def test_odd_views_are_mirrored(face, number):
    """Bright stays left in even views and goes right in odd ones."""
    found = view(face, number, DIGEST).astype(float)
    left, right = found[:, :28].mean(), found[:, 36:].mean()
    assert (left > right) == (number % 2 == 0)


def test_views_differ(face):
    """Another number or another digest gives another view."""
    views = [view(face, number, DIGEST) for number in (2, 4, 6)]
    views.append(view(face, 2, DIGEST[::-1]))
    for i, one in enumerate(views):
        assert not any(np.array_equal(one, other) for other in views[:i])


@pytest.mark.parametrize("number", range(2, 12))
def test_no_border_tells_a_view_apart(number):
    """A plain image stays plain to its corners, and within the change of light."""
    found = view(np.full((48, 48, 3), 120, np.uint8), number, DIGEST)
    assert len(np.unique(found)) == 1
    assert abs(int(found[0, 0, 0]) - 120) <= 120 * LIGHT + 1


@pytest.mark.parametrize("number", range(2, 12, 2))
def test_the_face_stays_where_it_is(number):
    """A spot in the middle moves by no more than the documented share of the side."""
    image = np.zeros((100, 100, 3), np.uint8)
    image[46:54, 46:54] = 255
    found = view(image, number, DIGEST)[..., 0].astype(float)
    found -= found.min()
    rows, columns = np.indices(found.shape)
    for axis in (rows, columns):
        assert abs((axis * found).sum() / found.sum() - 49.5) <= 4 * 1.08 + 0.5
