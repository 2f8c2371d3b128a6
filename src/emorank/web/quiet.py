"""A log that does not repeat itself, so that a flood of requests is no flood of lines."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

_PERIOD = 60.0  # seconds
_MOST = 20  # different lines of one kind in a period


class Quiet(logging.Filter):
    """Lets a line through once a minute, and of each kind of lines twenty a minute.

    A kind is what the code says before the values are put in. The next line after the minute says
    how many were left out.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock, self._since, self._left_out = clock, clock(), 0
        self._lines: set[str] = set()
        self._kinds: Counter[str] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is written."""
        now = self._clock()
        if now - self._since >= _PERIOD:
            if self._left_out:
                record.msg = f"{record.getMessage()} (since the last line {self._left_out} more)"
                record.args = None
            self._since, self._left_out = now, 0
            self._lines.clear()
            self._kinds.clear()
        # asyncio writes the object that failed on the lines below the first.
        kind = str(record.msg).partition("\n")[0]
        line = record.getMessage().partition("\n")[0]
        if line in self._lines or self._kinds[kind] >= _MOST:
            self._left_out += 1
            return False
        self._lines.add(line)
        self._kinds[kind] += 1
        return True


CONFIGURATION: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"quiet": {"()": Quiet}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(message)s"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["quiet"]}
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
