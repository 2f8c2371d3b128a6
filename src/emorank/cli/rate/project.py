"""Verbs of `emorank rate` on a rating project that is there, and its invite links."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from emorank.answers.formats import WRITABLE
from emorank.cli.options import FILE, FILE_OR_FOLDER, overwrite_option
from emorank.cli.rate.tables import TABLES, chosen, table_options
from emorank.cli.votes import Said, said_options

if TYPE_CHECKING:
    from emorank.room.project import Project

project_argument = click.argument("project", type=FILE_OR_FOLDER)


@click.command("status", short_help="Print how far every rater is.")
@project_argument
def status(project: Path) -> None:
    """Print how far every rater is, and whether links are still open.

    \b
    Example:
      emorank rate status ratings
    """
    opened = open_room(project)
    from rich.text import Text

    from emorank.cli.rate.forget import kept_sentence
    from emorank.cli.terminal import print_line, print_table, printable
    from emorank.report.words import FAST, part
    from emorank.room.duration import minutes_taken
    from emorank.room.forget import retention
    from emorank.room.overview import progress
    from emorank.room.protocol import protocol_of
    from emorank.room.trials import Checks, checks_of

    about, rows = opened.about(), []
    state = "open" if about.closed_at is None else "closed"
    database = printable(str(opened.database))
    print_line(Text.assemble(printable(about.title), f" ({state}) ", database))
    look = "as large as the window allows, in the rater's theme"
    if about.face_size is not None:
        look = f"{about.face_size} CSS pixels, on {about.background}"
    print_line(f"Faces are shown {look}. Links begin with {about.base_url}", "dim")
    checks = checks_of(opened) if protocol_of(opened).checks else None
    for rater in progress(opened):
        time = None if rater.median_ms is None else f"{rater.median_ms / 1000:.1f} s"
        fast = part(rater.fast, rater.answered)
        row = [rater.name, rater.answered, rater.total, time, fast]
        if checks is not None:
            mine = checks.get(rater.id, Checks(0, 0))
            row.append(part(mine.failed, mine.answered))
        rows.append((*row, rater.link))
    failed = () if checks is None else ("failed checks",)
    print_table(("rater", "answered", "of", "median time", FAST, *failed, "link"), rows)
    if (taken := minutes_taken(opened)) is not None:
        number, length = taken
        who = "The rater who has" if number == 1 else f"The {number} raters who have"
        print_line(
            f"{who} answered everything took {length:.1f} min (median, without pauses)", "dim"
        )
    if (kept := retention(opened)).days is not None:
        print_line(kept_sentence(kept, opened.now(), project))


@click.command("invite", short_help="Add raters; renew or revoke links.")
@project_argument
@click.argument("raters", nargs=-1)
@click.option("--add", metavar="N_OR_NAMES", help="Add so many raters, or these: dora,emil.")
@click.option("--revoke", "only_revoke", is_flag=True, help="End links and sessions; make none.")
def invite(project: Path, raters: tuple[str, ...], add: str | None, only_revoke: bool) -> None:
    """Print new links for RATERS; their old links and sessions end, their answers stay.

    The word "owner" stands for the owner. With --add the project gets more raters, each with an
    order of their own, and their links are printed.

    \b
    Examples:
      emorank rate invite ratings r3
      emorank rate invite ratings r3 r4 --revoke
      emorank rate invite ratings owner
      emorank rate invite ratings --add 2
      emorank rate invite ratings --add dora,emil
    """
    if bool(raters) == (add is not None):
        raise click.UsageError("name RATERS whose links are renewed, or say --add; one of the two")
    if add is not None and only_revoke:
        raise click.UsageError("--add or --revoke, not both")
    opened = open_room(project)
    from emorank.room.enrolment import add_raters, wanted_names
    from emorank.room.invites import revoke
    from emorank.room.raters import rater_id

    if add is not None:
        print_links(opened, add_raters(opened, wanted_names(opened, add)))
        return
    known = people(opened)
    chosen = {name: known[name] if name in known else rater_id(opened, name) for name in raters}
    for rater in chosen.values():
        revoke(opened, rater)
    if only_revoke:
        click.echo(f"revoked: {', '.join(chosen)}")
    else:
        print_links(opened, chosen)


@click.command("export", short_help="Write the answers of a rating project to a file.")
@project_argument
@click.option("--out", type=FILE_OR_FOLDER, help="File to write; its codebook comes beside it.")
@click.option(
    "--psych-ds", type=FILE_OR_FOLDER, help="Write a folder to share instead, in this layout."
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(WRITABLE),
    help="The default is what the ending of the file says.",
)
@table_options
@overwrite_option
def export(
    project: Path,
    out: Path | None,
    psych_ds: Path | None,
    kind: str | None,
    overwrite: bool,
    **asked: bool,
) -> None:
    """Write the current answers, one row each, under the images' own names.

    Beside the file comes its codebook, which says what each column means, for people (.md) and
    programs (.json). --psych-ds writes a folder in the layout of Psych-DS, in which raters have
    numbers and no names.

    Nobody else on this machine can read the file, until you say so.

    \b
    Examples:
      emorank rate export ratings --out votes.csv
      emorank rate export ratings --out tasks.json --format label-studio
      emorank rate export ratings --out log.csv --log
      emorank rate export ratings --out displays.csv --displays
      emorank rate export ratings --out trials.csv --trials
      emorank rate export ratings --psych-ds shared
    """
    name = chosen(asked)
    if (out is None) == (psych_ds is None):
        raise click.UsageError("say --out FILE or --psych-ds DIR, one of the two")
    if psych_ds is not None and (name or kind):
        raise click.UsageError("--psych-ds has a layout of its own; leave out --format, --log …")
    opened = open_room(project)
    from emorank.cli.rate.exported import books_of, write_books
    from emorank.cli.unfinished_work import require_new
    from emorank.files import private

    if psych_ds is not None:
        from emorank.room.psych_ds import write_psych_ds

        with private():
            click.echo(f"{psych_ds}: {write_psych_ds(opened, psych_ds)} answers, as Psych-DS")
        return
    out = out or Path()  # there is one: see above
    for path in (out, *books_of(out)):
        require_new(path, overwrite)
    from emorank.answers.formats.csv_parquet import write_sheet
    from emorank.answers.interchange import write_answers
    from emorank.room.overview import answers
    from emorank.room.scaled import scaled_answers
    from emorank.room.store import scale_of_project
    from emorank.room.tables import table_beside

    scale, what = scale_of_project(opened), "answers"
    with private():
        if name is not None:
            rows, what = table_beside(opened, name), TABLES[name][0]
            write_sheet(rows, out)
        elif scale.standard:
            rows = answers(opened)
            write_answers(rows, out, kind)
        else:
            if kind == "label-studio":
                raise click.UsageError("Label Studio's format is for the scale of three levels")
            rows = scaled_answers(opened)[1]
            write_sheet(rows, out)
        write_books(rows.columns, scale, out)
    click.echo(f"{out}: {len(rows)} {what}")


@click.command("import", short_help="Take answers from elsewhere into a project.")
@project_argument
@click.argument("file", type=FILE)
@click.option("--format", "kind", help="Of FILE; its content decides by default.")
@said_options
def import_(project: Path, file: Path, kind: str | None, said: Said) -> None:
    """Take the answers in FILE into a project, all of them or none.

    FILE has any format that `emorank rate summary` reads. Its images have to be in the project,
    under their own names; raters who are not there yet are added.

    \b
    Examples:
      emorank rate import ratings votes.csv
      emorank rate import ratings export.json --control intensity
    """
    opened = open_room(project)
    from emorank.room.intake import import_answers
    from emorank.room.sources import read_answers

    count = import_answers(opened, read_answers(file, kind, **said))
    click.echo(f"{project}: {count} answers taken in")


@click.command("close", short_help="Take no more answers, or take them again.")
@project_argument
@click.option("--reopen", is_flag=True, help="Take answers again.")
def close(project: Path, reopen: bool) -> None:
    """Close a rating project: raters can give no more answers until it is opened again.

    \b
    Examples:
      emorank rate close ratings
      emorank rate close ratings --reopen
    """
    opened = open_room(project)
    from emorank.room import store

    store.close(opened, closed=not reopen)
    click.echo(f"{project}: {'open' if reopen else 'closed'}")


def people(project: "Project") -> dict[str, str | None]:
    """The raters by name, with their ids, and the owner, who has none."""
    from emorank.room.overview import progress

    raters: dict[str, str | None] = {row.name: row.id for row in progress(project)}
    return raters if "owner" in raters else raters | {"owner": None}


def print_links(project: "Project", chosen: Mapping[str, str | None]) -> None:
    """Make and print links of some `people`.

    They are printed only once, because they are not stored.
    """
    from emorank.room.invites import invite
    from emorank.room.open_link import open_key

    base, key = project.about().base_url, open_key(project)
    if key is not None:
        click.echo(f"\nThe open link, for everybody: {base}/join/{key}")
    click.echo("\nInvite links. Each works once, for 30 days, and is shown only now:\n")
    width = max(map(len, chosen))
    for name, rater in chosen.items():
        click.echo(f"  {name:{width}}  {base}/invite/{invite(project, rater)}")


def open_room(folder: Path) -> "Project":
    """The project in a folder; an error that names the extra if its libraries are missing."""
    from emorank.errors import needing

    with needing("web", "a rating project"):
        from emorank.room.project import open_project
    return open_project(folder)
