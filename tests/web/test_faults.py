"""`kill -9`, a database that goes away, a full disk, a clock that jumps.

What was acknowledged is there afterwards; what was not is asked again, and stored once.
"""

import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import suppress
from http.client import HTTPException
from http.cookiejar import CookieJar

import pytest
from sqlalchemy import select
from tests.rooms import Room, new_postgresql, noise

from emorank.room.creation import Setup, create_project
from emorank.room.overview import answers, progress
from emorank.room.project import open_project
from emorank.room.schema import EVENTS, VOTES


class Client:
    """A rater's browser without a page: sends each vote until it is acknowledged."""

    def __init__(self, base, link) -> None:
        self.base = base
        self.jar = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        self.ask(link, {})
        found = self.ask("/rate/showings?start=0&count=200")
        self.showings = [row["id"] for row in found["showings"]]

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Origin": self.base, "Content-Type": "application/json"}
        request = urllib.request.Request(self.base + path, data, headers)  # noqa: S310 - loopback
        with self.opener.open(request, timeout=20) as answer:
            text = answer.read()
        return json.loads(text) if text.startswith(b"{") else None

    def vote(self, showing):
        """Send one vote once; True if it was acknowledged."""
        try:
            return self.ask("/rate/votes", {"votes": [self._body(showing)]})["outcomes"] == [
                "stored"
            ]
        except (OSError, HTTPException, ValueError):  # also an answer that broke off half-way
            return False

    def vote_and_vanish(self, showing):
        """Send one vote, and hang up without waiting for the answer."""
        body = json.dumps({"votes": [self._body(showing)]}).encode()
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jar)
        host = self.base.removeprefix("http://")
        head = (
            f"POST /rate/votes HTTP/1.1\r\nHost: {host}\r\nOrigin: {self.base}\r\n"
            f"Cookie: {cookies}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        name, _, port = host.partition(":")
        with socket.create_connection((name, int(port))) as connection:
            connection.sendall(head.encode() + body)

    @staticmethod
    def _body(showing):
        return {
            "id": f"vote-{showing}", "showing": showing, "answer": "Strong", "reaction_ms": 500,
            "hidden_ms": 0, "change": False,
        }  # fmt: skip


def stored(folder):
    """Image and showing of each vote in the database, read by a program that has just started."""
    project = open_project(folder)
    with project.database.reading() as connection:
        rows = connection.execute(select(VOTES.c.showing_id)).scalars().all()
        given = select(EVENTS.c.showing_id).where(EVENTS.c.kind == "vote")
        events = connection.execute(given).scalars().all()
    project.database.close()
    assert sorted(events) == sorted(rows)  # none is doubled
    return set(rows)


def test_kill_9_of_the_server_between_votes_and_answers(make_room, serve):
    """Killed again and again while a rater votes: all that was acknowledged is there, once."""
    room = make_room(count=120, raters=("r1",), repeats=0)
    folder, acknowledged = room.project.folder, set()
    server = serve(folder)
    client = Client(server.base, room.link("r1"))
    for attempt in range(4):
        timer = threading.Timer(0.15 + 0.05 * attempt, server.kill)
        timer.start()
        for showing in client.showings:
            if showing not in acknowledged:
                if not client.vote(showing):
                    break
                acknowledged.add(showing)
        timer.join()
        assert acknowledged <= stored(folder)
        server = serve(folder, server.port)
    # The vote that got no answer is sent again under its id, and the rest.
    assert all(client.vote(showing) for showing in client.showings)
    assert stored(folder) == set(client.showings)


def test_kill_9_after_the_commit_and_before_the_answer(make_room, serve):
    """The vote is in the database and the browser does not know: sent again, it is one vote."""
    room = make_room(count=10, raters=("r1",), repeats=0)
    server = serve(room.project.folder)
    client = Client(server.base, room.link("r1"))
    first = client.showings[0]
    client.vote_and_vanish(first)
    for _ in range(1200):
        if stored(room.project.folder):
            break
        time.sleep(0.05)
    server.kill()
    serve(room.project.folder, server.port)
    assert client.ask("/rate/showings?start=0")["showings"][0]["answer"] == "Strong"
    assert client.vote(first)
    assert stored(room.project.folder) == {first}


def test_kill_9_of_postgresql(tmp_path, serve):
    """The database dies under the server: 503, no vote lost; it comes back, and all goes on."""
    database = new_postgresql()
    try:
        shown = [(f"happy/{number}.png", "happy") for number in range(60)]
        project = create_project(
            tmp_path / "room", shown, noise, ["r1"], Setup(database=database.url, repeats=0)
        )
        room = Room(project, {row.name: row.id for row in progress(project)})
        server = serve(project.folder)
        client = Client(server.base, room.link("r1"))
        acknowledged = {showing for showing in client.showings[:20] if client.vote(showing)}
        assert len(acknowledged) == 20
        database.kill()
        with pytest.raises(urllib.error.HTTPError) as failure:
            client.ask("/rate/showings")
        assert failure.value.code == 503
        assert b"Traceback" not in failure.value.read()
        assert not client.vote(client.showings[20])
        assert server.process.poll() is None
        database.start()
        assert acknowledged == stored(project.folder)
        assert all(client.vote(showing) for showing in client.showings)
        assert stored(project.folder) == set(client.showings)
        project.database.close()
        server.stop()
    finally:
        database.stop()


@pytest.fixture
def disk(tmp_path):
    """A small file system; SQLite's log alone takes 4 MB of it before it is folded in."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if sys.platform != "linux" or shutil.which("mount") is None:
        pytest.skip("the small file system is a tmpfs of Linux")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", folder],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"no small file system can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk(disk, serve):
    """503 while it is full, nothing acknowledged is lost; with room again, it goes on."""
    shown = [(f"happy/{number}.png", "happy") for number in range(100)]
    project = create_project(disk / "room", shown, noise, ["r1"], Setup(repeats=0))
    room = Room(project, {row.name: row.id for row in progress(project)})
    server = serve(project.folder)
    client = Client(server.base, room.link("r1"))
    acknowledged = {showing for showing in client.showings[:10] if client.vote(showing)}
    assert len(acknowledged) == 10
    filler = (disk / "filler").open("wb", buffering=0)
    with filler, suppress(OSError):
        while True:
            filler.write(bytes(4096))
    refused = [showing for showing in client.showings[10:] if not client.vote(showing)]
    acknowledged |= set(client.showings[10:]) - set(refused)
    assert refused, "the disk never filled up"
    assert server.process.poll() is None
    (disk / "filler").unlink(missing_ok=True)
    assert acknowledged <= stored(project.folder)
    assert all(client.vote(showing) for showing in client.showings)
    assert stored(project.folder) == set(client.showings)
    project.database.close()
    server.stop()


def test_a_new_project_on_a_full_disk_is_not_there(disk, cli, drawn):
    """`rate new` fails with a message and leaves nothing."""
    (disk / "filler").write_bytes(bytes(12_500_000))
    done = cli("rate", "new", drawn, "--out", disk / "room")
    assert done.code == 1
    assert "Traceback" not in done.err
    assert [path.name for path in disk.iterdir()] == ["filler"]


def test_a_server_that_is_stopped_ends_in_order(make_room, serve):
    """SIGTERM: the process ends by itself, and the votes are there."""
    room = make_room(count=10, raters=("r1",), repeats=0)
    server = serve(room.project.folder)
    client = Client(server.base, room.link("r1"))
    assert client.vote(client.showings[0])
    server.process.send_signal(signal.SIGTERM)
    start = time.monotonic()
    server.process.wait(20)
    assert time.monotonic() - start < 15
    assert server.process.returncode == 0
    assert len(answers(room.project)) == 1
