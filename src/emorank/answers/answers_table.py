"""The table of raters' answers that everything else shares: one row an answer.

An answer is one rater's word when one image was shown with one question ("How strongly does
this face express *happy*?"). What is rated is therefore a pair of image and emotion: a face that
was rated for six emotions has six units. Columns, in this order:

| column        | dtype               | meaning                                                  |
|---------------|---------------------|----------------------------------------------------------|
| `image`       | string              | the image's name, as `naming.image_name` writes it       |
| `emotion`     | string              | the emotion word of the question, as                     |
|               |                     | `vocabulary.emotion_word` writes it; <NA> if unknown     |
| `rater`       | string              | who answered, as `naming.person_name` writes it          |
| `answer`      | string              | Minimal, Average, Strong; None (no such emotion here);   |
|               |                     | Skip (no answer to the question)                         |
| `repeat`      | bool                | the second showing of a unit to the same rater           |
| `reaction_ms` | Int64               | from the picture shown to the answer; <NA> if unknown    |
| `hidden_ms`   | Int64               | besides, while the page was hidden; <NA> if unknown      |
| `shortest_ms` | Int64               | the shortest viewing time then: earlier answers did not  |
|               |                     | count; <NA> if unknown                                   |
| `exposure_ms` | Int64               | how long the face was to be on the screen, where that    |
|               |                     | was fixed; <NA> else                                     |
| `shown_ms`    | Int64               | how long it was, as the browser measured; <NA> else      |
| `times_shown` | Int64               | how often it began to be shown for that time, more than  |
|               |                     | once where it was begun anew; <NA> else                  |
| `at`          | datetime64[ns, UTC] | time of the answer; <NA> if unknown                      |
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pandas as pd

from emorank.answers.tabular import SHOWN, Offenders
from emorank.errors import VotesError
from emorank.naming import each, image_name, person_name, whole
from emorank.vocabulary import NONE, Rank, emotion_word

TIMES = ("reaction_ms", "hidden_ms", "shortest_ms", "exposure_ms", "shown_ms", "times_shown")
COLUMNS = ("image", "emotion", "rater", "answer", "repeat", *TIMES, "at")
REQUIRED = ("image", "rater", "answer")
# There is one answer for each unit, rater and showing.
KEY = ("image", "emotion", "rater", "repeat")
UNIT = ("image", "emotion")

RANKS = tuple(rank.label for rank in Rank)
SKIP = "Skip"
ANSWERS = (*RANKS, NONE, SKIP)

_WORDS = {
    **dict.fromkeys(("none", "0", "no such emotion", "no such emotion here"), NONE),
    **dict.fromkeys(("skip", "skipped"), SKIP),
}
# A file name has at most 255 bytes; a path in a study consists of a few of them.
MAX_NAME = 1024
FAST_MS = 500  # who answers sooner has hardly judged the face


def answers_table(rows: pd.DataFrame | Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Make the table of answers of any rows, in their order, and check all of it.

    Args:
        rows: a table, or one mapping an answer. `image`, `rater` and `answer` have to be there;
            `emotion`, `repeat` (False), the times in ms and `at` (aware datetimes, ISO 8601
            strings; without a zone UTC) may be missing, or missing in some rows. An empty `emotion`
            is an unknown one. Other columns are refused. Names that people write in several ways
            are written in one.

    Raises:
        VotesError: a column is missing or unknown, a name empty, longer than `MAX_NAME` characters
            or not writable as UTF-8, an answer not in `ANSWERS`, a time negative or no time, or a
            unit was answered twice by one rater at the same showing.
    """
    # As objects, so that the checks below refuse what is no text, and name its row.
    table = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows), dtype="object")
    if not len(table) and not len(table.columns):
        table = pd.DataFrame(columns=list(REQUIRED))
    table = _columns(table).reset_index(drop=True)
    result = pd.DataFrame(
        {
            "image": _names(table, "image", image_name),
            "emotion": _names(table, "emotion", emotion_word, optional=True),
            "rater": _names(table, "rater", person_name),
            "answer": _answers(table),
            "repeat": _repeats(table),
            **{name: _milliseconds(table, name) for name in TIMES},
            "at": _instants(table),
        }
    )
    _refuse(
        result,
        result.duplicated(list(KEY)),
        "a second answer of a rater to a unit at the same showing",
    )
    return result


def parse_answer(word: str) -> str:
    """An answer as people write it: a rank that `Rank.parse` reads, None or Skip, in any case."""
    # Table programs write whole numbers as 1.0 where a column has gaps.
    if (key := whole(word.strip().lower())) in _WORDS:
        return _WORDS[key]
    try:
        return Rank.parse(word).label
    except VotesError:
        raise VotesError(
            f"{_short(word)} is no answer; expected Minimal, Average, Strong (Min, Avg, Str; "
            f"1, 2, 3), None or Skip"
        ) from None


def firsts_of(answers: pd.DataFrame) -> pd.DataFrame:
    """The answers at the first showing, which alone enter a majority or an agreement."""
    return answers[~answers["repeat"]].reset_index(drop=True)


