"""Groups of verbs, each verb imported when it is called."""

import importlib
from collections.abc import Mapping
from typing import Any

import click


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
        return command
