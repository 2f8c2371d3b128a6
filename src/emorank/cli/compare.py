"""`emorank compare`: the ranks of a study beside the estimators of Table 10."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from emorank.cli.options import renew_report

if TYPE_CHECKING:
    from emorank.report.comparison import Comparison


@click.command("compare", short_help="Compare the ranks with six other estimators.")
@click.argument("folder", metavar="STUDY", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--votes",
    metavar="FILE",
    help="Rating project, or CSV or Parquet file with the columns image, rater, rank; the study's "
    "own votes if unsaid. 'labels': neutral against any expression, where nobody voted.",
)
@click.option(
    "--folds",
    type=click.IntRange(min=0),
    default=0,
    help="Part the persons in so many folds and test every person once; every network is trained "
    "anew in each fold. The study's own test part if unsaid.",
)
@click.option(
    "--against",
    default="",
    metavar="RANK",
    help="The rank that all others are tested against, for instance paper; the best founded one "
    "that the study has if unsaid.",
)
def command(folder: Path, votes: str | None, folds: int, against: str) -> None:
    """Compare the ranks of STUDY with the six intensity estimators of the paper's Table 10.

    All learn from the same persons and are tested on the same others: accuracy, balanced accuracy,
    quadratic kappa, mean error, Spearman's correlation, with intervals over persons, times, and a
    test against our rank. The result is in the report, in the folder table_10 of the study (CSV,
    LaTeX, PNG, PDF, HTML) and in comparison.parquet, face by face. A stopped comparison goes on
    where it was.

    \b
    Examples:
      emorank compare demo
      emorank compare demo --folds 7
      emorank compare kdef --votes votes.csv --against paper
      emorank compare london --votes labels
    """
    from emorank.cli.watch import Terminal
    from emorank.report.comparison import comparison
    from emorank.report.paper import write
    from emorank.study.folder import open_study
    from emorank.study.verbs.compare_estimators import compare

    study = open_study(folder)
    with Terminal() as terminal:
        values = compare(study, votes, folds=folds, against=against, watch=terminal)
    found = comparison(values)
    page = write(found.items, study.path("table_10"), study.plan.title)
    _show(found)
    click.echo(f"CSV, LaTeX, figures: {page.parent}")
    renew_report(study)


def _show(found: "Comparison") -> None:
    """Tables and notes on the terminal; times and what is printed elsewhere are in the files."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    for item in found.items:
        if item.table is None:
            continue
        table = Table(box=SIMPLE_HEAD, pad_edge=False, title=item.title, title_justify="left")
        for title in item.table.columns:
            table.add_column(title, no_wrap=title == "Estimator")
        for row in item.table.itertuples(index=False):
            table.add_row(*map(str, row))
        Console().print(table)
    for note in found.notes:
        click.echo(f"- {note}")
