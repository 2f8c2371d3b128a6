"""Floods of connections, and visitors who let the server wait, against real servers."""

import contextlib
import logging
import resource
import socket
import threading
import time
from dataclasses import replace

import pytest
from tests.rooms import Program, images, noise

from emorank.room.creation import create_project
from emorank.web.connections import Limits, limits
from emorank.web.quiet import Quiet
from emorank.web.rating.app import make_app
from emorank.web.safety import origins
from emorank.web.serve import listen, server
from emorank.web.window.app import make_app as make_window

LIMITS = Limits(connections=12, of_address=8, head=0.5, body=0.5, idle=0.5)
ASKED = b"GET /v1/nowhere HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n"


@pytest.fixture
def project(tmp_path):
    """A project in a file: connections know nothing of the database."""
    made = create_project(tmp_path / "room", images(4), noise, ["r1"])
    yield made
    made.database.close()


@pytest.fixture(params=["room", "window"])
def application(request):
    """The rating room, or the window with its service: what makes it for some origins."""
    if request.param == "room":
        project = request.getfixturevalue("project")
        return lambda known: make_app(project, known)
    desk = request.getfixturevalue("shared_desk")
    return lambda known: make_window(desk, known)


@pytest.fixture
def start(application):
    """Start a server in this process, with other limits perhaps; gives its port."""
    running = []

    def begin(**other):
        place = listen("127.0.0.1", 0)
        # Otherwise the system takes megabytes of an answer, and hands them on in large pieces.
        place.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        port = place.getsockname()[1]
        app = application(origins(f"http://127.0.0.1:{port}", "127.0.0.1", port))
        ready = server(app, "127.0.0.1", port, replace(LIMITS, **other))
        thread = threading.Thread(target=ready.run, kwargs={"sockets": [place]})
        thread.start()
        running.append((ready, thread))
        while not ready.started:
            time.sleep(0.01)
        return port

    yield begin
    for ready, thread in running:
        ready.should_exit = True
        thread.join()


@pytest.fixture
def serving(start):
    """The port of a server with short times."""
    return start()


def connect(port, sent=b"", host="127.0.0.1", takes=None):
    """Connect from an address; `takes` is how many bytes the system takes before they are read."""
    connection = socket.socket()
    if takes is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, takes)
    connection.settimeout(5)
    connection.bind((host, 0))
    connection.connect(("127.0.0.1", port))
    connection.sendall(sent)
    return connection


def answered(connection, port):
    """Ask once; whether the answer came."""
    connection.sendall(ASKED % port)
    answer = b""
    while not answer.endswith(b"}"):
        data = connection.recv(65536)
        if not data:
            return False
        answer += data
    return answer.startswith(b"HTTP/1.1 404")  # no application has that address


def ends(connection):
    """Whether the server has closed a connection, at the latest after five seconds."""
    connection.settimeout(5)
    with contextlib.suppress(ConnectionError):
        while connection.recv(65536):
            pass
    return True


def drip(connection, data, pause=0.1):
    """Send byte by byte; how many seconds until the server had enough."""
    begin = time.monotonic()
    with contextlib.suppress(ConnectionError):
        for byte in data:
            connection.sendall(bytes([byte]))
            time.sleep(pause)
        raise AssertionError("all was taken")
    return time.monotonic() - begin


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /v1/nowhere HTTP/1.1\r\n",
        b"POST /v1/faces HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1",
        b"POST /v1/faces HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nOrigin: http://127.0.0.1:%d\r\n"
        b"Content-Length: 9\r\n\r\n1",
        b"GET /v1/nowhere HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 9\r\n\r\n",
    ],
    ids=["nothing", "half a head", "a refused body", "half a body", "no body of a GET"],
)  # fmt: skip
def test_whoever_goes_silent_is_closed(serving, begun):
    """Before the head, in it, in the body, and after an answer that came first."""
    begin = time.monotonic()
    assert ends(connect(serving, begun.replace(b"%d", b"%d" % serving)))
    assert time.monotonic() - begin < 4


