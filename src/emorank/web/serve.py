"""Run the server of one project."""

import threading
import webbrowser
from urllib.parse import urlsplit

import uvicorn

from emorank.annotations.project import Project
from emorank.errors import RatingError
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


def open_later(link: str, seconds: float = 1.0) -> None:
    """Open a link in the browser when the server has had time to start."""
    timer = threading.Timer(seconds, webbrowser.open, [link])
    timer.daemon = True
    timer.start()
