"""`emorank train`: train the network of a prepared study, or its ordinal network."""

from pathlib import Path

import click

from emorank.cli.options import settings_option, study_option
from emorank.cli.studies import renew_report, run_stage


@click.command("train", short_help="Train the network.")
@study_option
@click.option(
    "--ordinal",
    is_flag=True,
    help="Train the ordinal network, which learns intensities from rated faces.",
)
@click.option(
    "--votes",
    type=click.Path(path_type=Path),
    help="With --ordinal: rating project, or CSV or Parquet file with the columns image, rater, "
    "rank; the votes of the plan if unsaid.",
)
@settings_option
def command(folder: Path, ordinal: bool, votes: Path | None, settings: tuple[str, ...]) -> None:
    """Train the network of a prepared study on its training part.

    The convolutions' features are computed once per image and kept; a training that was stopped
    goes on. Every choice of Table 1 of the paper is a key of the plan's [train] table.

    With --ordinal a second network is trained beside it on the rated faces of the training part:
    how strongly each emotion is expressed. It is what `--rank ordinal` uses.

    \b
    Examples:
      emorank train --study demo --set train.epochs=30 --set train.unfreeze=block5
      emorank train --ordinal --study demo --votes votes.csv
    """
    if not ordinal:
        if votes is not None:
            raise click.UsageError("--votes goes with --ordinal")
        run_stage("train", folder, settings)
        return
    if settings:
        raise click.UsageError(
            "--ordinal trains by the recipe of the study's plan, as its classifier was trained; "
            "--set goes with a training of that one"
        )
    from emorank.cli.progress_bars import ProgressBars
    from emorank.study.folder import open_study
    from emorank.study.ranks.ordinal import train_ordinal

    study = open_study(folder)
    with ProgressBars() as bars:
        outcome = train_ordinal(study, votes, bars.start("ordinal"))
        bars.end("ordinal", outcome, again=True)
    renew_report(study)
