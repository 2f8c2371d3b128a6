"""`emorank networks`: the networks that come with the package, and what may be brought."""

import click


@click.command("networks", short_help="List the networks that come with emorank.")
def command() -> None:
    """List the networks that come with emorank: what for, licence, size, how good.

    \b
    Example:
      emorank networks
    """
    from emorank.cli.terminal import print_table
    from emorank.networks.architectures import ARCHITECTURES
    from emorank.networks.ready import READY

    rows = [
        (about.name, about.use, about.licence, f"{about.path.stat().st_size / 1e6:.2f} MB",
         about.measured)
        for about in READY.values()
    ]  # fmt: skip
    print_table(("network", "for", "licence", "size", "measured"), rows)
    folder = next(iter(READY.values())).path.parent
    click.echo(f"Model card and licences: {folder}")
    click.echo(f"Of your own, with --weights FILE: {', '.join(ARCHITECTURES)}")
