"""`emorank rate status`: how far the raters are."""

from pathlib import Path

import click


@click.command("status", short_help="Print how far every rater is.")
@click.argument("project", type=click.Path(path_type=Path))
def command(project: Path) -> None:
    """Print how far every rater is, and whether links are still open.

    \b
    Example:
      emorank rate status ratings
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from emorank.errors import needing

    with needing("web", "a rating project"):
        from emorank.room.overview import progress
        from emorank.room.project import open_project
    opened = open_project(project)
    about, raters = opened.about(), progress(opened)
    console = Console(highlight=False)
    state = "open" if about.closed_at is None else "closed"
    console.print(
        f"[bold]{escape(about.title)}[/] ({state}) [dim]{escape(str(opened.database))}[/]"
    )
    table = Table("rater", box=None, header_style="dim", pad_edge=False)
    for title in ("answered", "of", "median time"):
        table.add_column(title, justify="right")
    table.add_column("link")
    for row in raters:
        seconds = "–" if row.median_ms is None else f"{row.median_ms / 1000:.1f} s"
        table.add_row(escape(row.name), str(row.answered), str(row.total), seconds, row.link)
    console.print(table)
