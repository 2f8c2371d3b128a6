"""What `emorank rate export` writes instead of the answers: one option each, one table each."""

import click

from emorank.cli.options import together

# Option → what its rows are called, and the help.
TABLES = {
    "log": ("events", "Write every event instead, changes too."),
    "displays": ("displays", "Write instead on what raters saw the faces."),
    "trials": ("trials", "Write instead the answers to checks and in practice."),
    "consents": ("consents", "Write instead who agreed to which text, and when."),
    "demographics": ("people", "Write instead what raters said about themselves."),
    "participants": ("people", "Write instead the ids of those who came by the open link."),
}
table_options = together(
    *(click.option(f"--{name}", is_flag=True, help=text) for name, (_, text) in TABLES.items())
)


def chosen(asked: dict[str, bool]) -> str | None:
    """The table that the options ask for; None for the answers."""
    names = [name for name, wanted in asked.items() if wanted]
    if len(names) > 1:
        raise click.UsageError(f"--{names[0]} or --{names[1]}, not both in one file")
    return names[0] if names else None
