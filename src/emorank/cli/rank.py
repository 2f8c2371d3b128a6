"""`emorank rank`: emotion and rank of images, or of a study's test part."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from emorank.cli.new_images import report_excluded, with_bar
from emorank.cli.options import (
    FILE,
    images_options,
    network_of_study_option,
    overwrite_option,
    settings_option,
)
from emorank.cli.studies import open_if_given, open_with, progress_bar, run_stage
from emorank.cli.unfinished_work import finishing, keeping_nothing, require_new, unfinished


@click.command("rank", short_help="Name and rank the emotion of images.")
@images_options
@network_of_study_option
@click.option("--crop", type=click.Choice(["none", "face"]), help="As in training if unsaid.")
@settings_option
@click.option("--compounds", is_flag=True, help="Say which two emotions a face expresses together.")
@click.option(
    "--rank",
    "method",
    metavar="NAME",
    help="Which rank: contrast (the default), paper, evidence, calibrated or ordinal; "
    "docs/ranking.md says what each needs and how far it can be believed.",
)
@click.option(
    "--emotion",
    metavar="NAME",
    help="Rank this emotion in every face, whatever the network names, for instance happy.",
)
@click.option(
    "--out",
    type=FILE,
    help="Write a table, CSV or Parquet by its ending, instead of printing one.",
)
@overwrite_option
def command(
    images: tuple[Path, ...],
    folder: Path | None,
    out: Path | None,
    overwrite: bool,
    crop: str | None,
    nearest: bool,
    strict: bool,
    settings: tuple[str, ...],
    compounds: bool,
    method: str | None,
    emotion: str | None,
) -> None:
    """Name the expressed emotion of IMAGES (files or folders) and rank its intensity.

    Every face of an image is a row, the nearest first. The network that comes with emorank reads
    seven expressions; --study uses one's own. Without IMAGES the study's own test part is ranked,
    by default by the paper's rule, as a stage of the study. Images that cannot be used are listed,
    and make the exit status 1 when none was left. With --out what is done of many images is kept
    when the command is stopped, and the same command goes on.

    \b
    Examples:
      emorank rank holiday.jpg
      emorank rank photographs/ --out ranks.csv
      emorank rank photographs/ --study kdef --out ranks.csv
      emorank rank holiday.jpg --study demo --rank evidence
      emorank rank smiles/ --study demo --rank evidence --emotion happy
    """
    if compounds and (method not in (None, "paper") or emotion or folder is None):
        raise click.UsageError(
            "--compounds goes with --study, with --rank paper, and without --emotion"
        )
    method = "paper" if compounds else method
    if not images:
        if out or overwrite or crop or nearest or strict or compounds or emotion:
            raise click.UsageError(
                "--out, --overwrite, --crop, --nearest, --strict, --compounds and --emotion go "
                "with IMAGES"
            )
        if folder is None:
            raise click.UsageError("expected IMAGES, or --study DIR to rank its test part")
        if method not in (None, "paper"):
            _rank_test_part(folder, method, settings)
            return
        run_stage("rank", folder, settings)
        return
    if out is not None and out.suffix not in {".csv", ".parquet"}:
        raise click.BadParameter(f"{out}: expected a name ending in .csv or .parquet")
    from emorank import add_compounds, read
    from emorank.datasets import folder_walk
    from emorank.reading.row_file import write_rows
    from emorank.study.answer_store import RankStates

    paths, left_out = folder_walk.paths(images)
    study = open_if_given(folder, settings)
    kept = None
    if out is not None:
        require_new(out, overwrite)
        asked = (crop, nearest, compounds, emotion)
        kept = unfinished(out, RankStates(study).of(method or "", method, *asked), overwrite)
    lacking = paths if kept is None else kept.lacking(paths)
    stream = read(
        lacking,
        study=study,
        rank=method or (),
        emotion=emotion,
        crop=crop,
        nearest=nearest,
        strict=strict,
        heatmaps=False,
    )
    faces = with_bar(stream, len(lacking))
    faces = add_compounds(study, faces) if compounds and study else faces
    rows = (face.row for face in faces)
    if out is None or kept is None:
        with keeping_nothing("with --out FILE"):
            _print_rows(list(rows))
    else:
        with finishing(kept):
            kept.add(rows)
            if count := write_rows(kept.rows(paths), out):
                click.echo(f"{count:,} faces: {out}")
    report_excluded(left_out, stream.excluded, len(paths))


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


def _rank_test_part(folder: Path, method: str, settings: tuple[str, ...]) -> None:
    """Rank the test part, and say how well it agrees with what is known."""
    from emorank.report.words import estimate_and_method
    from emorank.study.verbs.rank_test_part import rank_test_part

    study = open_with(folder, settings)
    with progress_bar("ranks") as progress:
        table, follows, agrees = rank_test_part(study, method, progress)
    out = study.path(f"ranks_{method}.parquet")
    click.echo(f"{len(table):,} faces: {out}")
    click.echo(f"ranks abstained from: {int(table['level'].isna().sum())}")
    if follows.count:
        rho = estimate_and_method(follows.spearman_within)
        click.echo(f"Spearman with the known intensity, within emotion: {rho}")
    if agrees.count:
        kappa = estimate_and_method(agrees.quadratic_kappa)
        faces = f"{agrees.count} ranked faces of known level, neutral ones among them"
        click.echo(f"quadratic kappa with the raters' majority, on {faces}: {kappa}")