def test_slow_bytes_win_no_time(serving):
    """A head or a body that comes byte by byte, on a new connection and on one that was used."""
    address = b"127.0.0.1:%d" % serving
    post = b"POST /v1/faces HTTP/1.1\r\nHost: %s\r\nOrigin: http://%s\r\n" % (address, address)
    used = connect(serving)
    assert answered(used, serving)
    for connection in (
        connect(serving),
        used,
        connect(serving, post + b"Content-Length: 900\r\n\r\n"),
        connect(serving, post + b"Transfer-Encoding: chunked\r\n\r\n384\r\n"),
    ):
        assert drip(connection, b"X" * 60) < 4


def test_a_connection_serves_many_requests(serving):
    """Also if the whole takes longer than a head may."""
    connection = connect(serving)
    for _ in range(4):
        assert answered(connection, serving)
        time.sleep(0.3)


def test_an_answer_that_nobody_takes_is_given_up(serving):
    """One that is taken slowly is not."""
    script = b"GET /static/htmx.min.js HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" % serving
    asked = (script + b"\r\n") * 199 + script + b"Connection: close\r\n\r\n"
    slow, stuck = (connect(serving, asked, takes=65536) for _ in range(2))
    taken = 0
    for _ in range(14):
        taken += len(slow.recv(300_000))
        time.sleep(0.1)
    while data := slow.recv(65536):
        taken += len(data)
    assert taken > 200 * 40_000
    left = 0
    with contextlib.suppress(ConnectionError):
        while data := stuck.recv(65536):
            left += len(data)
    assert left < taken


def test_room_is_made_where_it_is_crowded(start):
    """Of the address with too many, or of the one with the most: the oldest that waits goes."""
    port = start(head=60, idle=60)
    first, second, third, *others = [connect(port) for _ in range(8)]
    visitor = connect(port)
    assert answered(visitor, port)
    assert ends(first)
    elsewhere = [connect(port, host=f"127.0.0.{host}") for host in range(2, 7)]
    assert answered(elsewhere[-1], port)
    assert ends(second)
    for connection in (third, *others, visitor, *elsewhere[:-1]):  # still open
        connection.settimeout(0.01)
        with pytest.raises(TimeoutError):
            connection.recv(1)


def test_limits_lie_below_the_files_of_a_process(monkeypatch):
    """With room for the database, pictures, and what the system accepts ahead."""
    for files, most in ((1024, 768), (256, 128), (64, 32), (10**6, 1000), (-1, 1000)):
        monkeypatch.setattr("resource.getrlimit", lambda _, files=files: (files, files))
        alone, proxy = limits(shared=False), limits(shared=True)
        assert (alone.connections, alone.of_address) == (most, most // 2)
        assert proxy.of_address == proxy.connections == most
        assert most + alone.at_a_time < files or files < 0


@pytest.mark.parametrize("words", [("rate", "serve"), ("serve",)], ids=["room", "window"])
def test_a_flood_of_idle_connections(project, words):
    """Far more than the process may open files: others come in, and the log stays short."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    running = Program(
        *words, *([project.folder] if "rate" in words else []),
        health="/health" if "rate" in words else "/healthz",
        before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard)),
    )  # fmt: skip
    try:
        idle = [connect(running.port) for _ in range(min(soft, 1024) - 300)]
        for host in ("127.0.0.1", "127.0.0.2"):
            assert answered(connect(running.port, host=host), running.port)
        for connection in idle:
            connection.close()
        assert running.process.poll() is None
        said = running.said()
        assert said.count("too many connections") == 1
        assert len(said) < 4000
    finally:
        running.stop()


def test_the_log_does_not_repeat_itself(caplog):
    """The same line once a minute, others of its kind twenty times; then how many there were."""
    now = [0.0]
    quiet, log = Quiet(lambda: now[0]), logging.getLogger("emorank.test")
    caplog.handler.addFilter(quiet)
    try:
        for _ in range(100):
            log.warning("the same")
        for number in range(100):
            log.warning("number %s", number)
        log.warning("socket failed\nobject at 1")
        log.warning("socket failed\nobject at 2")
        assert len(caplog.messages) == 1 + 20 + 1
        now[0] = 60
        log.warning("the same")
    finally:
        caplog.handler.removeFilter(quiet)
    assert caplog.messages[-1] == "the same (since the last line 180 more)"
