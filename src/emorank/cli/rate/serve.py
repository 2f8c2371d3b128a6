"""`emorank rate serve`: the rating room in the browser."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from emorank.cli.rate.project import project_argument


@click.command("serve", short_help="Open a rating project in the browser.")
@project_argument
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(1, 65535), help="8321, or the port of the base URL.")
@click.option("--base-url", help="What visitors call this server: https://rate.example.org")
@click.option("--no-browser", is_flag=True, help="Do not open the owner's page.")
def command(
    project: Path, host: str, port: int | None, base_url: str | None, no_browser: bool
) -> None:
    """Serve a rating project until Ctrl-C, and open the owner's page.

    It listens on this machine only, unless --host says otherwise; then --base-url has to say what
    others call it. For other machines put it behind a proxy with TLS (docs/rating.md). Links that
    are made from now on begin with the address where it was served last; it says which links that
    are still open begin with another.

    \b
    Examples:
      emorank rate serve ratings
      emorank rate serve ratings --no-browser --base-url https://rate.example.org
    """
    from emorank.errors import needing

    with needing("web", "the rating room"):
        from emorank.room.address import base_address, misses, served_address
        from emorank.room.invites import PASS_LIFE, invite, move, printed_elsewhere
        from emorank.room.open_link import open_key
        from emorank.room.project import open_project
        from emorank.web.rating.app import make_app
        from emorank.web.safety import origins
        from emorank.web.serve import listen, open_when_ready, server
    opened = open_project(project)
    if base_url is None:
        base, port = served_address(opened.about().base_url, host, port)
    else:
        base, port = base_address(base_url), port or served_address(base_url, host, None)[1]
    ready = server(make_app(opened, origins(base, host, port)), host, port)
    place = listen(host, port)
    move(opened, base)
    _warn(base, port, misses(base, port), printed_elsewhere(opened, base))
    link = f"{base}/invite/{invite(opened, None, PASS_LIFE)}"
    click.echo(f"The rating room is at {base} (Ctrl-C stops it; nothing is lost)")
    if (key := open_key(opened)) is not None:
        click.echo(f"The open link, for everybody: {base}/join/{key}")
    click.echo(f"The owner's page, once, within a day: {link}")
    if not no_browser:
        open_when_ready(ready, link)
    ready.run(sockets=[place])


def _warn(base: str, port: int, missed: bool, elsewhere: Mapping[str, Sequence[str]]) -> None:
    """Say which links do not lead to the server, and what to do."""
    if missed:
        click.echo(
            f"warning: links begin with {base}, but the server listens at port {port}: they work "
            "only if something passes requests on to it; or say --base-url with that port",
            err=True,
        )
    for address, names in elsewhere.items():
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        click.echo(
            f"warning: the open links of {', '.join(names[:5])}{more} begin with {address}; the "
            f"server is now at {base}. Replace the beginning in them, print new ones with emorank "
            f"rate invite, or serve with --base-url {address}",
            err=True,
        )
