"""`emorank rate`: people rate pictures, and how well they agree."""

import click

from emorank.cli.verbs import Verbs

VERBS = {
    "new": "new.command",
    "serve": "serve.command",
    "status": "project.status",
    "summary": "summary.command",
    "invite": "project.invite",
    "export": "project.export",
    "import": "project.import_",
    "close": "project.close",
    "language": "language.command",
    "rule": "rule.command",
    "methods": "methods.command",
    "forget": "forget.command",
}
SUMMARY = "Let people rate expression intensity; see how well they agree."


@click.command("rate", cls=Verbs, package="emorank.cli.rate", verbs=VERBS, short_help=SUMMARY)
def command() -> None:
    """Let people rate how strongly an emotion is expressed, and see how well they agree.

    \b
    Example:
      emorank rate summary votes.csv
    """
