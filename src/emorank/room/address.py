"""The address under which browsers reach a server."""

from urllib.parse import urlsplit

from emorank.errors import RatingError

_PORTS = {"http": 80, "https": 443}


def base_address(url: str) -> str:
    """What links begin with, as browsers write it: no path, no user, no usual port."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # the port or the IPv6 address is not valid
        parts, port = urlsplit(""), None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/"):
        raise RatingError(
            f"--base-url {url}: expected http://HOST or https://HOST, perhaps with a port"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    suffix = "" if port in (None, _PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host}{suffix}"
