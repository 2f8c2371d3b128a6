"""`emorank serve`: faces in the browser, and for programs."""

from pathlib import Path

import click

from emorank.cli.options import device_option, network_of_study_option
from emorank.cli.serve_keys import key


@click.group("serve", invoke_without_command=True, short_help="Read faces in the browser.")
@network_of_study_option
@device_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(1, 65535), default=8322, show_default=True)
@click.option("--base-url", help="What visitors call this server: https://faces.example.org")
@click.option("--no-browser", is_flag=True, help="Do not open the page.")
@click.pass_context
def command(
    context: click.Context,
    folder: Path | None,
    device: str | None,
    host: str,
    port: int,
    base_url: str | None,
    no_browser: bool,
) -> None:
    """Read the faces of pictures in the browser until Ctrl-C. Nothing is sent anywhere.

    Programs ask the same server (docs/service.md). It answers this machine only, unless --host says
    otherwise; then --base-url has to say what others call it, and whoever asks needs a key.

    \b
    Examples:
      emorank serve
      emorank serve --study demo --no-browser
      emorank serve key new
      emorank serve --host 0.0.0.0 --base-url https://faces.example.org
    """
    if context.invoked_subcommand is not None:
        return
    from emorank.errors import needing

    with needing("web", "the window"):
        from emorank.web.desk import Desk
        from emorank.web.safety import origins
        from emorank.web.serve import listen, open_when_ready, server
        from emorank.web.window.app import make_app
    from emorank.study.folder import open_study
    from emorank.study.readers import reader_of

    study = None if folder is None else open_study(folder)
    # An address that stands for all of this machine's is no name; `origins` asks for one then.
    name = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
    name = f"[{name}]" if ":" in name else name
    known = origins(base_url or f"http://{name}:{port}", host, port)
    place = listen(host, port)
    desk = Desk(study, reader_of(study, device=device).network)
    ready = server(make_app(desk, known), host, port)
    click.echo(f"emorank reads faces at {known.base} (Ctrl-C stops it)")
    if not no_browser:
        open_when_ready(ready, known.base)
    ready.run(sockets=[place])


command.add_command(key)
