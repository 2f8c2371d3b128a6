"""`emorank rate serve`: open a rating project to its raters."""

from pathlib import Path

import click


@click.command("serve", short_help="Open a rating project in the browser.")
@click.argument("project", type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(1, 65535), help="8321, or the port of the base URL.")
@click.option("--base-url", help="What visitors call this server: https://rate.example.org")
@click.option("--no-browser", is_flag=True, help="Do not open the owner's page.")
def command(
    project: Path, host: str, port: int | None, base_url: str | None, no_browser: bool
) -> None:
    """Serve a rating project until Ctrl-C, and open the owner's page.

    It listens on this machine only, unless --host says otherwise; then --base-url has to say what
    others call it. For other machines put it behind a proxy with TLS (docs/rating.md).

    \b
    Examples:
      emorank rate serve ratings
      emorank rate serve ratings --no-browser --base-url https://rate.example.org
    """
    from urllib.parse import urlsplit

    from emorank.errors import needing

    with needing("web", "the rating room"):
        from emorank.room.invites import invite
        from emorank.room.project import open_project
        from emorank.web.rating.app import make_app
        from emorank.web.safety import origins
        from emorank.web.serve import listen, open_when_ready, server
    opened = open_project(project)
    base = (base_url or opened.about().base_url).rstrip("/")
    parts = urlsplit(base)
    if port is None:
        port = (parts.port if parts.scheme == "http" else None) or 8321
    elif base_url is None and parts.hostname == "127.0.0.1":
        base = f"http://127.0.0.1:{port}"
    ready = server(make_app(opened, origins(base, host, port)), host, port)
    place = listen(host, port)
    link = f"{base}/invite/{invite(opened, None)}"
    click.echo(f"The rating room is at {base} (Ctrl-C stops it; nothing is lost)")
    click.echo(f"The owner's page, once: {link}")
    if not no_browser:
        open_when_ready(ready, link)
    ready.run(sockets=[place])
