"""Values as text, the same on pages, in LaTeX and on the terminal; what is undefined is a dash."""

import math
import re
from datetime import UTC, datetime
from pathlib import PurePosixPath, PureWindowsPath

import pandas as pd

from emorank.answers.answers_table import FAST_MS
from emorank.evaluation.statistics.uncertainty import Estimate
from emorank.vocabulary import Emotion

NONE = "–"
# What leads to a file of a machine: /home/ann/ or C:\Users\ann\; no web address, no relative path.
_FOLDERS = re.compile(
    r"(?<![\w.:/~\\-])~?/(?:[^/\s<>\"]+/)+(?=\w)|\b[A-Za-z]:\\(?:[^\\\s<>\"]+\\)+"
)
FAST = f"under {FAST_MS / 1000:g} s"  # heads the answers that came too fast


def cell(value: object, places: int = 2) -> str:
    """A value as text: floats rounded, whole numbers grouped, missing ones a dash."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return minus(f"{value:.{places}f}")
    if isinstance(value, int):
        return minus(f"{value:,}")
    return text(str(value))


def chance(p: float | None) -> str:
    """A p-value: three digits, and no zero, because no test can show that."""
    return "< 0.001" if p is not None and p < 0.0005 else cell(p, 3)


def text(value: str) -> str:
    """A string as a page shows it, which any file can hold, and which names no folder of a machine.

    A file name of undecodable bytes keeps them as escapes.
    """
    if PurePosixPath(value).is_absolute() or PureWindowsPath(value).is_absolute():
        value = value.replace("\\", "/").rstrip("/").rpartition("/")[2]
    value = _FOLDERS.sub("", value)
    return value.encode("utf-8", "backslashreplace").decode()


def part(count: int, whole: int) -> str:
    """A count and its share: "3 (12.5%)"; a dash where there is nothing to count."""
    return f"{count:,} ({count / whole:.1%})" if whole else NONE


def estimate(value: Estimate | None, places: int = 2) -> str:
    """A value with its interval: "0.83 [0.78, 0.88]"; a dash where there is none.

    An interval over few persons has the word "rough" after it.
    """
    if value is None or value.value is None:
        return NONE
    point = minus(f"{value.value:.{places}f}")
    if value.low is None or value.high is None:
        return point
    ends = minus(f"{value.low:.{places}f}, {value.high:.{places}f}")
    return f"{point} [{ends}]{' rough' * value.rough}"


def interval(value: Estimate, sign: str = "") -> str:
    """The interval alone: "0.78 to 0.88", with the word "rough" after it over few persons.

    With the `sign` "+" numbers above 0 have one.
    """
    if value.low is None or value.high is None:
        return NONE
    ends = minus(f"{value.low:{sign}.2f} to {value.high:{sign}.2f}")
    return f"{ends}{' rough' * value.rough}"


def estimate_and_method(value: Estimate) -> str:
    """A value with its interval and how it was computed, or why there is none."""
    if value.value is None:
        return f"{NONE} ({value.reason})"
    point = minus(f"{value.value:.2f}")
    if value.low is None or value.high is None:
        return f"{point} ({value.reason})"
    rough = "rough: " if value.rough else ""
    ends = minus(f"{value.low:.2f} to {value.high:.2f}")
    return f"{point} ({ends}, {rough}{value.method})"


def without_interval(words: str) -> str:
    """What `estimate` wrote, without the interval; other words stay."""
    return words.partition(" [")[0]


def minus(number: str) -> str:
    """A printed minus for a hyphen, and none before a zero."""
    return re.sub(r"-(?=0\.0+\b)", "", number).replace("-", "−")


def plain(value: object) -> object:
    """Numpy's numbers as Python's."""
    return value.item() if hasattr(value, "item") else value


def emotion_label(word: str) -> str:
    """An emotion as tables write it; a word outside the vocabulary stays as it is."""
    return Emotion(word).label if word in set(Emotion) else word


def capitalised(word: str) -> str:
    """The same word with a capital first letter; the others stay."""
    return word[:1].upper() + word[1:]


def moment(milliseconds: int) -> str:
    """Milliseconds since 1970 as "2026-11-29 14:05 UTC"."""
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M} UTC"
