"""The command line: verbs, each imported when it is called."""

import os
import sys
import warnings
from typing import Any

import click

from emorank import __version__
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


@click.command(
    cls=Verbs,
    package="emorank.cli",
    verbs=VERBS,
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
    """Run the command line; every expected error is one line on stderr and an exit status."""
    warnings.showwarning = _show  # type: ignore[assignment]  # the place is not looked at
    try:
        emorank(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt) as stop:
        brief = sys.argv[1:2] and sys.argv[1] in BRIEF
        way = "nothing half-written was left" if brief else "the same command goes on from here"
        _fail(str(stop) or f"stopped; {way}", 130)
    except EmorankError as error:
        _fail(str(error), 1)
    except BrokenPipeError:
        # Whoever reads our output (head, less) has ended; that is no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}; nothing half-written was left", 1)


def _show(message: Warning | str, category: type[Warning], *place: Any) -> None:
    """Print a warning without the line of code that it comes from."""
    click.echo(f"{click.style('Warning:', fg='yellow', bold=True)} {message}", err=True)


def _fail(message: str, code: int) -> None:
    lines = "\n".join(printable(line) for line in message.split("\n"))
    click.echo(f"{click.style('Error:', fg='red', bold=True)} {lines}", err=True)
    sys.exit(code)
