"""`rating.toml`: by it a folder is a rating project, and it says where the database is."""

import tomllib
from pathlib import Path

import tomli_w

from emorank.errors import RatingError
from emorank.files import private

SETTINGS = "rating.toml"


def is_project(folder: Path) -> bool:
    """Whether a folder is a rating project."""
    return (folder / SETTINGS).is_file()


def read_settings(folder: Path) -> tuple[str, str | None]:
    """The URL of the database, empty for `rating.db` in the folder; and its schema, if any."""
    if not is_project(folder):
        raise RatingError(
            f"{folder}: no rating project here (no {SETTINGS}); make one with: emorank rate new"
        )
    try:
        settings = tomllib.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        return settings["database"], settings.get("schema")
    except (tomllib.TOMLDecodeError, KeyError, UnicodeDecodeError) as error:
        raise RatingError(f"{folder / SETTINGS}: damaged ({error}); bring it back") from error


def write_settings(folder: Path, url: str | None, schema: str | None) -> None:
    """Write what `read_settings` reads; for its owner only, because a URL may hold a password."""
    place = {"database": url or ""} | ({"schema": schema} if schema else {})
    with private():
        (folder / SETTINGS).write_text(tomli_w.dumps(place), encoding="utf-8")
