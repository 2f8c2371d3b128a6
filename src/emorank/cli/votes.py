"""Which votes a verb reads, and what their file does not say of itself."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emorank.cli.options import Function, together
from emorank.errors import VotesError

if TYPE_CHECKING:
    from emorank.study.folder import Study

Said = dict[str, Any]
"""What was said of a file of votes: the settings of a plan's table `answers`."""


def _words(context: click.Context, option: click.Parameter, text: str | None) -> dict[str, str]:
    if not text:  # also where a shell asks for completions, which cannot wait
        return {}
    from emorank.answers.declared import parse_words

    try:
        return parse_words(text)
    except VotesError as error:
        raise click.BadParameter(str(error)) from None


def _cut(context: click.Context, option: click.Parameter, text: str | None) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",")] if text else []
    except ValueError:
        numbers = [0]
    if numbers and len(numbers) != 3:
        raise click.BadParameter("expected three numbers, such as 1,2,3")
    return numbers


_options = together(
    click.option(
        "--control",
        metavar="NAME",
        help="Of an export of Label Studio: the control that holds the answers.",
    ),
    click.option(
        "--map",
        "words",
        metavar="WORD=ANSWER,…",
        callback=_words,
        help='What words of the file mean: "Low=Minimal,Medium=Average,High=Strong".',
    ),
    click.option(
        "--cut",
        metavar="A,B,C",
        callback=_cut,
        help="Of ratings and numbers: the lowest that count as Minimal, Average, Strong. MDNS has "
        "1,2,3 by default.",
    ),
)


def said_options(function: Function) -> Function:
    """Give a verb --control, --map and --cut, as one argument `said`."""

    @wraps(function)
    def verb(*, control: str | None, words: Said, cut: list[float], **others: Any) -> Any:
        given = {"control": control, "words": words, "cut": cut}
        return function(said={key: value for key, value in given.items() if value}, **others)

    decorate: Callable[[Any], Any] = _options
    return decorate(verb)  # type: ignore[no-any-return]  # click leaves the type open


def votes_settings(votes: Path | str | None, said: Said) -> dict[str, Any]:
    """The changes of a plan; what was said of another file goes with that file."""
    if votes is None:
        return {f"answers.{key}": value for key, value in said.items()}
    return {"validate.votes": str(Path(votes).expanduser().resolve()), "answers": said}


def with_votes(study: "Study", votes: Path | str | None, said: Said) -> "Study":
    """A study whose plan names other votes, for this call only; nothing is written."""
    from emorank.study.folder import Study
    from emorank.study.plan import override

    plan = override(study.plan, votes_settings(votes, said), origin="the options")
    if said and not plan.validate.votes:
        raise click.UsageError("--control, --map and --cut are for votes: give their file, --votes")
    return Study(study.folder, plan)
