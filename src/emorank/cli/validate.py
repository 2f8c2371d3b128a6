"""`emorank validate`: compare ranks with raters' votes."""

from pathlib import Path

import click

from emorank.cli.options import settings_option, study_option, votes_option
from emorank.cli.studies import run_stage


@click.command("validate", short_help="Compare the ranks with raters' votes.")
@study_option
@votes_option
@click.option(
    "--ties",
    type=click.Choice(["median", "disputed"]),
    help="Two ranks have most votes: the image gets the median of the votes, or is left out.",
)
@settings_option
def command(folder: Path, votes: Path | None, ties: str | None, settings: tuple[str, ...]) -> None:
    """Compare the predicted ranks with the majority of the raters.

    Votes are Minimal, Average, Strong (or Min, Avg, Str; or 1, 2, 3); an empty cell is no vote.
    Unknown images, unknown ranks and two votes of one rater on one image are errors.

    \b
    Examples:
      emorank validate --study kdef --votes votes.csv --ties disputed
      emorank validate --study kdef --votes ratings
    """
    if votes is not None:
        settings = (*settings, f"validate.votes={str(votes.resolve())!r}")
    if ties is not None:
        settings = (*settings, f"validate.ties={ties}")
    run_stage("validate", folder, settings)
