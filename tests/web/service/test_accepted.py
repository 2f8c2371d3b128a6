"""Which of some types a client would rather have."""

import pytest

from emorank.web.service.accepted import accepted

OFFERED = ("image/png", "application/x-npz")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", "image/png"),
        ("*/*", "image/png"),
        ("application/x-npz", "application/x-npz"),
        ("APPLICATION/X-NPZ", "application/x-npz"),
        ("application/*", "application/x-npz"),
        ("image/png;q=0.5, application/x-npz", "application/x-npz"),
        ("*/*, image/png;q=0", "application/x-npz"),
        ("image/*;q=0.2, */*;q=0.1", "image/png"),
        ("text/html, image/png; q=0.01", "image/png"),
        ("text/html", None),
        ("image/png;q=0", None),
        ("image/png;q=much", None),
        (", ;;, =", None),
    ],
)
def test_what_is_wanted_most(header, expected):
    """By RFC 9110: quality, the more specific first; of equals the first that is offered."""
    assert accepted(header, OFFERED) == expected
