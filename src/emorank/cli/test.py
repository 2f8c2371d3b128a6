"""`emorank test`: score the trained network on the test part, or on another data set."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from emorank.cli.options import dataset_options, settings_option, study_option
from emorank.cli.studies import read_settings, run_stage

if TYPE_CHECKING:
    from emorank.study.transfer import Transfer


@click.command("test", short_help="Score the network on the test part, or on another data set.")
@study_option
@click.option("--data", type=click.Path(path_type=Path), help="Another data set to test on.")
@dataset_options
@click.option("--crop", type=click.Choice(["none", "face"]), help="Default: as in training.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the predictions, exclusions and scores on the other data set.",
)
@settings_option
def command(
    folder: Path,
    data: Path | None,
    dataset: str,
    options: tuple[str, ...],
    crop: str | None,
    out: Path | None,
    settings: tuple[str, ...],
) -> None:
    """Name the expressed emotion of every test image and score the names.

    With --data the model is tested on every image of another data set instead: does it carry
    over? Accuracy comes with its interval and beside what always answering the most frequent
    emotion would score.

    \b
    Examples:
      emorank test --study demo
      emorank test --study kdef --data ~/jaffedbase --out kdef_on_jaffe
    """
    if data is None:
        if out or options or crop:
            raise click.UsageError("--out, --option and --crop go with --data")
        run_stage("test", folder, settings)
        return
    from emorank import datasets
    from emorank.cli.progress_bars import ProgressBars
    from emorank.study.folder import open_study
    from emorank.study.transfer import transfer

    other = datasets.load(data, dataset, **read_settings(options))
    with ProgressBars() as bars:
        found = transfer(open_study(folder), other, crop=crop, progress=bars.start("test"))
    print_scores(found)
    if out is not None:
        write(found, out)


def print_scores(found: "Transfer") -> None:
    """Scores and confusions for a person to read."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    from emorank.report.headline import headline
    from emorank.vocabulary import Emotion

    console, scores = Console(highlight=False), found.scores
    console.print(headline(scores, None, unseen_persons=False)[0], soft_wrap=True)
    columns = [Emotion(word).label for word in scores.classes]
    table = Table("true", *(name[:3] for name in columns), "recall", box=SIMPLE_HEAD)
    for name, counts, score in zip(columns, scores.confusion, scores.per_class, strict=True):
        if not score.support:
            continue
        table.add_row(name, *map(str, counts), f"{score.recall:.2f}")
    console.print(table)
    console.print(f"{len(found.excluded):,} images left out")


def write(found: "Transfer", out: Path) -> None:
    """Predictions and exclusions as CSV, scores as JSON."""
    from emorank.files import replacing
    from emorank.study.folder import write_json

    for name, table in (("predictions", found.predictions), ("excluded", found.excluded)):
        with replacing(out / f"{name}.csv") as partial:
            table.to_csv(partial, index=False)
    write_json(out / "scores.json", found.scores.to_dict())
    click.echo(f"{out}: predictions.csv, excluded.csv, scores.json")
