"""JSON within bounds, and answers as JSON."""

from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from emorank import delimited
from emorank.answers.answers_table import COLUMNS, answers_table
from emorank.answers.tabular import check_file
from emorank.errors import VotesError
from emorank.files import replacing

# In memory JSON takes some ten times as much.
MAX_BYTES = 128 * 2**20
KIND = {"emorank": "answers", "version": 1}


def load(path: Path) -> Any:
    """The content of a JSON file: lists, dicts, texts and numbers."""
    check_file(path, MAX_BYTES)
    try:
        return msgspec.json.decode(path.read_text(encoding=delimited.encoding_of(path)))
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise VotesError(f"{path}: is no JSON: {error}") from None


def are_answers(content: Any) -> bool:
    """Whether JSON is what `write_json` writes."""
    return isinstance(content, dict) and content.get("emorank") == "answers"


def read_json(content: dict[str, Any]) -> pd.DataFrame:
    """The answers of a file that `write_json` wrote."""
    version, rows = content.get("version"), content.get("answers")
    if version != 1:
        raise VotesError(f"answers of version {version!r}; this emorank reads version 1")
    if unknown := sorted(content.keys() - {*KIND, "answers"}):
        raise VotesError(
            f"expected emorank, version and answers; came {', '.join(unknown)[:80]} too"
        )
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise VotesError("expected a list of objects under 'answers'")
    return answers_table(rows)


def write_json(answers: pd.DataFrame, path: Path) -> None:
    """Write answers as JSON: one object an answer, what is missing left out."""
    with replacing(path) as partial:
        partial.write_bytes(
            msgspec.json.format(msgspec.json.encode(KIND | {"answers": records(answers)}), indent=1)
        )


def records(answers: pd.DataFrame) -> list[dict[str, Any]]:
    """One plain dict an answer, times as ISO 8601 text, what is missing left out."""
    table = answers[list(COLUMNS)].astype("object")
    rows = []
    for row in table.to_dict("records"):
        cells = {str(name): cell for name, cell in row.items() if not pd.isna(cell)}
        if "at" in cells:
            cells["at"] = cells["at"].isoformat().replace("+00:00", "Z")
        rows.append(cells)
    return rows
