"""What links begin with."""

import pytest

from emorank.errors import RatingError
from emorank.room.address import base_address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8321", "http://127.0.0.1:8321"),
        ("https://Rate.example.org/", "https://rate.example.org"),
        ("https://rate.example.org:443", "https://rate.example.org"),
        ("http://rate.example.org:443", "http://rate.example.org:443"),
        ("http://somebody:secret@host:80", "http://host"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://host:0", "https://host:0"),
    ],
)
def test_addresses_as_browsers_write_them(url, address):
    """No user, no usual port, lower case."""
    assert base_address(url) == address


@pytest.mark.parametrize(
    "url", ["", "rate.example.org", "ftp://host", "http://", "http://host/path", "http://host:99999",
            "http://[::1", "http://host:x", "//host"],
)  # fmt: skip
def test_what_is_no_address_is_refused(url):
    """With what is expected."""
    with pytest.raises(RatingError, match="expected http://HOST or https://HOST"):
        base_address(url)
