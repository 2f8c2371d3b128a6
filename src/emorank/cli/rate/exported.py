"""The codebook beside a file that `emorank rate export` writes."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emorank.answers.scales import Scale


def books_of(out: Path) -> tuple[Path, Path]:
    """Where the codebook of a file lies: for people, and for programs."""
    return out.with_name(f"{out.stem}.codebook.md"), out.with_name(f"{out.stem}.codebook.json")


def write_books(columns: Iterable[str], scale: "Scale", out: Path) -> None:
    """Write what each column of the file means, beside it."""
    from emorank.answers.codebook import as_json, as_markdown, codebook
    from emorank.files import replacing

    book = codebook(columns, scale)
    texts = as_markdown(book, f"Columns of {out.name}"), as_json(book)
    for path, text in zip(books_of(out), texts, strict=True):
        with replacing(path) as partial:
            partial.write_text(text, encoding="utf-8")
