"""`emorank rate close`: take no more answers."""

from pathlib import Path

import click


@click.command("close", short_help="Take no more answers, or take them again.")
@click.argument("project", type=click.Path(path_type=Path))
@click.option("--reopen", is_flag=True, help="Take answers again.")
def command(project: Path, reopen: bool) -> None:
    """Close a rating project: raters can give no more answers until it is opened again.

    \b
    Examples:
      emorank rate close ratings
      emorank rate close ratings --reopen
    """
    from emorank.errors import needing

    with needing("web", "a rating project"):
        from emorank.room.project import open_project
        from emorank.room.store import close
    close(open_project(project), closed=not reopen)
    click.echo(f"{project}: {'open' if reopen else 'closed'}")
