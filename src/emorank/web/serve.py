"""Run the server of one project."""

import socket
import threading
import time
import webbrowser
from urllib.parse import urlsplit

import uvicorn

from emorank.errors import RatingError
from emorank.room.project import Project
from emorank.web.app import make_app
from emorank.web.safety import LOOPBACK, origins


def server(project: Project, base_url: str, host: str, port: int) -> uvicorn.Server:
    """A server that is ready to run.

    Raises:
        RatingError: the base URL is none, or others could reach the server under names that it
            does not know.
    """
    named = urlsplit(base_url).hostname or ""
    if host not in {"127.0.0.1", "::1", "localhost"} and named in {n.strip("[]") for n in LOOPBACK}:
        raise RatingError(
            f"--host {host} lets other machines in: say with --base-url what they call this "
            "server (https://rate.example.org), so that links lead here and other names are refused"
        )
    behind_proxy = base_url.startswith("https://")
    return uvicorn.Server(
        uvicorn.Config(
            make_app(project, origins(base_url, host, port)),
            host=host,
            port=port,
            # An access log would have the invite links in it.
            access_log=False,
            log_level="warning",
            server_header=False,
            # The address of a visitor, from a proxy on this machine only; for the limit on claims.
            proxy_headers=behind_proxy,
            forwarded_allow_ips="127.0.0.1",
            ws="none",
            limit_concurrency=1000,
            timeout_keep_alive=30,
        )
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens, before anything is promised to anybody.

    Raises:
        RatingError: the address is not this machine's, or the port is in use or not allowed.
    """
    place = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        place.bind((host, port))
    except OSError as error:
        place.close()
        raise RatingError(
            f"cannot listen at {host}, port {port} ({error.strerror}); stop what listens there, "
            "or choose another --port"
        ) from error
    return place


def open_when_ready(ready: uvicorn.Server, link: str) -> None:
    """Open a link in the browser as soon as the server listens."""

    def wait() -> None:
        while not ready.started:
            time.sleep(0.05)
        webbrowser.open(link)

    threading.Thread(target=wait, daemon=True).start()
