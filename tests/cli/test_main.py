"""What becomes of errors at the edge: one line, an exit status, never a traceback."""

import subprocess
import sys

import click
import pytest

from emorank import cli as program
from emorank.errors import ImageError


def raising(monkeypatch, error):
    def command(context):
        raise error

    monkeypatch.setattr(program.emorank, "invoke", command)


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (ImageError("a.jpg", "truncated"), 1, "Error: a.jpg: truncated\n"),
        (OSError(28, "No space left on device", "/x/y"), 1, "Error: /x/y: No space left on device"),
        (OSError("could not be written"), 1, "Error: could not be written"),
        (KeyboardInterrupt(), 130, "Error: stopped; the same command goes on from here\n"),
        (click.Abort(), 130, "Error: stopped"),
        (click.UsageError("no"), 2, "Error: no\n"),
    ],
)
def test_expected_errors_are_one_line(cli, monkeypatch, error, code, says):
    """The message, an exit status by kind, nothing on stdout."""
    raising(monkeypatch, error)
    done = cli("run")
    assert done.code == code
    assert done.err.startswith(says)
    assert done.err.count("\n") == 1
    assert done.out == ""


@pytest.mark.parametrize("verb", sorted(program.BRIEF))
def test_who_keeps_nothing_does_not_promise_to_go_on(cli, monkeypatch, verb):
    """A stopped summary begins anew."""
    raising(monkeypatch, KeyboardInterrupt())
    monkeypatch.setattr(sys, "argv", ["emorank", verb])
    assert verb in program.VERBS
    assert cli(verb).err == "Error: stopped; nothing half-written was left\n"
    assert cli("--offline", verb).err == "Error: stopped; nothing half-written was left\n"


def test_unexpected_errors_are_not_hidden(cli, monkeypatch):
    """A mistake of ours keeps its traceback, so that it can be reported."""
    raising(monkeypatch, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        cli("run")


def test_a_reader_that_goes_away_is_no_error():
    """`emorank networks | true`, which rich prints, ends without a word."""
    with subprocess.Popen(
        [sys.executable, "-m", "emorank", "networks"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        process.stdout.close()
        err = process.stderr.read().decode()
    assert (process.returncode, err) == (141, "")
