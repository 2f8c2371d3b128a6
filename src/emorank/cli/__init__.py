"""The command line: verbs, each imported when it is called."""

import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from click.shell_completion import shell_complete

from emorank import __version__
from emorank.cli.everywhere import options, surroundings, warning_mark
from emorank.cli.exit_codes import ExitCode
from emorank.cli.verbs import Verbs
from emorank.errors import EmorankError
from emorank.printable import printable

VERBS = {
    "run": "stages.run",
    "prepare": "stages.prepare",
    "train": "train.command",
    "test": "stages.test",
    "explain": "explain.command",
    "rank": "rank.command",
    "watch": "watch.command",
    "validate": "stages.validate",
    "audit": "audit.command",
    "calibrate": "calibrate.command",
    "report": "stages.report",
    "faithfulness": "faithfulness.command",
    "compare": "compare.command",
    "paper": "paper.command",
    "groups": "groups.command",
    "card": "card.command",
    "rate": "rate.command",
    "serve": "serve.command",
    "data": "data.command",
    "networks": "networks.command",
    "weights": "weights.command",
}

# Verbs that look and keep nothing on the way; the others do not do again what they have done.
BRIEF = {"card", "data", "groups", "paper", "rate", "report", "serve", "validate", "weights"}
_COMPLETE = "_EMORANK_COMPLETE"
_GOES_ON = "the same command goes on from here"


@click.command(
    cls=Verbs,
    package="emorank.cli",
    verbs=VERBS,
    params=options(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Try it: emorank rank photo.jpg, or a whole study: emorank run sample --out demo",
)
@click.version_option(__version__, prog_name="emorank")
def emorank() -> None:
    """Name the expressed emotion of a face, show which pixels made the model say so, and rank how
    strongly it is expressed: Minimal, Average, Strong.

    A study goes through the stages prepare, train, test, explain, rank, validate, report; `run`
    does them all. A run that was stopped goes on with the same command.
    """  # noqa: D205 - click prints the first paragraph as it stands


def main() -> None:
    """Run the command line; every expected error is one line on stderr and an exit code."""
    warnings.showwarning = _show  # type: ignore[assignment]  # the place is not looked at
    with surroundings(), _stopped_like_ctrl_c() as stopped:
        code = _run()
    if code == ExitCode.STOPPED and stopped:
        code = ExitCode.TERMINATED
    if code != ExitCode.DONE:
        sys.exit(code)


def _run() -> int:
    """Run the command line; the exit code."""
    try:
        if asked := os.environ.get(_COMPLETE):
            return shell_complete(emorank, {}, "emorank", _COMPLETE, asked)
        # Not `emorank.main`, which ends the process itself where a reader of the output is gone.
        with emorank.make_context("emorank", sys.argv[1:]) as context:
            emorank.invoke(context)
        if sys.stdout is not None:  # None where the shell has closed it
            sys.stdout.flush()
    except click.exceptions.Exit as end:  # --help, --version
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt) as stop:
        verb = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
        way = "nothing half-written was left" if verb in BRIEF else _GOES_ON
        if sys.stderr.isatty():
            click.echo(err=True)  # below the ^C that the terminal shows
        return _failed(str(stop) or f"stopped; {way}", ExitCode.STOPPED)
    except EmorankError as error:
        return _failed(str(error))
    except SystemExit as end:
        # So rich ends where whoever reads our output (head, less) has ended.
        if isinstance(end.__context__, BrokenPipeError):
            return _reader_gone()
        raise
    except BrokenPipeError:
        return _reader_gone()
    except OSError as error:
        _give_up_stdout()
        where = f"{error.filename}: " if error.filename else ""
        return _failed(f"{where}{error.strerror or error}; nothing half-written was left")
    return ExitCode.DONE


@contextmanager
def _stopped_like_ctrl_c() -> Iterator[list[int]]:
    """SIGTERM, from a scheduler or a container, ends the work as Ctrl-C does; the list has it."""
    came: list[int] = []

    def stop(number: int, frame: object) -> None:
        came.append(number)
        raise KeyboardInterrupt

    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    )
    if ours:
        signal.signal(signal.SIGTERM, stop)
    try:
        yield came
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _reader_gone() -> int:
    """Nobody reads our output any more; that is no error of ours, and nothing is said of it."""
    _give_up_stdout()
    return ExitCode.READER_GONE


def _give_up_stdout() -> None:
    """What cannot be written to standard output is let go, so that the end does not try again."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show(message: Warning | str, category: type[Warning], *place: Any) -> None:
    """Print a warning without the line of code that it comes from."""
    click.echo(f"{warning_mark()} {message}", err=True)


def _failed(message: str, code: int = ExitCode.FAILED) -> int:
    lines = "\n".join(printable(line) for line in message.split("\n"))
    click.echo(f"{click.style('Error:', fg='red', bold=True)} {lines}", err=True)
    return code
