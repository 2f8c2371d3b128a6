"""`emorank rate export`: the answers of a rating project as a file."""

from pathlib import Path

import click

from emorank.answers.formats import WRITABLE


@click.command("export", short_help="Write the answers of a rating project to a file.")
@click.argument("project", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File to write.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(WRITABLE),
    help="The default is what the ending of the file says.",
)
@click.option("--log", "whole", is_flag=True, help="Write every event instead, changes too.")
def command(project: Path, out: Path, kind: str | None, whole: bool) -> None:
    """Write the current answers, one row each, under the images' own names.

    \b
    Examples:
      emorank rate export ratings --out votes.csv
      emorank rate export ratings --out tasks.json --format label-studio
      emorank rate export ratings --out log.csv --log
    """
    from emorank.answers.formats.csv_parquet import write_sheet
    from emorank.answers.interchange import write_answers
    from emorank.errors import needing

    with needing("web", "a rating project"):
        from emorank.room.overview import answers, log
        from emorank.room.project import open_project
    opened = open_project(project)
    if whole:
        events = log(opened)
        write_sheet(events, out)
        click.echo(f"{out}: {len(events)} events")
    else:
        table = answers(opened)
        write_answers(table, out, kind)
        click.echo(f"{out}: {len(table)} answers")
