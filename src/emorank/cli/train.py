"""`emorank train`: train the network of a prepared study, or its ordinal network."""

from pathlib import Path

import click

from emorank.cli.options import FILE_OR_FOLDER, settings_option, study_option
from emorank.cli.studies import renew_report, run_stage
from emorank.cli.votes import Said, said_options, with_votes


@click.command("train", short_help="Train the network.")
@study_option
@click.option(
    "--ordinal",
    is_flag=True,
    help="Train the ordinal network, which learns intensities from rated faces.",
)
@click.option(
    "--votes",
    type=FILE_OR_FOLDER,
    help="With --ordinal: a rating project, or a CSV or Parquet file with the columns image, "
    "rater, rank. Default: the votes of the study.",
)
@said_options
@settings_option
def command(
    folder: Path, ordinal: bool, votes: Path | None, said: Said, settings: tuple[str, ...]
) -> None:
    """Train the network of a prepared study on its training part.

    The convolutions' features are computed once for each image and stored. A training that was
    stopped goes on with the same command. Every choice in Table 1 of the paper is a key of the
    plan's [train] table.

    With --ordinal a second network learns from the rated faces of the training part how strongly
    each emotion is expressed. `--rank ordinal` uses it.

    \b
    Examples:
      emorank train --study demo --set train.epochs=30 --set train.unfreeze=block5
      emorank train --ordinal --study demo --votes votes.csv
    """
    if not ordinal:
        if votes is not None or said:
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
    from emorank.study.learning.train_ordinal import train_ordinal

    study = open_study(folder)
    asked = with_votes(study, votes, said)
    with ProgressBars() as bars:
        trained = train_ordinal(asked, progress=bars.start("ordinal"))
        bars.end("ordinal", trained.summary, again=True)
    renew_report(study)
