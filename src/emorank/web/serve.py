"""Run the server of one application."""

import socket
import threading
import time
import webbrowser

import uvicorn

from emorank.errors import RatingError
from emorank.web.safety import Guard


def server(app: Guard, host: str, port: int) -> uvicorn.Server:
    """A server that is ready to run."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            # An access log would have the invite links in it.
            access_log=False,
            log_level="warning",
            server_header=False,
            # The limit on claims needs the address of a visitor. A proxy with TLS knows it; only
            # one on this machine is believed.
            proxy_headers=app.origins.secure,
            forwarded_allow_ips="127.0.0.1",
            ws="none",
            limit_concurrency=1000,
            timeout_keep_alive=30,
        )
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; made before any address is printed.

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
