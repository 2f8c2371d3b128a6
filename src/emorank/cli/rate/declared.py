"""`--protocol FILE`: the file of a study, whose top gives options of the verb their values."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from emorank.cli.options import FILE, comma_list

_NOT_THERE = {"out", "protocol", "help", "set"}

protocol_option = click.option(
    "--protocol",
    "declared",
    type=FILE,
    help="File of the study (TOML): consent, languages, practice, checks, breaks, exposure, "
    "questions about the rater, an open link; and any option of this list.",
)


class Declaring(click.Command):
    """A verb with `--protocol`; what the command line says goes before what the file says."""

    def invoke(self, ctx: click.Context) -> Any:
        """Read the file, give options their values, and run the verb."""
        if (path := ctx.params["declared"]) is not None:
            ctx.params |= {"declared": self._read(ctx, path)}
        return super().invoke(ctx)

    def _read(self, ctx: click.Context, path: Path) -> object:
        from emorank.errors import RatingError, needing

        with needing("web", "a rating project"):
            from emorank.room.protocol import PARTS, read_protocol
            from emorank.web.rating.language import Choice
        declared, known = read_protocol(path), self._options()
        try:
            Choice(declared.protocol.languages)
        except RatingError as error:
            raise RatingError(f"{path}: [languages]: {error}") from error
        for key, value in declared.options.items():
            if key not in known:
                keys = ", ".join(sorted({*known, *PARTS}))
                raise RatingError(
                    f"{path}: unknown key '{key}' at the top; expected some of {keys}"
                )
            option, name = known[key], str(known[key].name)
            if (expected := _expected(option)) and not _fits(expected, value):
                raise RatingError(f"{path}: {key} = {value!r}: expected {expected}")
            text = ",".join(map(str, value)) if isinstance(value, list) else value
            try:
                taken = option.process_value(ctx, text)
            except (click.BadParameter, TypeError) as error:
                bad = isinstance(error, click.BadParameter)
                said = error.message if bad else str(error)  # type: ignore[union-attr]
                raise RatingError(f"{path}: {key} = {value!r}: {said}") from error
            if ctx.get_parameter_source(name) is ParameterSource.DEFAULT:
                ctx.params[name] = taken
        return declared

    def _options(self) -> dict[str, click.Parameter]:
        """The options that a file may give, by their long names with _ for -."""
        return {
            name: option
            for option in self.params
            if isinstance(option, click.Option)
            for name in (opt.lstrip("-").replace("-", "_") for opt in option.opts)
            if name not in _NOT_THERE
        }


def _expected(option: click.Parameter) -> str:
    """What kind of value an option has in a file, in words."""
    if isinstance(option, click.Option) and option.is_flag:
        return "true or false"
    if isinstance(option.type, click.FloatRange | type(click.FLOAT)):
        return "a number"
    if isinstance(option.type, click.IntRange | type(click.INT)):
        return "a whole number"
    return "text, or a list of texts without commas" if option.callback is comma_list else "text"


def _fits(expected: str, value: object) -> bool:
    if isinstance(value, bool) or expected == "true or false":
        return isinstance(value, bool) and expected == "true or false"
    if expected.startswith("text, or") and isinstance(value, list):
        return all(isinstance(one, str) and "," not in one for one in value)
    kinds = {"a number": int | float, "a whole number": int}
    return isinstance(value, kinds.get(expected, str))
