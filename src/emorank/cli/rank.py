"""`emorank rank`: emotion and rank of images, or of a study's test part."""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emorank.cli.new_images import chunks, report_excluded, with_bar
from emorank.cli.options import images_options, settings_option, study_option
from emorank.cli.ranked import print_ranks, rank_test_faces
from emorank.cli.studies import open_with, run_stage

if TYPE_CHECKING:
    import pyarrow as pa


@click.command("rank", short_help="Name and rank the emotion of images.")
@images_options
@study_option
@click.option("--crop", type=click.Choice(["none", "face"]), help="As in training if unsaid.")
@settings_option
@click.option("--compounds", is_flag=True, help="Say which two emotions a face expresses together.")
@click.option(
    "--rank",
    "method",
    default="paper",
    show_default=True,
    metavar="NAME",
    help="Which rank: paper, evidence, calibrated or ordinal; docs/ranking.md says what each needs "
    "and how far it can be believed.",
)
@click.option(
    "--emotion",
    metavar="NAME",
    help="Rank this emotion in every face, whatever the network names, for instance happy.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a table, CSV or Parquet by its ending, instead of printing one.",
)
def command(
    images: tuple[Path, ...],
    folder: Path,
    out: Path | None,
    crop: str | None,
    nearest: bool,
    strict: bool,
    settings: tuple[str, ...],
    compounds: bool,
    method: str,
    emotion: str | None,
) -> None:
    """Name the expressed emotion of IMAGES (files or folders) and rank its intensity.

    Every face of an image is a row, the nearest first. Without IMAGES the study's own test part is
    ranked, as a stage of the study. Images that cannot be used are listed, and make the exit
    status 1 when none was left.

    \b
    Examples:
      emorank rank holiday.jpg --study demo
      emorank rank photographs/ --study kdef --out ranks.csv
      emorank rank holiday.jpg --study demo --rank evidence
      emorank rank smiles/ --study demo --rank evidence --emotion happy
    """
    if compounds and (method != "paper" or emotion):
        raise click.UsageError("--compounds goes with --rank paper, and without --emotion")
    if not images:
        if out or crop or nearest or strict or compounds or emotion:
            raise click.UsageError(
                "--out, --crop, --nearest, --strict, --compounds and --emotion go with IMAGES"
            )
        if method != "paper":
            rank_test_faces(folder, method, settings)
            return
        run_stage("rank", folder, settings)
        return
    if out is not None and out.suffix not in {".csv", ".parquet"}:
        raise click.BadParameter(f"{out}: expected a name ending in .csv or .parquet")
    from emorank import rank_images
    from emorank.datasets import walk
    from emorank.study.compounds import add_compounds

    paths, study = walk.paths(images), open_with(folder, settings)
    applied = rank_images(
        study, paths, crop=crop, nearest=nearest, strict=strict, rank=method, emotion=emotion
    )
    faces = with_bar(applied, len(paths))
    faces = add_compounds(applied.study, faces) if compounds else faces
    rows = (found.row for found in faces)
    if out is None:
        (print_ranks if method != "paper" or emotion else print_table)(list(rows))
    elif count := write_table(rows, out):
        click.echo(f"{count:,} faces: {out}")
    report_excluded(applied.excluded, len(paths))


def write_table(rows: Iterable[dict[str, Any]], out: Path) -> int:
    """CSV or Parquet by the ending, whole or not at all; returns the number of rows.

    Rows are written some hundred at a time, so that a folder of a million needs no more memory.
    """
    import pyarrow as pa
    from pyarrow.csv import CSVWriter
    from pyarrow.parquet import ParquetWriter

    from emorank.files import replacing

    open_writer = CSVWriter if out.suffix == ".csv" else ParquetWriter
    batches = chunks(rows, 500)
    first = next(batches, None)
    if first is None:
        return 0
    schema = _schema(pa.Table.from_pylist(first).schema)
    with replacing(out) as partial, open_writer(partial, schema) as writer:
        count = 0
        for some in chain([first], batches):
            writer.write_table(pa.Table.from_pylist(some, schema))
            count += len(some)
    return count


def _schema(found: "pa.Schema") -> "pa.Schema":
    """A column that begins with missing ranks is one of words all the same."""
    import pyarrow as pa

    named = (f.with_type(pa.string()) if pa.types.is_null(f.type) else f for f in found)
    return pa.schema(named)


def print_table(rows: list[dict[str, Any]]) -> None:
    """One line per face on the terminal; whole paths and counts are in the written tables."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    if not rows:
        return
    compounds = ("together",) if "compound" in rows[0] else ()
    for title in ("image", "face", "expressed", "rank", "zero at", "next", *compounds):
        table.add_column(title, no_wrap=True)
    for row in rows:
        others = {k[2:]: v for k, v in row.items() if k.startswith("p_")}
        probability = others.pop(row["predicted"])
        second = max(others, key=lambda emotion: others[emotion])
        table.add_row(
            escape(Path(row["image"]).name),
            str(row["face"]),
            f"{row['predicted']} {probability:.2f}",
            row["rank"] or "–",
            f"{row['zero']:.2f}",
            f"{second} {others[second]:.2f}",
            *([_compound(row)] if compounds else []),
        )
    Console().print(table)


def _compound(row: dict[str, Any]) -> str:
    """A compound that is expressed; the table that is written has the nearest one in any case."""
    from emorank.vocabulary import NONE

    rank = row["compound_rank"]
    return "–" if rank == NONE else f"{row['compound']}, {rank}"
