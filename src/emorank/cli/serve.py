"""`emorank serve`: faces in the browser, and for programs."""

from pathlib import Path

import click

from emorank.cli.completions import RANKS, one_of
from emorank.cli.options import FOLDER, device_option, network_of_study_option
from emorank.cli.serve_keys import key


@click.group("serve", invoke_without_command=True, short_help="Read faces in the browser.")
@network_of_study_option
@click.option(
    "--rank",
    metavar="NAME",
    shell_complete=one_of(RANKS),
    help="What the page calls strong, and sorts by: contrast (the default), paper, evidence, "
    "calibrated or ordinal. A face that is looked at has every rank that the study has all for.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(1, 65535), default=8322, show_default=True)
@click.option("--base-url", help="What visitors call this server: https://faces.example.org")
@click.option(
    "--keep",
    type=FOLDER,
    metavar="DIR",
    help="Store each picture that the page has read, and its rows, in DIR. Default: store nothing.",
)
@click.option("--no-browser", is_flag=True, help="Do not open the page.")
@device_option
@click.pass_context
def command(
    context: click.Context,
    folder: Path | None,
    rank: str | None,
    host: str,
    port: int,
    base_url: str | None,
    keep: Path | None,
    no_browser: bool,
    device: str | None,
) -> None:
    """Read the faces of pictures in the browser until Ctrl-C. Nothing is sent anywhere.

    Drop, paste, choose or photograph pictures: of each face the page says which emotion it
    expresses, how strongly by each rank, and which pixels say so. Without --study the network that
    comes with emorank reads them. Pictures are in memory only, the last 256 MB of them; a file may
    have 32 MB and 50 megapixels (docs/window.md). Programs ask the same server (docs/service.md).

    It answers this machine only, unless --host says otherwise; then --base-url has to say what
    others call it, and whoever asks needs a key. It is not for use on people at work or in
    education, where the EU's AI Act, Article 5(1)(f), forbids to infer emotions.

    \b
    Examples:
      emorank serve
      emorank serve --study demo --rank paper
      emorank serve --keep pictures --no-browser
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
        from emorank.web.window.kept_pictures import open_folder
    from emorank.study.folder import open_study
    from emorank.study.readers import reader_of

    study = None if folder is None else open_study(folder)
    # An address that stands for all of this machine's is no name; `origins` asks for one then.
    name = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
    name = f"[{name}]" if ":" in name else name
    known = origins(base_url or f"http://{name}:{port}", host, port)
    network = reader_of(study, () if rank is None else (rank,), device=device).network
    if keep is not None:
        open_folder(keep)
    place = listen(host, port)
    desk = Desk(study, network)
    ready = server(make_app(desk, known, rank, keep), host, port)
    click.echo(f"emorank reads faces at {known.base} (Ctrl-C stops it)")
    kept = "in memory only" if keep is None else f"and are stored in {keep}"
    click.echo(f"Pictures stay on this machine, {kept}")
    if known.public and not known.secure:
        click.echo(
            "warning: keys and pictures go over the network as they are; put a proxy with TLS "
            "before the server, and say --base-url https://… (docs/service.md)",
            err=True,
        )
    if not no_browser:
        open_when_ready(ready, known.base)
    ready.run(sockets=[place])


command.add_command(key)
