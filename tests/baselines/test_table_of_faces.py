"""Descriptors are computed once, by content, and go with their faces."""

from dataclasses import replace

import numpy as np
import pytest

from emorank.baselines.descriptors import DESCRIPTORS


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_descriptors_are_of_the_picture(name, table):
    """Finite, of one length, the same after the cache as fresh, and different between pictures."""
    faces, _ = table
    some = faces.take([3, 0, 2])
    found = some.descriptor(name)
    for row, picture in enumerate((3, 0, 2)):
        np.testing.assert_array_equal(found[row], DESCRIPTORS[name](faces.pixels(picture)))
    assert np.isfinite(found).all()
    assert abs(found[0] - found[1]).max() > 0.01


def test_what_is_kept_is_not_computed_again(table):
    """Pixels are read for the length only once all are described."""
    faces, _ = table
    faces.descriptor("hog")
    asked = []

    def pixels(row):
        asked.append(row)
        return faces.pixels(row)

    replace(faces, pixels=pixels).descriptor("hog")
    assert len(asked) <= 1


def test_a_blind_table_has_no_emotions(table):
    """All else stays."""
    faces, _ = table
    blind = faces.blind()
    assert set(blind.emotion) == {None}
    assert (blind.person == faces.person).all()


def test_no_faces_no_descriptors(table):
    """Nothing to describe is a mistake of the caller's."""
    faces, _ = table
    with pytest.raises(ValueError, match="at least one face"):
        faces.take([]).descriptor("hog")
