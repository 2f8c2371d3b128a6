"""`emorank rate import`: answers from elsewhere."""

from pathlib import Path

import click


@click.command("import", short_help="Take answers from elsewhere into a project.")
@click.argument("project", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--format", "kind", help="Of FILE; its content decides by default.")
def command(project: Path, file: Path, kind: str | None) -> None:
    """Take the answers in FILE into a project, all of them or none.

    FILE has any format that `emorank rate summary` reads. Its images have to be in the project,
    under their own names; raters who are not there yet are added.

    \b
    Examples:
      emorank rate import ratings votes.csv
      emorank rate import ratings export.json --format label-studio
    """
    from emorank.errors import needing
    from emorank.room.sources import read_answers

    with needing("web", "a rating project"):
        from emorank.room.intake import import_answers
        from emorank.room.project import open_project
    count = import_answers(open_project(project), read_answers(file, kind))
    click.echo(f"{project}: {count} answers taken in")
