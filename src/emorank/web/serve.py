"""Run the server of one application."""

import functools
import logging
import socket
import threading
import time
import webbrowser
from contextlib import suppress

import uvicorn

from emorank.errors import RatingError
from emorank.web.connections import Connection, Crowd, Limits, limits
from emorank.web.quiet import CONFIGURATION
from emorank.web.safety import Guard
from emorank.web.sockets import MAX_MESSAGE, Socket

_LOG = logging.getLogger(__name__)
_READY = 1024  # connections; those beyond would try again after a second


class Server(uvicorn.Server):
    """A server whose system holds many new connections ready, while it opens few at a time."""

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until Ctrl-C or SIGTERM, which is how a server ends, and no error."""
        _LOG.info("listens at %s, port %s", self.config.host, self.config.port)
        with suppress(KeyboardInterrupt):  # uvicorn has ended in order, and then says it again
            super().run(sockets)
        _LOG.info("the server has ended")

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        for place in sockets or []:
            place.listen(_READY)


def server(app: Guard, host: str, port: int, bounds: Limits | None = None) -> Server:
    """A server that is ready to run; by default within the `limits` of this process."""
    # A proxy with TLS on this machine hides the addresses of visitors from the connections.
    bounds = bounds or limits(shared=app.origins.secure)
    return Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            # An access log would have the invite links in it.
            access_log=False,
            log_config=CONFIGURATION,
            # More would write visitors' addresses and, of WebSockets, headers with their sessions.
            log_level="warning",
            server_header=False,
            # The limit on claims needs the address of a visitor. A proxy with TLS knows it; only
            # one on this machine is believed.
            proxy_headers=app.origins.secure,
            forwarded_allow_ips="127.0.0.1",
            ws=Socket if app.rules.sockets else "none",
            ws_max_size=MAX_MESSAGE,
            ws_per_message_deflate=False,  # pictures are compressed; a message could be a bomb
            loop="asyncio",
            http=functools.partial(Connection, crowd=Crowd(bounds)),  # type: ignore[arg-type]
            backlog=bounds.at_a_time,
            timeout_keep_alive=int(bounds.idle) + 1,  # a connection times itself
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


def open_when_ready(ready: Server, link: str) -> None:
    """Open a link in the browser as soon as the server listens."""

    def wait() -> None:
        while not ready.started:
            time.sleep(0.05)
        webbrowser.open(link)

    threading.Thread(target=wait, daemon=True).start()
