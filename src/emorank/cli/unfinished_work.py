"""Results that are there already, and work on many images that was stopped."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from emorank.reading.unfinished import Unfinished


def require_new(path: Path, overwrite: bool) -> None:
    """Refuse to replace a file.

    Raises:
        ClickException: there is one, and nobody said `--overwrite`.
    """
    if path.exists() and not overwrite:
        raise click.ClickException(
            f"{path} is there already; give another name, or --overwrite to replace it"
        )


def unfinished(out: Path, key: str, overwrite: bool) -> "Unfinished":
    """What a stopped command has left of the result `out`; `key` says of which command it is.

    Raises:
        ClickException: another command left something, and nobody said `--overwrite`.
    """
    from emorank.reading.unfinished import Unfinished

    kept = Unfinished(out, key)
    if kept.of_another:
        if not overwrite:
            raise click.ClickException(
                f"{kept.path} is the unfinished result of a command with other options, or of "
                "another network; give another --out, or --overwrite to begin anew"
            )
        kept.discard()
    return kept


@contextmanager
def finishing(kept: "Unfinished") -> Iterator[None]:
    """What is kept is removed at the end, and after a refusal; not if the work was stopped."""
    from emorank.errors import EmorankError

    try:
        yield
    except EmorankError:
        kept.discard()
        raise
    kept.discard()


@contextmanager
def keeping_nothing(way: str) -> Iterator[None]:
    """Say when work is stopped that it keeps nothing, and which `way` it would."""
    try:
        yield
    except KeyboardInterrupt:
        raise click.Abort(f"stopped; nothing was kept ({way} it would be)") from None
