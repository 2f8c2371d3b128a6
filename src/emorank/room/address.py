"""The address under which browsers reach a server."""

from urllib.parse import urlsplit

from emorank.errors import RatingError

THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})
_PORTS = {"http": 80, "https": 443}
_PORT = 8321


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


def served_address(links: str, host: str, port: int | None) -> tuple[str, int]:
    """What links to a server begin with, and the port that it listens at.

    `links` is what they began with so far. If that is this machine, it follows the server to its
    port and host. Any other name belongs to a proxy or a network, and stays.
    """
    parts = urlsplit(base_address(links))
    name = parts.hostname or host
    if port is None:
        port = (parts.port or _PORTS["http"]) if parts.scheme == "http" else _PORT
    if parts.scheme == "http" and {name, host} <= THIS_MACHINE:
        if (name == "::1") != (host == "::1"):
            name = host
        return base_address(f"http://{f'[{name}]' if ':' in name else name}:{port}"), port
    return base_address(links), port


def misses(base: str, port: int) -> bool:
    """Whether links that begin with `base` lead to another port of the same machine than `port`."""
    parts = urlsplit(base)
    return parts.scheme == "http" and (parts.port or _PORTS["http"]) != port
