"""What links begin with."""

import pytest

from emorank.errors import RatingError
from emorank.room.address import base_address, misses, served_address


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


@pytest.mark.parametrize(
    ("links", "host", "port", "served"),
    [
        ("http://127.0.0.1:8321", "127.0.0.1", None, ("http://127.0.0.1:8321", 8321)),
        ("http://127.0.0.1:8321", "127.0.0.1", 9000, ("http://127.0.0.1:9000", 9000)),
        ("http://localhost:8321", "127.0.0.1", 9000, ("http://localhost:9000", 9000)),
        ("http://127.0.0.1:8321", "::1", None, ("http://[::1]:8321", 8321)),
        ("http://[::1]:8321", "127.0.0.1", None, ("http://127.0.0.1:8321", 8321)),
        ("http://localhost", "127.0.0.1", None, ("http://localhost", 80)),
        ("https://rate.example.org", "127.0.0.1", None, ("https://rate.example.org", 8321)),
        ("https://rate.example.org", "127.0.0.1", 9000, ("https://rate.example.org", 9000)),
        ("http://lab:8400", "192.0.2.7", None, ("http://lab:8400", 8400)),
        ("http://lab:8400", "192.0.2.7", 9000, ("http://lab:8400", 9000)),
    ],
)
def test_links_to_this_machine_follow_the_server(links, host, port, served):
    """To its port and host; other names stay."""
    assert served_address(links, host, port) == served


def test_links_that_miss_the_server():
    """Another port of the same machine; behind TLS there is a proxy."""
    assert misses("http://lab:8400", 9000)
    assert misses("http://lab", 9000)
    assert not misses("http://lab:9000", 9000)
    assert not misses("https://rate.example.org", 9000)
