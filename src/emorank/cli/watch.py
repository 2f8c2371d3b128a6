"""`emorank watch`: films as tables."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emorank.cli.completions import RANKS, one_of
from emorank.cli.many_images import Share
from emorank.cli.options import (
    FILE_OR_FOLDER,
    FOLDER,
    device_option,
    network_of_study_option,
    overwrite_option,
)
from emorank.printable import printable

if TYPE_CHECKING:
    from emorank.errors import ImageError
    from emorank.film.watch import WatchedFilm

_SHOWN = 5  # broken frames of a film that are named on the terminal


@click.command("watch", short_help="Name and rank the expressions in films.")
@click.argument("films", nargs=-1, required=True, type=FILE_OR_FOLDER)
@click.option("--out", required=True, type=FOLDER, help="Folder; each film gets one in it.")
@click.option(
    "--every", type=click.IntRange(1), default=1, help="Read only each N-th frame. Default: 1."
)
@click.option(
    "--faces",
    type=click.IntRange(1),
    help="Of each frame, only the N nearest faces. Default: all.",
)
@click.option(
    "--rank",
    "ranks",
    multiple=True,
    metavar="NAME",
    shell_complete=one_of(RANKS),
    help="Which rank, as in emorank rank; may be repeated. Default: contrast.",
)
@network_of_study_option
@device_option
@click.option(
    "--smooth/--no-smooth",
    default=True,
    help="Smooth the curve of each expression along each track; the default.",
)
@click.option(
    "--save-faces",
    is_flag=True,
    help="Write each face as a picture, and faces.csv: a data set with sequences.",
)
@click.option(
    "--fps",
    type=click.FloatRange(0, min_open=True),
    default=30.0,
    help="Frames a second of a folder of frames. Default: 30.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["parquet", "csv"]),
    default="parquet",
    help="Of the tables. Default: parquet.",
)
@click.option(
    "--labels",
    multiple=True,
    type=click.Choice(["elan", "boris"]),
    help="Write events and levels for ELAN or BORIS too; may be repeated.",
)
@click.option(
    "--draw/--no-draw",
    default=True,
    help="Draw the page on which the film plays beside its timeline, and a figure; the default.",
)
@click.option(
    "--annotate",
    is_flag=True,
    help="Write the film with boxes, persons, emotions and levels (annotated.webm).",
)
@click.option(
    "--heatmaps",
    is_flag=True,
    help="Write the film with the heatmap of each face over it (heatmaps.webm).",
)
@click.option(
    "--shard",
    type=Share(),
    help="Read only each N-th film from the I-th on, as one of N tasks that share --out.",
)
@overwrite_option
def command(
    films: tuple[Path, ...],
    out: Path,
    folder: Path | None,
    ranks: tuple[str, ...],
    form: str,
    **asked: Any,
) -> None:
    """Say of every frame of FILMS whose faces are in it, what they express and how strongly.

    FILMS are files, folders of films, or folders of frames, which are pictures in the order of
    their names. Each film gets a folder with two tables: frames, with a row for each face of each
    frame, and events, when each expression of each person begins, is strongest and ends. Faces of
    one person are one track, also after a cut. On the page index.html the film plays beside its
    timeline. docs/film.md describes all of it.

    A command that was stopped goes on when you give it again. Films that cannot be read are named;
    the others go on.

    \b
    Examples:
      emorank watch film.mp4 --out watched
      emorank watch frames/ --fps 25 --out watched --format csv
      emorank watch film.mp4 --every 2 --faces 1 --out sparse --labels elan --labels boris
      emorank watch film.mp4 --out sequences --save-faces
      emorank watch film.mp4 --out watched --annotate --heatmaps
      emorank watch films/ --out watched --shard 3/10
    """
    from emorank import watch
    from emorank.cli.studies import progress_bar
    from emorank.errors import EmorankError

    with progress_bar("frames") as progress:
        watched = watch(
            films, out, study=folder, rank=ranks, format=form, progress=progress, **asked
        )
    for film in watched:
        _tell(film)
    for error in watched.excluded:
        _name(error)
    if watched.excluded and not len(watched):
        raise EmorankError(
            f"none of the {len(watched.excluded)} films can be read; the reasons are above"
        )


def _name(error: "ImageError") -> None:
    click.echo(f"left out: {error}", err=True)


def _tell(film: "WatchedFilm") -> None:
    """One line for a film, and what is to be known of its frames."""
    about = film.about
    counts = [
        _count(about["read"], "frame"), _count(about["faces"], "face"),
        _count(about["tracks"], "track"), _count(about["events"], "event"),
    ]  # fmt: skip
    before = " (done before)" if film.again else ""
    click.echo(printable(f"{film.name}: {', '.join(counts)}: {film.folder}{before}"))
    if film.page in film.drawn:
        click.echo(printable(f"  to look at: {film.page}"))
    for frame in about["broken_frames"][:_SHOWN]:
        words = f"frame {frame['frame']} ({frame['time']:.2f} s): {frame['reason']}"
        click.echo(printable(f"left out: {about['film']}: {words}"), err=True)
    named = printable(str(film.folder / "film.json"))
    if (more := about["broken"] - _SHOWN) > 0:
        click.echo(f"left out: {more:,} more frames, named in {named}", err=True)
    if about["early"]:
        click.echo(printable(f"{about['film']}: ends early: {about['early']}"), err=True)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
