"""`--protocol FILE`: the file of a study, whose top gives options of the verb their values."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from emorank.cli.options import FILE

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
