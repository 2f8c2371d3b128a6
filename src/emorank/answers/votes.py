"""Votes of raters, read from a file that people wrote: all of it is checked, nothing is guessed."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from emorank.answers.answers_table import firsts_of, parse_answer, votes_of
from emorank.answers.tabular import (
    Offenders,
    Rows,
    check_file,
    csv_rows,
    parquet_rows,
    quoted,
)
from emorank.errors import VotesError, needing

COLUMNS = ("image", "rater", "rank")
PROJECT_FILE = "rating.toml"  # by which the folder of a rating project is known
_RATER_COLUMN = re.compile(r"a\d+")


def read_votes(path: Path | str, images: Collection[str] | None = None) -> pd.DataFrame:
    """Read the votes of a CSV or Parquet file, or of a rating project.

    Two layouts are understood: one row a vote (columns `image`, `rater`, `rank`) and the sheet of
    the paper's Table 5, one row an image (`image`, `a1`, `a2` …, one column a rater). Other columns
    are ignored. CSV is UTF-8 with commas, semicolons or tabs. Ranks are Minimal, Average, Strong in
    any form that `Rank.parse` reads; a blank rank is a missing vote and is left out. None (the
    emotion is not there) and Skip are no ranks either; see `answers.votes_of`.

    Args:
        path: the file; the ending `.parquet` says Parquet, any other CSV. Or the folder of a
            rating project: its ranks at the first showing.
        images: the images that may be voted on; None admits any.

    Returns:
        `image`, `rater`, `rank` (the rank's label) as strings, in the order of the file;
        `attrs["blank"]` is the number of votes without a rank that were left out.

    Raises:
        VotesError: the file cannot be read as such, or holds unknown ranks, unknown images or
            two votes of one rater on one image; the message names the first lines of each kind.
    """
    path = Path(path)
    if is_project(path):
        return _of_project(path, images)
    given, blank = read_given(path, images)
    votes = votes_of(given.assign(emotion=pd.array([pd.NA] * len(given), "string"), repeat=False))
    votes.attrs = {"blank": blank + len(given) - len(votes)}
    return votes


def read_given(path: Path, images: Collection[str] | None = None) -> tuple[pd.DataFrame, int]:
    """What a file of either layout holds: `image`, `rater`, `answer`; and how many are blank.

    Raises:
        VotesError: as `read_votes`.
    """
    check_file(path)
    parquet = path.suffix.lower() == ".parquet"
    header, rows = parquet_rows(path, _wanted) if parquet else csv_rows(path)
    return _checked(path, header, rows, images, "row" if parquet else "line")


def is_project(path: Path) -> bool:
    """Whether a folder is a rating project; asked without the libraries that one needs."""
    return (path / PROJECT_FILE).is_file()


def _of_project(path: Path, images: Collection[str] | None) -> pd.DataFrame:
    with needing("web", "a rating project"):
        from emorank.room.overview import answers
        from emorank.room.project import open_project
    first = firsts_of(answers(open_project(path)))
    votes = votes_of(first)
    unknown = sorted({*votes["image"]} - {*images}) if images is not None else []
    if unknown:
        raise VotesError(
            f"{path}: no vote was taken from this project: {len(unknown)} of its images are not "
            f"among those expected, the first: {quoted(unknown[0])}"
        )
    votes.attrs["blank"] = len(first) - len(votes)
    return votes


def _checked(
    path: Path, header: Sequence[str], rows: Rows, images: Collection[str] | None, unit: str
) -> tuple[pd.DataFrame, int]:
    names = [name.strip().lower() for name in header]
    cells = _cells(path, names)
    known = None if images is None else frozenset(images)
    offenders = Offenders()
    seen: dict[tuple[str, str], int] = {}
    votes: list[tuple[str, str, str]] = []
    blank = 0
    for number, row in rows:
        where = f"{unit} {number}"
        if len(row) != len(names):
            offenders.add("wrong number of columns", f"{where} has {len(row)}, not {len(names)}")
            continue
        for image, rater, word in cells(row):
            if not word:
                blank += 1
                continue
            if not image or not rater:
                offenders.add("vote without an image or a rater", where)
                continue
            if known is not None and image not in known:
                offenders.add("unknown image", f"{where} {quoted(image)}")
            try:
                answer = parse_answer(word)
            except VotesError:
                expected = "expected Minimal, Average or Strong; None or Skip"
                offenders.add(f"unknown rank ({expected})", f"{where} {quoted(word)}")
                continue
            first = seen.setdefault((image, rater), number)
            if first != number:
                offenders.add(
                    "second vote of a rater on an image",
                    f"{where} {quoted(rater)} on {quoted(image)}, first at {unit} {first}",
                )
            votes.append((image, rater, answer))
    offenders.raise_if_any(path)
    if not votes:
        raise VotesError(f"{path}: holds no vote ({blank} blank); expected one row a vote")
    return pd.DataFrame(votes, columns=["image", "rater", "answer"], dtype="string"), blank


@dataclass(frozen=True)
class _Cells:
    """Takes (image, rater, rank word) out of a row of either layout."""

    image: int
    rater: int | None
    ranks: tuple[tuple[str, int], ...]

    def __call__(self, row: Sequence[str]) -> Iterator[tuple[str, str, str]]:
        image = row[self.image].strip()
        for name, column in self.ranks:
            rater = name if self.rater is None else row[self.rater].strip()
            yield image, rater, row[column].strip()


def _cells(path: Path, names: Sequence[str]) -> _Cells:
    doubled = sorted({name for name in names if name and names.count(name) > 1})
    if doubled:
        raise VotesError(f"{path}: column {', '.join(map(quoted, doubled))} appears twice")
    if set(COLUMNS) <= set(names):
        return _Cells(names.index("image"), names.index("rater"), (("rank", names.index("rank")),))
    raters = tuple((n.upper(), i) for i, n in enumerate(names) if _RATER_COLUMN.fullmatch(n))
    if "image" in names and raters and not {"rater", "rank"} & set(names):
        return _Cells(names.index("image"), None, raters)
    missing = [name for name in COLUMNS if name not in names]
    came = ", ".join(quoted(name) for name in names[:20])
    raise VotesError(
        f"{path}: expected the columns image, rater, rank (or image, a1, a2 …); came {came}; "
        f"missing {', '.join(missing)}"
    )


def _wanted(name: str) -> bool:
    name = name.strip().lower()
    return name in COLUMNS or _RATER_COLUMN.fullmatch(name) is not None
