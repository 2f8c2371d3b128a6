"""`--protocol FILE`: the file of a study, whose top gives options of the verb their values."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emorank.cli.options import FILE

if TYPE_CHECKING:
    from emorank.room.protocol import Declared

_NOT_THERE = {"out", "protocol", "help", "set"}


def _read(context: click.Context, _: click.Parameter, path: Path | None) -> "Declared | None":
    """Read the file first of all; what the command line says too goes before it."""
    if path is None:
        return None
    from emorank.errors import RatingError, needing

    with needing("web", "a rating project"):
        from emorank.room.protocol import PARTS, read_protocol
        from emorank.web.rating.language import Choice
    declared, known = read_protocol(path), _options(context.command)
    try:
        Choice(declared.protocol.languages)
    except RatingError as error:
        raise RatingError(f"{path}: [languages]: {error}") from error
    values: dict[str, Any] = {}
    for key, value in declared.options.items():
        if key not in known:
            keys = ", ".join(sorted({*known, *PARTS}))
            raise RatingError(f"{path}: unknown key '{key}' at the top; expected some of {keys}")
        if isinstance(value, list):
            value = ",".join(map(str, value))
        try:
            known[key].type_cast_value(context, value)
        except (click.BadParameter, TypeError) as error:
            said = error.format_message() if isinstance(error, click.BadParameter) else str(error)
            raise RatingError(f"{path}: {key} = {value!r}: {said}") from error
        values[str(known[key].name)] = value
    context.default_map = {**(context.default_map or {}), **values}
    return declared


def _options(command: click.Command) -> dict[str, click.Parameter]:
    """The options of a verb that a file may give, by their long names with _ for -."""
    return {
        name: option
        for option in command.params
        if isinstance(option, click.Option)
        for name in (opt.lstrip("-").replace("-", "_") for opt in option.opts)
        if name not in _NOT_THERE
    }


protocol_option = click.option(
    "--protocol",
    "declared",
    type=FILE,
    callback=_read,
    is_eager=True,
    help="File of the study (TOML): consent, languages, practice, checks, breaks, exposure, "
    "questions about the rater, an open link; and any option of this list.",
)
