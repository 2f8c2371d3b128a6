"""`emorank report`: write the report of a study again."""

from pathlib import Path

import click

from emorank.cli.options import settings_option, study_option
from emorank.cli.studies import run_stage


@click.command("report", short_help="Write the report, one HTML file.")
@study_option
@settings_option
def command(folder: Path, settings: tuple[str, ...]) -> None:
    """Write the report of a study: one HTML file with every table and figure in it.

    \b
    Example:
      emorank report --study demo --set report.examples=3
    """
    run_stage("report", folder, settings)
    click.echo(folder / "report" / "index.html")
