"""`emorank audit`: how far the ranks of a study can be believed."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from emorank.cli.options import run_stages

if TYPE_CHECKING:
    from emorank.study.folder import Study
    from emorank.study.verbs.audit_ranks import Audit


SHOWN = {
    "Rank": "rank",
    "Verdict": "verdict",
    "Spearman within emotion": "Spearman",
    "By chance": "chance",
    "Kappa with majority": "kappa",
    "AUC against neutral": "AUC",
    "Moved by": "moved",
}
"""Columns of the report's table, as eighty columns of a terminal hold them."""
INTERVAL = "Spearman within emotion"


@click.command("audit", short_help="Say how far the ranks can be believed.")
@click.argument("folder", metavar="STUDY", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--votes",
    type=click.Path(path_type=Path),
    help="Rating project, or CSV or Parquet file of votes; those of the study if unsaid.",
)
@click.option(
    "--rank",
    "ranks",
    metavar="NAMES",
    default="",
    help="Ranks to audit, with commas between; all that the study can give if unsaid.",
)
@click.option(
    "--scores",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Somebody else's scores to audit too: CSV or Parquet, columns image, score, level.",
)
@click.option(
    "--faces",
    type=click.IntRange(min=0),
    default=24,
    show_default=True,
    help="On how many faces changes that should not matter are tried.",
)
def command(folder: Path, votes: Path | None, ranks: str, scores: Path | None, faces: int) -> None:
    """Audit the ranks of STUDY on the persons of its test part.

    Does a rank follow expression intensity within each emotion, agree with the raters, rise along
    sequences, stay where nothing changed but the light? Ranks that are bad by make (a constant, a
    random one, the brightness) go through the same laboratory and have to fail. The result is in
    the report, in audit.json and audit.parquet; a stopped audit goes on where it was.

    \b
    Examples:
      emorank audit demo
      emorank audit kdef --votes votes.csv --rank paper,logit --faces 60
      emorank audit kdef --scores others.csv
    """
    from emorank.cli.watch import Terminal
    from emorank.study.folder import open_study
    from emorank.study.verbs.audit_ranks import audit

    study = open_study(folder)
    names = [name.strip() for name in ranks.split(",") if name.strip()]
    with Terminal() as terminal:
        progress = terminal.start("audit")
        found = audit(
            study, votes=votes, ranks=names, scores=scores, faces=faces, progress=progress
        )
    _show(found)
    _renew(study)


def _show(found: "Audit") -> None:
    from rich.console import Console
    from rich.table import Table

    from emorank.report.audit import ranks_table

    table = Table(box=None, padding=(0, 1), pad_edge=False)
    for title in SHOWN.values():
        table.add_column(title, no_wrap=True)
    for row in ranks_table(found.ranks).to_dict("records"):
        table.add_row(*(_short(name, str(row[name])) for name in SHOWN))
    Console().print(table)
    click.echo("Spearman is within emotion, chance what shuffled scores reach; more in the report.")
    for name, reason in found.unavailable.items():
        click.echo(f"not audited: {name}: {reason}", err=True)
    for line in found.unmeasured:
        click.echo(line, err=True)
    click.echo(found.headline)


def _short(name: str, value: str) -> str:
    """A value; its interval only where there is room for one."""
    return value if name == INTERVAL else value.removeprefix("up to ").partition(" [")[0]


def _renew(study: "Study") -> None:
    """Write the report again, if the study has come as far."""
    from emorank.errors import StudyError

    try:
        run_stages(study, first="report", last="report")
    except StudyError as error:
        click.echo(f"the report was not written: {error}", err=True)
