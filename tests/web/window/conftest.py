"""The window on a port, with the network of the package."""

import threading
import time
from dataclasses import dataclass

import pytest

from emorank.datasets import load
from emorank.reading.ready import ready_network
from emorank.web.desk import Desk
from emorank.web.safety import Guard, origins
from emorank.web.serve import listen, server
from emorank.web.window.app import make_app


@dataclass(frozen=True)
class Window:
    """A window that is served: its application, its desk, its address."""

    app: Guard
    desk: Desk
    base: str


@pytest.fixture(scope="session")
def faces():
    """The folder of the sample's faces."""
    return load(None, "sample").root / "faces"


@pytest.fixture(scope="session")
def window():
    """One window for all tests."""
    place = listen("127.0.0.1", 0)
    port = place.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    desk = Desk(None, ready_network())
    app = make_app(desk, origins(base, "127.0.0.1", port))
    ready = server(app, "127.0.0.1", port)
    thread = threading.Thread(target=ready.run, kwargs={"sockets": [place]})
    thread.start()
    while not ready.started:
        time.sleep(0.01)
    yield Window(app, desk, base)
    ready.should_exit = True
    thread.join()
