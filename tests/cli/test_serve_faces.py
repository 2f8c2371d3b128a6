"""`emorank serve`: what it says before it serves, and that it ends when it is told to."""

import signal
import subprocess
import sys
import time
import urllib.request

import pytest
from tests.rooms import free_port
from websockets.sync.client import connect

from emorank.web.window import camera


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--rank", "evidence"), "learns from the faces of a study"),
        (("--rank", "logit"), "'logit' is no rank; expected one of contrast, paper"),
        (("--study", "nothing"), "nothing"),
        (("--keep", "file/kept"), "no pictures can be kept there"),
    ],
)
def test_what_cannot_be_served_is_refused_at_once(cli, options, words, tmp_path, monkeypatch):
    """One line that says what to do; nothing was made."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    assert words in cli("serve", "--no-browser", *options).failure
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_it_serves_until_it_is_stopped(tmp_path):
    """The page answers under the printed address, and says what is kept; Ctrl-C ends it.

    With -vv it says that it listens, and nothing about who came.
    """
    port = free_port()
    command = [sys.executable, "-m", "emorank", "serve", "--no-browser", "--port", str(port)]
    server = subprocess.Popen(
        [*command, "--keep", "kept", "-vv"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}"
        assert server.stdout.readline() == f"emorank reads faces at {address} (Ctrl-C stops it)\n"
        assert "are stored in kept" in server.stdout.readline()
        for _ in range(300):
            try:
                with urllib.request.urlopen(address, timeout=5) as answer:
                    assert b"are stored there" in answer.read()
                break
            except OSError:
                time.sleep(0.1)
        else:
            raise AssertionError("the server did not come up")
        assert (tmp_path / "kept").is_dir()
        secret = {"Cookie": "session=hush"}
        with connect(
            f"ws://127.0.0.1:{port}{camera.PATH}?hush",
            origin=address,
            additional_headers=secret,
        ) as socket:
            socket.send("hush")
    finally:
        server.send_signal(signal.SIGINT)
        _, said = server.communicate(timeout=30)
    assert server.returncode == 0
    assert f"INFO listens at 127.0.0.1, port {port}" in said
    assert "hush" not in said
    assert camera.PATH not in said
