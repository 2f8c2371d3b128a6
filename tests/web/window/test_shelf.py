"""Pictures in memory: only the last ones, only so many bytes, only under random names."""

import numpy as np
import pytest

from emorank.framing import View
from emorank.reading.explanations import Explanation
from emorank.reading.reader import RankedFace
from emorank.vocabulary import Emotion
from emorank.web.window.shelf import ANSWERS, SIDE, Answer, ForgottenError, Shelf, shown

RGB = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
PIXELS = np.zeros((112, 112, 3), np.uint8)
MAP = np.zeros((3, 112, 112), np.float32)


def picture(name="a.png", rgb=RGB, faces=1):
    return shown(name, rgb, [(View(name, k, PIXELS), {"face": k}) for k in range(1, faces + 1)])


def answer():
    face = RankedFace(PIXELS, {})
    return Answer(face, Explanation("a", 1, PIXELS, {"epsilon": MAP}, 0, np.zeros(2)), Emotion.FEAR)


def test_the_picture_that_was_looked_at_longest_ago_goes_first():
    """Two have room: the third takes the place of the one that nobody asked for since."""
    three = [picture() for _ in range(3)]
    shelf = Shelf(int(2.5 * three[0].bytes))
    shelf.put(three[0])
    shelf.put(three[1])
    assert shelf.face(three[0].faces[0].id) is three[0].faces[0]
    shelf.put(three[2])
    assert shelf.picture(three[0].id) is three[0]
    with pytest.raises(ForgottenError):
        shelf.picture(three[1].id)
    with pytest.raises(ForgottenError):
        shelf.face(three[1].faces[0].id)
    assert shelf.bytes == three[0].bytes + three[2].bytes
    shelf.picture(three[0].id)
    shelf.put(three[1])
    assert shelf.picture(three[0].id) is three[0]


def test_answers_count_and_only_the_last_ones_are_kept():
    """The bytes of maps count, and a face keeps so many answers."""
    one, other = picture(), picture()
    shelf = Shelf(2 * one.bytes + 3 * MAP.nbytes)
    shelf.put(one)
    shelf.put(other)
    for number in range(ANSWERS + 2):
        shelf.keep(other.faces[0], number, answer())
    assert shelf.bytes == other.bytes
    assert len(other.faces[0].answers) == ANSWERS
    assert shelf.answered(other.faces[0], 0) is None
    assert shelf.answered(other.faces[0], ANSWERS + 1).against == Emotion.FEAR
    with pytest.raises(ForgottenError):
        shelf.picture(one.id)


def test_a_picture_larger_than_all_is_shown_alone():
    """The last one stays, however large it is; forgetting takes it and its faces."""
    shelf = Shelf(1)
    one = picture(faces=2)
    shelf.put(picture())
    shelf.put(one)
    assert shelf.picture(one.id) is one
    shelf.forget(one.id)
    shelf.forget("nothing")
    assert shelf.bytes == 0
    with pytest.raises(ForgottenError):
        shelf.face(one.faces[1].id)


def test_what_is_shown_is_no_larger_than_a_screen():
    """A large picture is shrunk, its proportions and its own size are kept; names are random."""
    large = picture(rgb=np.zeros((500, 4000, 3), np.uint8))
    assert (large.width, large.height) == (4000, 500)
    from emorank import images

    assert images.decode(large.jpeg, "a").shape == (SIDE // 8, SIDE, 3)
    assert images.decode(picture().jpeg, "a").shape == RGB.shape
    names = {one.id for _ in range(50) for one in picture().faces}
    assert len(names) == 50
    assert all(len(name) >= 20 for name in names)
