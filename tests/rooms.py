"""Rating projects for tests, on SQLite and on a PostgreSQL server that the tests start."""

import getpass
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("sqlalchemy", reason="the extra web is not installed")

from emorank.room.creation import Setup, create_project
from emorank.room.invites import invite
from emorank.room.overview import progress
from emorank.room.project import Project
from emorank.room.protocol import Declared, read_protocol
from emorank.room.store import Vote, showings, submit

HOST = "127.0.0.1:8321"
ORIGIN = f"http://{HOST}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class PostgreSQL:
    """A server of one's own, in a new folder, as a user who is not root."""

    def __init__(self, binaries: Path) -> None:
        self.binaries, self.port = binaries, free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="emorank-postgresql-"))
        self.user = getpass.getuser()
        if os.geteuid() == 0:  # PostgreSQL refuses root
            self.user = (
                "postgres" if "postgres" in {p.pw_name for p in pwd.getpwall()} else "nobody"
            )
            shutil.chown(self.folder, self.user)
        as_user = {} if self.user == getpass.getuser() else {"user": self.user, "group": 65534}
        self.options = {"cwd": self.folder, "env": {"PATH": os.defpath, "LC_ALL": "C"}} | as_user
        self._call("initdb", "-D", "data", "-U", "emorank", "--auth=trust", "-E", "UTF8")
        self.process = None
        self.start()

    def start(self) -> None:
        """Start, or start again, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.binaries / "postgres", "-D", "data", "-p", str(self.port), "-k", self.folder,
                 "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=60"],
                stdout=log, stderr=log, **self.options,
            )  # fmt: skip
        for _ in range(600):
            ready = [self.binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
            if subprocess.run(ready, check=False).returncode == 0:
                return
            time.sleep(0.1)
        raise AssertionError((self.folder / "log").read_text())

    def kill(self) -> None:
        """`kill -9` of the server and of all that it started."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for pid in (self.process.pid, *map(int, children)):
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """Stop it and remove its folder."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://emorank@127.0.0.1:{self.port}/postgres"

    def _call(self, name: str, *arguments: str) -> None:
        subprocess.run(
            [self.binaries / name, *arguments], check=True, capture_output=True, **self.options
        )


def new_postgresql() -> PostgreSQL:
    """Start a server, or skip and say why."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    local = shutil.which("postgres")
    if not found and local is None:
        if os.environ.get("EMORANK_REQUIRE_ALL"):
            pytest.fail("PostgreSQL is missing, and this run must not skip")
        pytest.skip("no PostgreSQL server on this machine: apt-get install postgresql")
    return PostgreSQL((found[-1] if found else Path(local)).parent)


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL server for this run; every project has a schema of its own in it."""
    server = new_postgresql()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request):
    """The URL of a database, or None for a file: every test that asks runs on both."""
    return request.getfixturevalue("postgresql").url if request.param == "postgresql" else None


def noise(name: str) -> np.ndarray:
    """A small picture of its own for each name."""
    random = np.random.default_rng(list(name.encode()))
    return np.kron(random.integers(0, 256, (4, 4, 3), np.uint8), np.ones((8, 8, 1), np.uint8))


def images(count: int, emotions=("happy", "fear")) -> list[tuple[str, str]]:
    return [
        (f"{emotions[i % len(emotions)]}/p{i}.png", emotions[i % len(emotions)])
        for i in range(count)
    ]


def declare(folder: Path, content: str) -> Declared:
    """A study's file with this content, and the pictures a.png, b.png, c.png beside it."""
    for name in ("a.png", "b.png", "c.png"):
        Image.fromarray(noise(name)).save(folder / name)
    (folder / "study.toml").write_text(content, encoding="utf-8")
    return read_protocol(folder / "study.toml")


@dataclass(frozen=True)
class Room:
    """A project, and its raters by name."""

    project: Project
    raters: dict[str, str]

    def link(self, name: str | None) -> str:
        """The path of a new invite link of a rater, or of the owner."""
        return f"/invite/{invite(self.project, None if name is None else self.raters[name])}"

    def showings(self, name: str):
        return showings(self.project, self.raters[name], 0, 10_000)

    def vote(self, name: str, answers: dict[str, str]) -> None:
        """Let a rater answer some showings: id → answer."""
        votes = [Vote(f"test-{key}", key, word, 800, 0) for key, word in answers.items()]
        submit(self.project, self.raters[name], votes)

    def vote_all(self, name: str, answer=lambda showing: "Average") -> None:
        self.vote(name, {showing.id: answer(showing) for showing in self.showings(name)})


@pytest.fixture
def make_room(tmp_path, database):
    """Make a project: `make_room(count=12, raters=("r1",), ordering="mixed")`."""
    made = []

    def make(
        count=12, raters=("r1", "r2"), shown=None, read=noise, name="room", declared=None, **setup
    ):
        project = create_project(
            tmp_path / name, shown or images(count), read, raters,
            Setup(**{"database": database, "base_url": ORIGIN} | setup), declared=declared,
        )  # fmt: skip
        made.append(project)
        return Room(project, {row.name: row.id for row in progress(project)})

    yield make
    for project in made:
        project.database.close()


@pytest.fixture
def room(make_room):
    """Twelve images and two raters."""
    return make_room()


class Program:
    """A server of `emorank` in a process of its own; `health` is an address that it answers."""

    def __init__(self, *words, health: str, port: int | None = None, before=None, **env) -> None:
        self.port = port or free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        # To a file: a pipe that nobody reads would stop a server that has much to say.
        self.output = tempfile.TemporaryFile("w+")  # noqa: SIM115 - lives as long as the server
        self.process = subprocess.Popen(
            [sys.executable, "-m", "emorank", *words, "--no-browser", "--port", str(self.port)],
            stdout=self.output, stderr=subprocess.STDOUT, preexec_fn=before, env=os.environ | env,
        )  # fmt: skip
        for _ in range(900):
            if self.process.poll() is not None:
                raise AssertionError(self.said())
            try:
                urllib.request.urlopen(self.base + health, timeout=5)  # noqa: S310 - loopback
                return
            except (OSError, HTTPException):
                time.sleep(0.1)
        raise AssertionError("the server did not come up")

    def said(self) -> str:
        """What it has printed so far."""
        self.output.seek(0)
        return self.output.read()

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


class Serving(Program):
    """`emorank rate serve`."""

    def __init__(self, folder: Path, port: int | None = None, before=None) -> None:
        super().__init__("rate", "serve", folder, health="/health", port=port, before=before)


@pytest.fixture
def serve():
    """Serve a project's folder: `serve(folder).base`."""
    running = []

    def start(folder, port=None, before=None):
        running.append(Serving(folder, port, before))
        return running[-1]

    yield start
    for server in running:
        if server.process.poll() is None:
            server.stop()


@contextmanager
def served_room(folder, raters, count, **setup):
    """A room on SQLite for several tests, each with a rater of its own: it, and its address."""
    project = create_project(folder, images(count), noise, raters, Setup(**{"repeats": 0} | setup))
    server = Serving(project.folder)
    try:
        yield Room(project, {row.name: row.id for row in progress(project)}), server.base
    finally:
        server.stop()
        project.database.close()