def fast_of(answers: pd.DataFrame) -> "pd.Series[bool]":
    """Which answers came within `FAST_MS`, or within their own shortest viewing time.

    An answer whose reaction time is unknown is not one of them.
    """
    least = answers["shortest_ms"].fillna(0).clip(lower=FAST_MS)
    return (answers["reaction_ms"] < least).fillna(value=False).astype(bool)


def repeats_of(answers: pd.DataFrame) -> pd.DataFrame:
    """Units that a rater answered twice: `image`, `emotion`, `rater`, `first`, `second` (answers).

    A second showing whose first has no answer is left out.
    """
    key = ["image", "emotion", "rater"]
    # An unknown emotion is the same one both times, but versions of pandas differ in whether they
    # merge <NA> with <NA>.
    rows = answers.assign(emotion=answers["emotion"].fillna(""))
    again = rows["repeat"]
    first = rows.loc[~again, [*key, "answer"]].rename(columns={"answer": "first"})
    second = rows.loc[again, [*key, "answer"]].rename(columns={"answer": "second"})
    both = first.merge(second, on=key, validate="one_to_one")
    return both.assign(emotion=both["emotion"].mask(both["emotion"] == ""))


def _columns(table: pd.DataFrame) -> pd.DataFrame:
    if not {*REQUIRED} <= {*table.columns} <= {*COLUMNS} or not table.columns.is_unique:
        came = ", ".join(str(name) for name in list(table.columns)[:20]) or "none"
        raise VotesError(
            f"answers have the columns {', '.join(COLUMNS)}, of which {', '.join(REQUIRED)} have "
            f"to be there; came {came}"
        )
    return table.reindex(columns=list(COLUMNS))


def _names(
    table: pd.DataFrame, column: str, spell: Callable[[str], str], optional: bool = False
) -> pd.Series:
    bad = table[column].notna() & ~table[column].map(_writable).astype(bool)
    _refuse(table, bad, f"a name of the {column} that is no text or holds NUL")
    names = each(table[column].astype("string"), spell)
    blank = names.isna() | (names.str.strip() == "").fillna(value=True)
    if optional:
        names = names.mask(blank)
    else:
        _refuse(table, blank, f"no {column}")
    long = (names.str.len() > MAX_NAME).fillna(value=False)
    _refuse(table, long, f"a name of the {column} with more than {MAX_NAME} characters")
    return names


def _writable(name: object) -> bool:
    """Whether every file format can hold a name."""
    try:
        return isinstance(name, str) and b"\0" not in name.encode()
    except UnicodeEncodeError:
        return False


def _answers(table: pd.DataFrame) -> pd.Series:
    unknown = ~table["answer"].map(lambda word: isinstance(word, str) and word in ANSWERS)
    _refuse(table, unknown.astype(bool), f"an answer that is none of {', '.join(ANSWERS)}")
    return table["answer"].astype("string")


def _repeats(table: pd.DataFrame) -> pd.Series:
    repeat = table["repeat"].astype("object")
    repeat = repeat.where(repeat.notna(), False)
    _refuse(table, ~repeat.isin([True, False]), "a repeat that is neither true nor false")
    return repeat.astype(bool)


def _milliseconds(table: pd.DataFrame, column: str) -> pd.Series:
    values = pd.to_numeric(table[column], errors="coerce")
    whole = values.astype("Float64").round()
    bad = (table[column].notna() & values.isna()) | (whole < 0).fillna(value=False)
    # 2**53 ms are 285 000 years: beyond it JSON and spreadsheets lose digits.
    bad |= (whole > 2**53).fillna(value=False)
    _refuse(table, bad, f"a {column} that is no number of milliseconds")
    return whole.astype("Int64")


def _instants(table: pd.DataFrame) -> pd.Series:
    values = table["at"]
    # A number is no time, because its unit is not known.
    text = values.mask(values.map(lambda value: isinstance(value, int | float | bool)))
    at: pd.Series = pd.to_datetime(text, errors="coerce", utc=True, format="ISO8601")
    # Nanoseconds in 64 bits begin in 1677 and end in 2262.
    at = at.where(at.dt.year.between(1970, 2200))
    _refuse(table, values.notna() & at.isna(), "a time that is not ISO 8601, or before 1970")
    instants: pd.Series = at.dt.as_unit("ns")
    return instants


def _refuse(table: pd.DataFrame, bad: pd.Series, what: str) -> None:
    """Raise a VotesError that names the first bad rows, counted from 1."""
    rows = bad.to_numpy(dtype=bool, na_value=True).nonzero()[0]
    if len(rows):
        offenders = Offenders()
        offenders.add(what, *(_row(table, int(i)) for i in rows[:SHOWN]), count=len(rows))
        raise VotesError(*offenders.lines())


def _row(table: pd.DataFrame, number: int) -> str:
    cells = ", ".join(_short(table[name].iloc[number]) for name in REQUIRED)
    return f"row {number + 1} ({cells})"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
