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
    from rich.text import Text

    from emorank.cli.terminal import print_line, print_table, printable
    from emorank.errors import needing

    with needing("web", "a rating project"):
        from emorank.room.overview import progress
        from emorank.room.project import open_project
    opened = open_project(project)
    about, raters = opened.about(), progress(opened)
    state = "open" if about.closed_at is None else "closed"
    database = printable(str(opened.database))
    print_line(Text.assemble(printable(about.title), f" ({state}) ", database))
    rows = [
        (
            row.name,
            row.answered,
            row.total,
            None if row.median_ms is None else f"{row.median_ms / 1000:.1f} s",
            row.link,
        )
        for row in raters
    ]
    print_table(("rater", "answered", "of", "median time", "link"), rows)
