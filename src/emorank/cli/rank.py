"""`emorank rank`: emotion and rank of images, or of a study's test part."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from emorank.cli.completions import EMOTIONS, RANKS, one_of
from emorank.cli.many_images import check_out, many_options, write_ranks
from emorank.cli.new_images import report_excluded, with_bar
from emorank.cli.options import (
    FILE_OR_FOLDER,
    device_option,
    network_of_study_option,
    overwrite_option,
    settings_option,
    sources_options,
)
from emorank.cli.studies import open_if_given, open_with, progress_bar, run_stage
from emorank.cli.unfinished_work import keeping_nothing, require_new


@click.command("rank", short_help="Name and rank the emotion of images.")
@sources_options
@network_of_study_option
@device_option
@click.option("--crop", type=click.Choice(["none", "face"]), help="As in training if unsaid.")
@settings_option
@click.option("--compounds", is_flag=True, help="Say which two emotions a face expresses together.")
@click.option(
    "--rank",
    "method",
    metavar="NAME",
    shell_complete=one_of(RANKS),
    help="Which rank: contrast (the default), paper, evidence, calibrated or ordinal; "
    "docs/ranking.md says what each needs and how far it can be believed.",
)
@click.option(
    "--emotion",
    metavar="NAME",
    shell_complete=one_of(EMOTIONS),
    help="Rank this emotion in every face, whatever the network names, for instance happy.",
)
@click.option(
    "--crops",
    type=click.Choice(["1", "3"]),
    help="3: average the usual crop of each face, a narrower and a wider one, for the contrast; "
    "docs/networks.md says what it gains.",
)
@click.option(
    "--smooth",
    is_flag=True,
    help="Each folder is a sequence of one person's face, in the order of names: smooth the "
    "contrast along it. Without IMAGES, along the sequences of the study's data set.",
)
@click.option(
    "--out",
    type=FILE_OR_FOLDER,
    help="Write a table, if the name ends in .csv or .parquet, or else a folder of Parquet parts.",
)
@overwrite_option
@many_options("--out")
def command(
    images: tuple[str, ...],
    folder: Path | None,
    out: Path | None,
    overwrite: bool,
    crop: str | None,
    device: str | None,
    nearest: bool,
    strict: bool,
    settings: tuple[str, ...],
    compounds: bool,
    method: str | None,
    emotion: str | None,
    crops: str | None,
    smooth: bool,
    **many: Any,
) -> None:
    """Name the expressed emotion of IMAGES and rank its intensity.

    IMAGES are files, folders, tables with a column of paths (CSV, Parquet), tar files, addresses
    such as s3://bucket/folder, or - for paths on the standard input. Every face of an image is a
    row, the nearest first. The network that comes with emorank reads seven expressions; --study
    uses one's own. Without IMAGES the study's own test part is ranked, by default by the paper's
    rule, as a stage of the study.

    With --out any number of images is read by several processes, and what is done is kept: when
    the command is stopped or the machine fails, the same command goes on. Images that cannot be
    used are listed, also those that crash a process or take it too long, and make the exit status 1
    when none was left.

    \b
    Examples:
      emorank rank holiday.jpg
      emorank rank photographs/ --out ranks.csv
      emorank rank photographs/ --study kdef --out ranks.csv
      emorank rank holiday.jpg --study demo --rank evidence
      emorank rank smiles/ --study demo --rank evidence --emotion happy
      emorank rank frames/ --smooth --out curve.csv
    """
    if smooth and (method not in (None, "contrast") or compounds):
        raise click.UsageError("--smooth goes with --rank contrast, and without --compounds")
    if compounds and (method not in (None, "paper") or emotion or folder is None):
        raise click.UsageError(
            "--compounds goes with --study, with --rank paper, and without --emotion"
        )
    method = "paper" if compounds else method
    many = {name: value for name, value in many.items() if value is not None}
    if not images:
        if device is not None:
            raise click.UsageError(
                "--device goes with IMAGES; for the test part of a study: --set model.device=NAME"
            )
        if out or overwrite or crop or nearest or strict or compounds or emotion or crops or many:
            raise click.UsageError(
                "--out and what goes with it, --crop, --crops, --nearest, --strict, --compounds "
                "and --emotion go with IMAGES"
            )
        if folder is None:
            raise click.UsageError("expected IMAGES, or --study DIR to rank its test part")
        if smooth or method not in (None, "paper"):
            _rank_test_part(folder, method or "contrast", settings, smooth=smooth)
            return
        run_stage("rank", folder, settings)
        return
    if out is None and (many or overwrite):
        raise click.UsageError(
            "--workers, --time-limit, --memory, --shard, --ray, --ray-cores and --overwrite go "
            "with --out"
        )
    if smooth and many:
        raise click.UsageError("--smooth reads sequences in one process, without options of --out")
    if out is not None:
        check_out(out)
        if smooth:
            _check_table(out)
            require_new(out, overwrite)
    method = "contrast" if smooth else method
    nearest = nearest or smooth
    study = open_if_given(folder, settings)
    asked: dict[str, Any] = {"emotion": emotion, "crop": crop, "nearest": nearest, "strict": strict}
    asked["device"] = device
    asked["crops"] = int(crops or 1)
    if out is not None and not smooth:
        write_ranks(images, out, study, method, asked | many | {"compounds": compounds}, overwrite)
        return
    from emorank import add_compounds, read
    from emorank.errors import ImageError
    from emorank.reading.along_sequences import smooth_folders
    from emorank.scale.given_images import items, pictures_of

    left_out: list[ImageError] = []
    listed = list(items(images, left_out.append))
    stream = read(
        pictures_of(listed),
        study=study,
        rank=method or (),
        names=[item.name for item in listed],
        heatmaps=False,
        **asked,
    )
    faces = with_bar(stream, len(listed))
    faces = add_compounds(study, faces) if compounds and study else faces
    with keeping_nothing("with --out FILE"):
        rows: Iterator[dict[str, Any]] = (face.row for face in faces)
        if smooth:
            rows = smooth_folders(rows, [Path(item.name) for item in listed], emotion)
        if out is None:
            _print_rows(list(rows))
        else:
            _write(list(rows), out)
    report_excluded(left_out, stream.excluded, len(listed))


def _check_table(out: Path) -> None:
    if out.suffix not in {".csv", ".parquet"}:
        raise click.BadParameter(f"{out}: with --smooth, expected a name in .csv or .parquet")


def _write(rows: list[dict[str, Any]], out: Path) -> None:
    """A table of a few thousand rows at most, CSV or Parquet by its ending."""
    from emorank import delimited
    from emorank.scale.part import write_rows

    if not rows:
        return
    if out.suffix == ".csv":
        delimited.write(out, [list(rows[0]), *(list(row.values()) for row in rows)])
    else:
        write_rows(rows, out)
    click.echo(f"{len(rows):,} faces: {out}")


def _print_rows(rows: list[dict[str, Any]]) -> None:
    """One line a face; whole paths and the numbers of the rank are in the written tables."""
    from emorank.cli.terminal import print_table
    from emorank.vocabulary import LEVEL_COLUMNS, LEVELS

    if not rows:
        return
    columns: dict[str, Callable[[dict[str, Any]], object]] = {
        "image": lambda row: Path(row["image"]).name,
        "face": lambda row: row["face"],
        "named": lambda row: f"{row['predicted']} {row['p_' + row['predicted']]:.2f}",
        "ranked": lambda row: row["expressed"],
        "rank": lambda row: row["rank"] or "unsure",
        "score": lambda row: f"{row['score']:.2f}",
    }
    if set(LEVEL_COLUMNS) <= set(rows[0]):
        heading = "/".join(level[:3] for level in LEVELS)
        columns[heading] = lambda row: " ".join(f"{row[name]:.2f}" for name in LEVEL_COLUMNS)
    if "compound" in rows[0]:
        columns["together"] = _compound
    cells = ([cell(row) for cell in columns.values()] for row in rows)
    print_table([*columns], cells, one_line=[*columns])


def _compound(row: dict[str, Any]) -> str:
    """A compound that is expressed; the table that is written has the nearest one in any case."""
    from emorank.vocabulary import NONE

    rank = row["compound_rank"]
    return "–" if rank == NONE else f"{row['compound']}, {rank}"


def _rank_test_part(folder: Path, method: str, settings: tuple[str, ...], *, smooth: bool) -> None:
    """Rank the test part, and say how well it agrees with what is known."""
    from emorank.report.words import estimate_and_method
    from emorank.study.verbs.rank_test_part import rank_test_part

    study = open_with(folder, settings)
    with progress_bar("ranks") as progress:
        table, follows, agrees = rank_test_part(study, method, progress, smooth=smooth)
    out = study.path(f"ranks_{method}{'_smooth' if smooth else ''}.parquet")
    click.echo(f"{len(table):,} faces: {out}")
    click.echo(f"ranks abstained from: {int(table['level'].isna().sum())}")
    if follows.count:
        rho = estimate_and_method(follows.spearman_within)
        click.echo(f"Spearman with the known intensity, within emotion: {rho}")
    if agrees.count:
        kappa = estimate_and_method(agrees.quadratic_kappa)
        faces = f"{agrees.count} ranked faces of known level, neutral ones among them"
        click.echo(f"quadratic kappa with the raters' majority, on {faces}: {kappa}")
