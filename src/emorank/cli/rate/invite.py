"""`emorank rate invite`: make new links, or end old ones."""

from pathlib import Path

import click


@click.command("invite", short_help="Renew or revoke the links of raters.")
@click.argument("project", type=click.Path(path_type=Path))
@click.argument("raters", nargs=-1, required=True)
@click.option("--revoke", "only_revoke", is_flag=True, help="End links and sessions; make none.")
def command(project: Path, raters: tuple[str, ...], only_revoke: bool) -> None:
    """Print new links for RATERS; their old links and sessions end, their answers stay.

    \b
    Examples:
      emorank rate invite ratings r3
      emorank rate invite ratings r3 r4 --revoke
    """
    from emorank.errors import needing

    with needing("web", "a rating project"):
        from emorank.room.invites import revoke
        from emorank.room.project import open_project
        from emorank.room.raters import rater_id
    from emorank.cli.rate.links import print_links

    opened = open_project(project)
    for rater in [rater_id(opened, name) for name in raters]:
        revoke(opened, rater)
    if only_revoke:
        click.echo(f"revoked: {', '.join(raters)}")
    else:
        print_links(opened, raters)
