"""`emorank serve key`: who may ask a server that others can reach."""

import click


@click.group("key", short_help="Make, list and revoke the keys of a server for others.")
def key() -> None:
    """Make, list and revoke the keys for a server that other machines can reach.

    Only what cannot be turned back into a key is kept. A change counts at once, also where a server
    runs.

    \b
    Example:
      emorank serve key new --name lab
    """


@key.command("new", short_help="Make a key and print it, once.")
@click.option("--name", help="To know it by later; by default key1, key2 ….")
def new(name: str | None) -> None:
    """Make a key and print it. Nobody can read it again: keep it where you keep passwords.

    \b
    Examples:
      emorank serve key new
      emorank serve key new --name ada
    """
    from emorank.web.service.keys import Keys

    keys = Keys()
    name, secret = keys.new(name)
    click.echo(secret)
    click.echo(
        f"This is the key '{name}'; it is not shown again. Programs send it in the header "
        "'Authorization: Bearer KEY', browsers ask for it.",
        err=True,
    )


@key.command("list", short_help="List the names of the keys.")
def list_() -> None:
    """List the names of the keys, and when each was made.

    \b
    Example:
      emorank serve key list
    """
    from emorank.cli.terminal import print_table
    from emorank.web.service.keys import Keys

    keys = Keys()
    rows = [(one.name, one.made) for one in keys.all()]
    if rows:
        print_table(("key", "made"), rows)
    else:
        click.echo("There is no key yet; make one with: emorank serve key new")
    click.echo(f"They are kept in {keys.path}", err=True)


@key.command("revoke", short_help="Let keys be none from now on.")
@click.argument("names", nargs=-1, required=True)
def revoke(names: tuple[str, ...]) -> None:
    """Let the keys NAMES be none from now on; browsers that came in by them are sent away too.

    \b
    Example:
      emorank serve key revoke ada
    """
    from emorank.web.service.keys import Keys

    keys = Keys()
    for name in names:
        keys.revoke(name)
        click.echo(f"revoked: {name}")
