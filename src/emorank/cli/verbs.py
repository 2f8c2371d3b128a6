"""Groups of verbs: one file for each verb, imported when the verb is called."""

import importlib
import keyword
from collections.abc import Sequence
from typing import Any

import click


class Verbs(click.Group):
    """Verbs in the order given, each imported from the file of its name in a package.

    A file's `command` is the verb; the file of a verb that is a word of Python ("import") has an
    underscore after its name.
    """

    def __init__(self, *args: Any, package: str, verbs: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.package = package
        self.verbs = tuple(verbs)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the verbs in the order of the work, not of the alphabet."""
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the file of a verb and return its `command`."""
        if cmd_name not in self.verbs:
            return None
        name = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        module = importlib.import_module(f"{self.package}.{name}")
        command: click.Command = module.command
        return command
