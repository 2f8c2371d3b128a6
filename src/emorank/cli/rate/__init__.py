"""`emorank rate`: people rate pictures, and how well they agree; one file per verb."""

import click

from emorank.cli.verbs import Verbs

VERBS = ("new", "serve", "status", "summary", "invite", "export", "import", "close")


@click.command(
    "rate",
    cls=Verbs,
    package="emorank.cli.rate",
    verbs=VERBS,
    short_help="Let people rate expression intensity; see how well they agree.",
)
def command() -> None:
    """Let people rate how strongly an emotion is expressed, and see how well they agree.

    \b
    Example:
      emorank rate summary votes.csv
    """
