"""The scales of rating projects."""

import pytest

from emorank.answers.scales import FOUR, SCALES, THREE, scale_of
from emorank.errors import RatingError


def test_each_scale_knows_its_answers():
    """Words, and numbers of them."""
    four, slider, pairs = scale_of("four"), scale_of("slider"), scale_of("pairs")
    assert scale_of("three") == THREE
    assert [scale_of(name).name for name in SCALES] == list(SCALES)
    assert four.words == (*FOUR, "None", "Skip")
    assert [four.number(word) for word in four.words] == [1, 2, 3, 4, None, None]
    assert [slider.admits(word) for word in ("0", "100", "101", "-1", "5.5", "None", "٣")] == [
        True, True, False, False, False, True, False,
    ]  # fmt: skip
    assert slider.number("57") == 57
    assert slider.number("None") is None
    assert not pairs.admits("Tie")
    assert not pairs.admits("None")
    assert scale_of("pairs", ties=True).admits("Tie")
    assert not THREE.admits("5")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("five",), "'five' is no scale"),
        (("three", ("a", "b", "c", "d")), "names of levels are for the scale of four"),
        (("four", ("a", "b", "c")), "expected four different names"),
        (("four", ("a", "b", "c", "A")), "expected four different names"),
        (("four", ("a", "b", "c", "none")), "none of them None or Skip"),
        (("four", ("a", "b", "c", " ")), "expected four different names"),
        (("four", ("a", "b", "c", "d" * 41)), "at most 40"),
        (("four", ("a", "b", "c", "d\n2")), "printable"),
        (("slider", (), True), "ties are for pairs"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, says):
    """Before a project is made."""
    with pytest.raises(RatingError, match=says):
        scale_of(*arguments)
