"""What the environment may say, where things are kept, and that no connection is opened."""

import re
import socket
import threading
from pathlib import Path

import pytest

from emorank.environment import cache_folder, check_online, data_folder, is_offline
from emorank.errors import EmorankError, OfflineError, WeightsError
from emorank.networks import download
from emorank.room.database import Database
from emorank.scale import object_store
from emorank.scale.rank_many import rank_many

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("name", "folder"), [("EMORANK_CACHE", cache_folder), ("EMORANK_DATA", data_folder)]
)
def test_a_folder_that_is_chosen_may_be_at_home_and_is_no_file(monkeypatch, tmp_path, name, folder):
    """`~` is the user's home also where no shell has replaced it; empty counts as not set."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(name, "~/own")
    assert folder() == tmp_path / "own"
    (tmp_path / "own").touch()
    with pytest.raises(EmorankError, match=rf"{name}=~/own: is a file; expected a folder"):
        folder()
    monkeypatch.setenv(name, "")
    assert folder().name == "emorank"


def test_offline_is_said_clearly(monkeypatch):
    """1, yes and on; 0, no, off and nothing; another word is no answer."""
    for said, means in (("1", True), ("Yes", True), ("on ", True), ("0", False), ("", False)):
        monkeypatch.setenv("EMORANK_OFFLINE", said)
        assert is_offline() is means
    monkeypatch.delenv("EMORANK_OFFLINE")
    check_online("this", "do that")
    monkeypatch.setenv("EMORANK_OFFLINE", "perhaps")
    with pytest.raises(EmorankError, match="EMORANK_OFFLINE=perhaps: expected 1"):
        is_offline()


@pytest.fixture
def visited():
    """A server that nobody can talk to, and who came: its address, and the list of visitors."""
    place, visitors = socket.create_server(("127.0.0.1", 0)), []

    def answer():
        while True:
            try:
                visitor, _ = place.accept()
            except OSError:
                return
            visitors.append(visitor.recv(1000))
            visitor.close()

    thread = threading.Thread(target=answer)
    thread.start()
    yield f"127.0.0.1:{place.getsockname()[1]}", visitors
    place.shutdown(socket.SHUT_RDWR)
    place.close()
    thread.join()


def test_offline_nobody_is_asked(monkeypatch, tmp_path, visited):
    """No index, object store, cluster or database; each error says what to do. Else they are."""
    address, visitors = visited
    for name in ("PIP_INDEX_URL", "AWS_ENDPOINT_URL"):
        monkeypatch.setenv(name, f"http://user:secret@{address}/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    file = download.PublishedFile("a.pth", 1234, "abc", "a file", project="some-project")
    ways = (
        lambda: download.fetch([file], tmp_path),
        lambda: list(object_store.below("s3://faces/2026")),
        lambda: object_store.opened("s3://faces/2026/a.jpg"),
        lambda: rank_many(tmp_path / "a.jpg", tmp_path / "out" / "ranks.csv", ray=address),
        lambda: Database(f"postgresql+psycopg://{address}/room").reading().__enter__(),
    )
    monkeypatch.setenv("EMORANK_OFFLINE", "1")
    said = []
    for way in ways:
        with pytest.raises(OfflineError, match=r"needs the network, and emorank is told") as error:
            way()
        said.append(str(error.value))
    assert f"fetching a.pth (1,234 bytes, at http://{address}/simple/some-project/)" in said[0]
    assert f"put it, under its name, into {tmp_path}" in said[0]
    assert said[1].startswith("s3://faces/2026 needs")
    assert f"--ray {address}" in said[3]
    assert list(tmp_path.iterdir()) == []
    assert visitors == []
    monkeypatch.setenv("EMORANK_OFFLINE", "0")
    with pytest.raises(WeightsError):
        ways[0]()
    assert visitors


def test_offline_a_file_that_was_brought_is_used(monkeypatch, tmp_path):
    """Where the error says that it belongs."""
    monkeypatch.setenv("EMORANK_OFFLINE", "1")
    sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    (tmp_path / "a.pth").touch()
    file = download.PublishedFile("a.pth", 0, sha256, "nothing", address="https://a.invalid/a.pth")
    assert download.fetch([file], tmp_path) == tmp_path / "a.pth"


def test_every_variable_is_documented():
    """docs/command_line.md has a row for each variable of emorank that the code reads, no more."""
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    read = set(re.findall(r'"(_?EMORANK_[A-Z]+)"', source))
    page = (ROOT / "docs" / "command_line.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `(_?EMORANK_[A-Z]+)` \|", page, flags=re.MULTILINE))
    assert rows == read
