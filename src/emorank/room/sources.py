"""Answers from a file of any format or from a rating project.

No other module asks which of the two a path is. The libraries that a project needs are imported
only for a project.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import pandas as pd

from emorank.answers.answers_table import firsts_of
from emorank.answers.declared import UNSAID, Declared, declared
from emorank.answers.emotion_votes import EmotionVotes
from emorank.answers.formats.csv_parquet import read_table
from emorank.answers.interchange import Source, check_declared, read_file
from emorank.answers.names import check_images, full_names
from emorank.answers.tabular import check_file
from emorank.answers.votes import votes_of
from emorank.errors import VotesError, needing
from emorank.room.settings import is_project


def is_source(path: Path) -> bool:
    """Whether there is a file or a rating project."""
    return path.is_file() or is_project(path)


def source_text(path: Path) -> str:
    """The content of a file or project as text, to see whether it has changed."""
    return read_answers(path).to_csv() if is_project(path) else path.read_text(errors="replace")


def read_source(
    path: Path | str,
    format: str | None = None,  # noqa: A002 - the word for it
    given: Declared = UNSAID,
) -> Source:
    """Read a file of votes of any format, or a rating project.

    `format` and what is declared are for files, see `read_file`.

    Raises:
        VotesError: the format of the file is unknown, or the file does not fit it.
        RatingError: the project is damaged.
    """
    path = Path(path)
    if is_project(path):
        check_declared("a rating project", given)
        return Source("project", _project_answers(path))
    return read_file(path, format, given)


def read_answers(
    path: Path | str,
    format: str | None = None,  # noqa: A002 - the word for it
    *,
    cut: Sequence[float] | None = None,
    control: str | None = None,
    words: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """The answers in a file of any format that holds some, or in a rating project.

    Args:
        path: the file or the folder.
        format: one of `formats.FORMATS`, or None to look into the file.
        cut: the lowest ratings that count as Minimal, Average, Strong; None: (1, 2, 3) for MDNS,
            and elsewhere a rating is no answer.
        control: of Label Studio, the control that holds the answers; None for the only one.
        words: the answer that each word (or number, as text) of the file stands for.

    Raises:
        VotesError: as `read_source`, and for votes on emotions, which are no answers.
    """
    content = read_source(path, format, declared(control, words, cut)).content
    if isinstance(content, EmotionVotes):
        raise VotesError(
            f"{path}: holds votes on which emotion is expressed, not on how strongly; see "
            f"emorank rate summary"
        )
    return content


def read_votes(path: Path | str, images: Collection[str] | None = None) -> pd.DataFrame:
    """Read the votes of a CSV or Parquet file, or of a rating project.

    A file has one row a vote (columns `image`, `rater`, `rank`) or is the sheet of the paper's
    Table 5, one row an image (`image`, `a1`, `a2` …, one column a rater). Ranks are Minimal,
    Average, Strong in any form that `Rank.parse` reads. A blank rank is a missing vote; it is left
    out. None (the emotion is not there) and Skip are no ranks either; see `votes_of`.

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
    path, blank = Path(path), 0
    if is_project(path):
        answers = firsts_of(_project_answers(path))
    else:
        check_file(path)
        parquet = path.suffix.lower() == ".parquet"
        answers, blank = read_table(path, parquet, images, votes_only=True)
    votes = votes_of(answers)
    if images is not None:
        votes["image"] = votes["image"].map(full_names(votes["image"], images)).astype("string")
        check_images(path, votes["image"], images)
    votes.attrs = {"blank": blank + len(answers) - len(votes)}
    return votes


def _project_answers(path: Path) -> pd.DataFrame:
    with needing("web", "a rating project"):
        from emorank.room.overview import answers
        from emorank.room.project import open_project
    return answers(open_project(path))
