"""`emorank rate forget`: delete what is personal of raters."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from emorank.cli.options import FILE_OR_FOLDER

if TYPE_CHECKING:
    from emorank.room.forget import Retention


@click.command("forget", short_help="Delete what is personal of raters.")
@click.argument("project", type=FILE_OR_FOLDER)
@click.argument("raters", nargs=-1)
@click.option("--all", "everybody", is_flag=True, help="All raters of the project.")
@click.option("--answers", is_flag=True, help="Delete their answers too.")
@click.option("--yes", is_flag=True, help="Do not ask; it cannot be undone.")
def command(
    project: Path, raters: tuple[str, ...], everybody: bool, answers: bool, yes: bool
) -> None:
    """Delete names, links, sessions, displays, consents and what RATERS said about themselves.

    Answers stay, as those of "forgotten rater 1" …, unless --answers says otherwise. The log of
    events cannot change; it has a random number instead of a name, and nothing says any longer
    whose it was.

    \b
    Examples:
      emorank rate forget ratings r3 --yes
      emorank rate forget ratings r2 --answers --yes
      emorank rate forget ratings --all --yes
    """
    if bool(raters) == everybody:
        raise click.UsageError("name RATERS, or say --all; one of the two")
    from emorank.cli.rate.project import open_room

    opened = open_room(project)
    from emorank.room.forget import forget, retention

    names = list(dict.fromkeys(raters)) or list(retention(opened).raters)
    if not names:
        click.echo("nothing personal is left of any rater")
        return
    if not yes:
        what = "what is personal and all answers" if answers else "what is personal"
        click.confirm(f"Delete {what} of {', '.join(names)}, for good?", abort=True)
    for name, done in forget(opened, names, answers).items():
        more = f", {done.answers} answers deleted" if answers else "; the answers stay"
        click.echo(f"{name}: now {done.pseudonym}{more}")
    if opened.database.dialect == "postgresql":
        click.echo("PostgreSQL overwrites deleted rows at its next VACUUM")
    click.echo("Exports, backups and mails that you made before are not known here", err=True)


def kept_sentence(kept: "Retention", now: int, folder: Path) -> str:
    """Until when what is personal is kept, and what to do when that is over."""
    from emorank.report.words import moment

    days = f"What is personal is kept for {kept.days} days after the last answer"
    if not kept.raters:
        return f"{days}; nothing is left of any rater."
    if kept.due is None:
        return f"{days}; there is no answer yet."
    if kept.overdue(now):
        return (
            f"OVERDUE: {days}, until {moment(kept.due)}, and it is still there of "
            f"{len(kept.raters)} raters. Delete it: emorank rate forget {folder} --all"
        )
    return f"{days}: until {moment(kept.due)}."
