"""`emorank report`: write the report of a study again."""

from pathlib import Path

import click

from emorank.cli.options import opened, run_stages, settings_option, study_option


@click.command("report", short_help="Write the report, one HTML file.")
@study_option
@settings_option
def command(folder: Path, settings: tuple[str, ...]) -> None:
    """Write the report of a study: one HTML file with every table and figure in it.

    \b
    Example:
      emorank report --study demo --set report.examples=3
    """
    run_stages(opened(folder, settings), first="report", last="report")
    click.echo(folder / "report" / "index.html")
