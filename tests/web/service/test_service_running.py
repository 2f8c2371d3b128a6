"""The service as a process of its own: those who hang up, floods, and decoders that are killed.

Both decoders are stopped where a test needs requests that wait: then it knows where each is.
"""

import os
import re
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.rooms import Program

from emorank.datasets import load
from emorank.web.desk import AT_ONCE, WAITING
from emorank.web.service.keys import Keys

pytestmark = pytest.mark.skipif(
    not Path(f"/proc/self/task/{os.getpid()}/children").exists(),
    reason="the decoders of a server are found through Linux's /proc",
)


@pytest.fixture(scope="module")
def server():
    """`emorank serve` on a port of its own; stopped in order, it leaves no process."""
    running = Program("serve", health="/healthz")
    yield running
    pids = decoders(running)
    running.stop()
    until(lambda: ended(pids))
    assert "Traceback" not in running.said()


def decoders(server):
    """The processes that decode, without Python's own helper."""
    threads = Path(f"/proc/{server.process.pid}/task").glob("*/children")
    children = [one for thread in threads for one in thread.read_text().split()]
    return [
        int(one) for one in children if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()
    ]


def ended(pids):
    """Whether none of the processes is there any more, or is dead and not yet buried."""
    states = [Path(f"/proc/{pid}/stat") for pid in pids]
    return all(not state.exists() or ") Z " in state.read_text() for state in states)


@contextmanager
def stopped(server):
    """Both decoders stand still within this context."""
    pids = decoders(server)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield pids
    finally:
        for pid in decoders(server):
            os.kill(pid, signal.SIGCONT)


def ask(server, content, path="/v1/faces"):
    """Status, headers and text of an answer."""
    request = urllib.request.Request(  # noqa: S310 - loopback
        server.base + path, content, {"Content-Type": "image/jpeg"} if content else {}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def count(server, line):
    """A number of the metrics; 0 where it is not counted yet."""
    found = re.search(rf"(?m)^{re.escape(line)} (\S+)", ask(server, None, "/metrics")[2])
    return float(found[1]) if found else 0.0


def until(condition):
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen")


def hang_on(server, content):
    """Ask, and keep the connection open without taking the answer."""
    connection = socket.create_connection(("127.0.0.1", server.port))
    head = (
        f"POST /v1/faces HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        f"Content-Type: image/jpeg\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    connection.sendall(head.encode() + content)
    return connection


def waits(server, of):
    return count(server, f'emorank_queue{{of="{of}"}}')


def test_who_hangs_up_causes_no_work(server, face_file):
    """Of those who wait: nothing is decoded or read for them, and their places are free."""
    done = [f'emorank_work_total{{of="{of}"}}' for of in ("decoding", "beside")]
    gone = 'emorank_requests_total{method="POST",route="/v1/faces",status="499"}'
    decoded, read, left = (count(server, line) for line in (*done, gone))
    with stopped(server):
        waiting = [hang_on(server, face_file) for _ in range(10)]
        until(lambda: waits(server, "seats") == 10)
        until(lambda: waits(server, "decoding") == AT_ONCE)
        for connection in waiting:
            connection.close()
        until(lambda: count(server, gone) == left + 10)
        assert waits(server, "seats") == 0
    until(lambda: waits(server, "decoding") == 0)
    assert count(server, done[0]) <= decoded + 2  # what the decoders had in hand
    assert count(server, done[1]) == read
    assert ask(server, face_file)[0] == 200


def test_a_flood_is_turned_away_and_the_server_lives(server, face_file):
    """Beyond the places 429 with Retry-After; it says how it does; then all others are answered."""
    with stopped(server):
        waiting = [hang_on(server, face_file) for _ in range(WAITING)]
        until(lambda: waits(server, "seats") == WAITING)
        for _ in range(5):
            status, headers, text = ask(server, face_file)
            assert status == 429
            assert int(headers["Retry-After"]) >= 1
            assert '"type": "/problems/busy"' in text
        assert ask(server, None, "/healthz")[0] == 200
    for connection in waiting:
        connection.settimeout(60)
        assert connection.recv(12) == b"HTTP/1.1 200"
        connection.close()


def test_kill_9_of_a_decoder_loses_one_request(server, face_file):
    """The one whose picture it had; another takes its place, and it is counted."""
    deaths = count(server, "emorank_decoder_deaths_total")
    answers = []
    with stopped(server) as pids:
        asking = [
            threading.Thread(target=lambda: answers.append(ask(server, face_file)))
            for _ in range(AT_ONCE)
        ]
        for one in asking:
            one.start()
        until(lambda: waits(server, "decoding") == AT_ONCE)
        time.sleep(0.2)
        os.kill(pids[0], signal.SIGKILL)
        until(lambda: count(server, "emorank_decoder_deaths_total") == deaths + 1)
    for one in asking:
        one.join()
    assert sorted(answer[0] for answer in answers) == [200] * (AT_ONCE - 1) + [422]
    (lost,) = [answer[2] for answer in answers if answer[0] == 422]
    assert "made its decoder crash" in lost
    assert len(decoders(server)) == 2
    assert ask(server, face_file)[0] == 200


def test_the_examples_of_the_documentation_print_what_they_say(
    server, tmp_path, monkeypatch, capsys
):
    """Each Python block as it stands, but for the address and for the name of httpx here."""
    monkeypatch.chdir(tmp_path)
    sample = load(None, "sample").root
    for name, face in (("face", "p05_happy_4"), ("friend", "p02_surprise_4")):
        Path(f"{name}.jpg").write_bytes((sample / f"faces/{face}.jpg").read_bytes())
    page = (Path(__file__).parents[3] / "docs/service.md").read_text()
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        code = re.sub(r"https?://(127.0.0.1:8322|faces.example.org)", server.base, block)
        exec(code.replace("import httpx\n", "import httpx2 as httpx\n"), {})  # noqa: S102 - ours
        printed = capsys.readouterr().out.splitlines()
        promised = re.findall(r"print\(.*\)  # (?!what)(.*)", block)
        assert promised
        assert set(promised) <= set(printed)


def test_a_server_for_others_without_tls(tmp_path):
    """It says that keys are seen on the way; killed, it leaves no process."""
    Keys(tmp_path / "keys.json").new()
    running = Program(
        "serve", "--base-url", "http://lab.localhost", health="/healthz", EMORANK_DATA=str(tmp_path)
    )
    assert "keys and pictures go over the network as they are" in running.said()
    assert ask(running, b"x")[0] == 401
    pids = decoders(running)
    running.kill()
    until(lambda: ended(pids))
