"""Groups of verbs, each verb imported when it is called."""

import importlib
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import click

from emorank.cli.everywhere import add_to
from emorank.printable import printable


class Verbs(click.Group):
    """Verbs in the order given.

    `verbs` says where in the package each of them is: "module.function".
    """

    def __init__(self, *args: Any, package: str, verbs: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.package, self.verbs = package, verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the verbs in the order of the work, not of the alphabet."""
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a verb and return its function."""
        if cmd_name not in self.verbs:
            return None
        module, _, function = self.verbs[cmd_name].partition(".")
        place = importlib.import_module(f"{self.package}.{module}")
        command: click.Command = getattr(place, function)
        add_to(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb that is asked for; one that is not there is answered with near ones."""
        word = args[0]
        if word in self.verbs or word.startswith("-"):
            return super().resolve_command(ctx, args)
        near = get_close_matches(word.lower(), self.verbs, 2, 0.5)
        words = f"did you mean {' or '.join(map(repr, near))}?" if near else "expected one of "
        raise click.UsageError(
            f"No such verb '{printable(word)}'; {words}{'' if near else ', '.join(self.verbs)}", ctx
        )
