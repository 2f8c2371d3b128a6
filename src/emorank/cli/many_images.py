"""Rank or explain any number of images into a table or folder, and say what came of them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emorank.cli.options import together
from emorank.printable import printable

if TYPE_CHECKING:
    from emorank.scale.many import Outcome
    from emorank.study.folder import Study

_SHOWN = 20  # excluded images that are named on the terminal
_REASONS = 5  # reasons that are counted there


class Share(click.ParamType[Any]):
    """I/N, as two numbers."""

    name = "I/N"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[int, int]:
        """Read the numbers."""
        try:
            place, of = (int(word) for word in str(value).split("/"))
        except ValueError:
            self.fail(f"'{value}': expected I/N, for instance 3/100", param, ctx)
        if not 1 <= place <= of:
            self.fail(f"'{value}': expected I/N with 1 ≤ I ≤ N", param, ctx)
        return place, of


class _Bytes(click.ParamType[Any]):
    """A number of bytes, as gigabytes."""

    name = "GB"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """Read the number."""
        try:
            size = float(value)
        except ValueError:
            size = 0
        if not 0 < size < 1e6:
            self.fail(f"'{value}': expected gigabytes, for instance 2", param, ctx)
        return int(size * 1e9)


def many_options(out: str) -> Callable[[Any], Any]:
    """What goes with the option that names the result, such as `--out`."""
    return together(
        click.option(
            "--workers",
            type=click.IntRange(0),
            help=f"Processes that read, with {out}; 0 reads in this one. Default: one for each "
            "core, or 0 for a few images.",
        ),
        click.option(
            "--time-limit",
            type=click.FloatRange(0, min_open=True),
            metavar="SECONDS",
            help="A worker that spends longer on one image is ended, and the image excluded. "
            "Default: 60.",
        ),
        click.option(
            "--memory",
            type=_Bytes(),
            help="What a worker may take beyond its loaded network (on Linux). Default: 2.",
        ),
        click.option(
            "--shard",
            type=Share(),
            help="Do only each N-th part of the list from the I-th on, as one of N tasks of a "
            f"cluster that share the folder {out}; docs/scale.md shows how.",
        ),
        click.option(
            "--ray",
            metavar="auto|HOST:PORT",
            help=f"Let the nodes of a cluster of Ray read, which share the images and {out}; "
            "--workers is then the most tasks at once. docs/scale.md shows how.",
        ),
        click.option(
            "--ray-cores", type=click.IntRange(1), help="Cores of each task on Ray. Default: 1."
        ),
    )


MANY = ("workers", "time_limit", "memory", "shard", "ray", "ray_cores")
"""What these options are called in Python."""


def check_out(out: Path) -> None:
    """Refuse a name that is of no table that is written.

    Raises:
        BadParameter: it has an ending, and another one.
    """
    if out.suffix not in {"", ".csv", ".parquet"} and not out.is_dir():
        raise click.BadParameter(
            f"{out}: expected a name ending in .csv or .parquet, or a folder's name without an "
            "ending"
        )


def write_ranks(
    images: tuple[str, ...],
    out: Path,
    study: "Study | None",
    method: str | None,
    options: Mapping[str, Any],
    overwrite: bool,
) -> None:
    """Rank images into `out`; print where the table is, and what was excluded.

    Raises:
        ImageError: the only image, if it cannot be used.
        EmorankError: none of several can be used; or as `rank_many`.
    """
    from emorank.cli.studies import progress_bar
    from emorank.scale.rank_many import rank_many

    with progress_bar("images") as progress:
        outcome = rank_many(
            images,
            out,
            study=study,
            rank=method or (),
            overwrite=overwrite,
            progress=progress,
            **options,
        )
    _tell(outcome, "faces")


def write_relevance(images: tuple[str, ...], out: Path, options: Mapping[str, Any]) -> None:
    """Explain images into the folder `out`; print where it is, and what was excluded.

    Raises:
        ImageError: the only image, if it cannot be used.
        EmorankError: none of several can be used; or as `explain_many`.
    """
    from emorank.cli.studies import progress_bar
    from emorank.scale.explain_many import explain_many

    with progress_bar("images") as progress:
        outcome = explain_many(images, out, progress=progress, **options)
    _tell(outcome, "explanations")


def _tell(outcome: "Outcome", what: str) -> None:
    from emorank.errors import EmorankError

    counts = outcome.counts
    if counts is None:
        click.echo(
            f"this task's shards are done; {outcome.missing:,} shards of other tasks are not"
        )
        return
    if outcome.ranks is not None:
        click.echo(f"{counts.faces:,} {what}: {outcome.ranks}")
    if outcome.maps is not None:
        click.echo(f"their relevance: {outcome.maps}")
    if outcome.excluded is None:
        return
    errors = _first(outcome.excluded)
    if counts.images == 1 and not counts.ranked:
        for error in errors[:-1]:
            click.echo(f"left out: {error}", err=True)
        raise errors[-1]
    for error in errors[:_SHOWN]:
        click.echo(f"left out: {error}", err=True)
    more = counts.excluded + counts.left_out - _SHOWN
    if more > 0:
        click.echo(f"left out: {more:,} more", err=True)
    reasons = counts.reasons.most_common(_REASONS)
    words = [f"{counts.ranked:,} ranked", f"{counts.faceless:,} without a face"]
    words += [f"{count:,}: {printable(reason)}" for reason, count in reasons]
    if rest := counts.reasons.total() - sum(count for _, count in reasons):
        words.append(f"{rest:,} for other reasons")
    click.echo(f"{counts.images:,} images: {'; '.join(words)}; listed in {outcome.excluded}")
    if not counts.ranked:
        raise EmorankError(
            f"none of the {counts.images:,} images can be used; the reasons are above"
        )


def _first(table: Path) -> "list[Any]":
    """The first excluded images of a table."""
    from itertools import islice

    from emorank import delimited
    from emorank.errors import EmorankError, ImageError
    from emorank.scale.part import read_rows

    if table.suffix == ".csv":
        _, rows = delimited.table(table, EmorankError)
        pairs = ((cells[0], cells[1]) for _, cells in rows)
    else:
        pairs = ((row["image"], row["reason"]) for row in read_rows(table))
    return [ImageError(image, reason) for image, reason in islice(pairs, _SHOWN + 1)]
