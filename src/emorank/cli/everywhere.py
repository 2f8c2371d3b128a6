"""Options that hold before and after every verb: what is said on the way, and no network."""

import logging
import os
import platform
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import click

from emorank import __version__
from emorank.environment import OFFLINE
from emorank.printable import printable

_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^/\s@]*@")
_SAID = "emorank.verbose"
_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)


class _OnStderr(logging.Handler):
    """Writes lines where standard error is now: below a bar that is being drawn.

    Warnings only, as those of Python are shown, until it is told to `say_more`.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.mark = f"{warning_mark()} "

    def say_more(self) -> None:
        """Write all that comes, each with its time, level and logger."""
        self.mark = ""
        self.setLevel(logging.NOTSET)
        form = "%(asctime)s %(levelname)s %(name)s: %(message)s"
        self.setFormatter(logging.Formatter(form, "%H:%M:%S"))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        try:
            text = "\n".join(map(printable, self.format(record).split("\n")))
            click.echo(f"{self.mark}{text}", err=True)
        except Exception:
            self.handleError(record)


_HANDLER: ContextVar[_OnStderr | None] = ContextVar("handler", default=None)
"""That of the command that is running; a line that is only parsed changes nothing."""


@contextmanager
def surroundings() -> Iterator[None]:
    """Warnings of the log go to standard error; at the end all is as it was before."""
    root, own, handler = logging.getLogger(), logging.getLogger("emorank"), _OnStderr()
    level, offline = own.level, os.environ.get(OFFLINE)
    root.addHandler(handler)
    running = _HANDLER.set(handler)
    try:
        yield
    finally:
        _HANDLER.reset(running)
        root.removeHandler(handler)
        own.setLevel(level)
        if offline is None:
            os.environ.pop(OFFLINE, None)
        else:
            os.environ[OFFLINE] = offline


def warning_mark() -> str:
    """What a warning on the terminal begins with."""
    return click.style("Warning:", fg="yellow", bold=True)


def _say_more(context: click.Context, option: click.Parameter, count: int) -> None:
    """Add to how often it was said, before the verb and after it."""
    said = context.meta[_SAID] = context.meta.get(_SAID, 0) + count
    handler = _HANDLER.get()
    if not count or handler is None:
        return
    own = logging.getLogger("emorank")
    own.setLevel(_LEVELS[min(said, len(_LEVELS) - 1)])
    handler.say_more()
    if said == count:
        versions = f"emorank {__version__}, Python {platform.python_version()}"
        line = _PASSWORD.sub(r"\1…@", shlex.join(sys.argv[1:]))
        own.info("%s, %s: %s", versions, platform.platform(), line)


def _stay_offline(context: click.Context, option: click.Parameter, said: bool) -> None:
    """Tell this process and those that it starts."""
    if said and _HANDLER.get() is not None:
        os.environ[OFFLINE] = "1"


def options(*, hidden: bool = False) -> list[click.Option]:
    """`--verbose` and `--offline`."""
    verbose = click.Option(
        ["-v", "--verbose"],
        count=True,
        expose_value=False,
        callback=_say_more,
        hidden=hidden,
        help="Say on standard error what is done and why; -vv says more. Also after the verb.",
    )
    offline = click.Option(
        ["--offline"],
        is_flag=True,
        expose_value=False,
        callback=_stay_offline,
        hidden=hidden,
        help="Open no connection; what would be fetched has to be here. Also after the verb.",
    )
    return [verbose, offline]


def add_to(command: click.Command) -> None:
    """Let a verb, and those below it, take the options; its help does not repeat them."""
    if not any(option.name == "offline" for option in command.params):
        command.params.extend(options(hidden=True))
    if isinstance(command, click.Group):
        for below in getattr(command, "commands", {}).values():
            add_to(below)
