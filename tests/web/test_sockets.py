"""WebSockets against a real server: strangers, silence, floods, and visitors who take nothing."""

import contextlib
import os
import socket
import threading
import time

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from emorank.web.connections import Limits
from emorank.web.safety import Guard, Rules, origins
from emorank.web.serve import listen, server
from emorank.web.sockets import MAX_MESSAGE, MAX_PIECES

LIMITS = Limits(connections=6, of_address=4, head=0.5, body=0.5, idle=0.5, silent=0.6)
RULES = Rules(sockets=frozenset({"/live"}))
CLOSED = (ConnectionClosed, ConnectionError, EOFError, TimeoutError)


async def echo(scope, receive, send):
    """Says back how long each message is; a page says ok."""
    if scope["type"] == "http":
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
        )
        await send({"type": "http.response.body", "body": b"ok"})
        return
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        data = message.get("bytes") or message["text"].encode()
        much = data == b"much"
        await send({"type": "websocket.send", "bytes": bytes(10**6) if much else b"%d" % len(data)})


@pytest.fixture
def port():
    """The port of a server with short times."""
    place = listen("127.0.0.1", 0)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    port = place.getsockname()[1]
    app = Guard(echo, origins(f"http://127.0.0.1:{port}", "127.0.0.1", port), RULES)
    ready = server(app, "127.0.0.1", port, LIMITS)
    thread = threading.Thread(target=ready.run, kwargs={"sockets": [place]})
    thread.start()
    while not ready.started:
        time.sleep(0.01)
    yield port
    ready.should_exit = True
    thread.join()


def come(port, path="/live", **headers):
    """Connect as the server's own page does, unless other headers say something else."""
    origin = headers.pop("origin", f"http://127.0.0.1:{port}")
    return connect(
        f"ws://127.0.0.1:{port}{path}", origin=origin, additional_headers=headers,
        compression=None, ping_interval=None, close_timeout=1, open_timeout=5,
    )  # fmt: skip


def asked(visitor, data):
    """Send, and take the answer."""
    visitor.send(data)
    return visitor.recv(timeout=5)


def ended(visitor):
    """Seconds until the server has closed the connection."""
    begun = time.monotonic()
    with contextlib.suppress(*CLOSED):
        while True:
            visitor.recv(timeout=10)
    return time.monotonic() - begun


@pytest.mark.parametrize(
    ("path", "origin"),
    [
        ("/live", "https://evil.example"),
        ("/live", "null"),
        ("/live", None),
        ("/live", "http://127.0.0.1:9999"),
        ("/other", ...),
    ],
)
def test_another_site_gets_no_socket(port, path, origin):
    """Refused before it is accepted: 403."""
    with pytest.raises(InvalidStatus) as refused:
        come(port, path, **({} if origin is ... else {"origin": origin}))
    assert refused.value.response.status_code == 403


def test_another_name_of_this_server_gets_no_socket(port):
    """A name whose DNS points here (rebinding)."""
    with pytest.raises(InvalidStatus):
        connect(
            f"ws://localhost.evil.example:{port}/live", origin=f"http://127.0.0.1:{port}",
            sock=socket.create_connection(("127.0.0.1", port)),
        )  # fmt: skip


def test_messages_are_bounded(port):
    """In bytes, in pieces, and where pieces are empty."""
    with come(port) as visitor:
        assert asked(visitor, bytes(MAX_MESSAGE)) == b"%d" % MAX_MESSAGE
        few = MAX_PIECES - 1  # the client ends a message with an empty piece
        assert asked(visitor, [b"x"] * few) == b"%d" % few
    for too_much in (bytes(MAX_MESSAGE + 1), [bytes(MAX_MESSAGE // 2)] * 3, [b"x"] * 2000):
        with come(port) as visitor, pytest.raises(ConnectionClosed) as closed:
            asked(visitor, too_much)
        assert closed.value.rcvd is None or closed.value.rcvd.code == 1009
    with come(port) as visitor:
        begun = time.monotonic()
        with contextlib.suppress(*CLOSED):
            visitor.send(b"" for _ in range(10**6))
        assert time.monotonic() - begun < 5


def test_whoever_says_nothing_is_closed(port):
    """Also if the connection is alive, and if a message comes byte by byte."""
    with come(port) as visitor:
        assert asked(visitor, b"abc") == b"3"
        assert ended(visitor) < 4
    with come(port) as visitor:
        begun = time.monotonic()
        with contextlib.suppress(*CLOSED, OSError):
            head = b"\x82\xfe\x0f\xff" + bytes(4)
            for byte in head + bytes(60):
                visitor.socket.sendall(bytes([byte]))
                time.sleep(0.1)
            raise AssertionError("all was taken")
        assert time.monotonic() - begun < 4


def test_whoever_speaks_stays(port):
    """Longer than one may be silent."""
    with come(port) as visitor:
        for _ in range(6):
            assert asked(visitor, b"x") == b"1"
            time.sleep(0.2)


def test_sockets_are_counted_and_give_their_place_back(port):
    """The oldest goes where one address has too many; ended ones leave room."""
    for _ in range(10):
        with come(port) as visitor:
            assert asked(visitor, b"x") == b"1"
    with contextlib.ExitStack() as stack:
        first, *others = (stack.enter_context(come(port)) for _ in range(LIMITS.of_address))
        for visitor in others:
            assert asked(visitor, b"x") == b"1"
        another = stack.enter_context(come(port))
        assert asked(another, b"x") == b"1"
        assert ended(first) < 0.5
        assert asked(others[0], b"x") == b"1"


@pytest.mark.parametrize("flood", ["much", "pings"])
def test_whoever_takes_nothing_is_cut(port, flood):
    """Of answers, and of answers to pings, which no application sends."""
    address = f"http://127.0.0.1:{port}"
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect(("127.0.0.1", port))
    narrow.settimeout(5)
    key = b"dGhlIHNhbXBsZSBub25jZQ=="
    narrow.sendall(
        b"GET /live HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nOrigin: %s\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n"
        % (port, address.encode(), key)
    )
    assert b"101" in narrow.recv(1000).split(b"\r\n")[0]
    much = b"\x82\x84" + bytes(4) + b"much"
    ping = b"\x89\xfd" + bytes(4) + os.urandom(125)
    begun = time.monotonic()
    with contextlib.suppress(ConnectionError, TimeoutError):
        while time.monotonic() - begun < 15:
            narrow.sendall(ping * 1000 if flood == "pings" else much)
            if flood == "much":
                time.sleep(0.05)
        raise AssertionError("it was served for ever")
    assert time.monotonic() - begun < 12


def test_a_flood_of_messages_is_read_at_the_pace_of_the_application(port):
    """Others are served meanwhile."""
    stop = threading.Event()

    def flood():
        with contextlib.suppress(*CLOSED), come(port) as visitor:
            while not stop.is_set():
                visitor.send(bytes(100_000))
                visitor.recv(timeout=5)

    threads = [threading.Thread(target=flood) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        with come(port) as visitor:
            for _ in range(20):
                begun = time.monotonic()
                assert asked(visitor, b"x") == b"1"
                assert time.monotonic() - begun < 2
    finally:
        stop.set()
        for thread in threads:
            thread.join()
