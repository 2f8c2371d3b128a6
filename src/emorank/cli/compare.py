"""`emorank compare`: the ranks of a study beside the estimators of Table 10."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from emorank.cli.options import study_argument
from emorank.cli.studies import renew_report
from emorank.cli.votes import Said, said_options, with_votes

if TYPE_CHECKING:
    from emorank.results.comparison import Comparison


@click.command("compare", short_help="Compare the ranks with six other estimators.")
@study_argument
@click.option(
    "--votes",
    metavar="FILE",
    help="Rating project, or CSV or Parquet file with the columns image, rater, rank; or labels, "
    "where nobody voted: neutral against any expression. Default: the votes of the study.",
)
@said_options
@click.option(
    "--folds",
    type=click.IntRange(min=0),
    default=0,
    help="Part the persons into so many folds and test every person once; each fold trains every "
    "network again. Default: only the test part of the study is tested.",
)
@click.option(
    "--against",
    default="",
    metavar="RANK",
    help="The rank that all others are tested against, for instance paper. Default: contrast, "
    "or evidence where the network does not know neutral.",
)
def command(folder: Path, votes: str | None, said: Said, folds: int, against: str) -> None:
    """Compare the ranks of STUDY with the six intensity estimators of the paper's Table 10.

    Beside them stand the network that comes with emorank, as it is, and heads on its features. All
    are tested on the same persons, and those that learn do so from the same other persons. The
    table has accuracy, balanced accuracy, quadratic kappa, mean error and Spearman's correlation,
    with intervals over persons; computing times; and a test against our rank. It is in the report,
    in the folder table_10 of the study (CSV, LaTeX, PNG, PDF, HTML), and face by face in
    comparison.parquet. A comparison that was stopped goes on with the same command.

    \b
    Examples:
      emorank compare demo
      emorank compare demo --folds 7
      emorank compare kdef --votes votes.csv --against paper
      emorank compare london --votes labels
    """
    from emorank.cli.progress_bars import ProgressBars
    from emorank.report.paper import write
    from emorank.report.sections.comparison import items
    from emorank.study.comparing.task import LABELS
    from emorank.study.folder import open_study
    from emorank.study.verbs.compare_estimators import compare

    study = open_study(folder)
    labels = votes if votes == LABELS else None
    asked = with_votes(study, None if labels else votes, said)
    with ProgressBars() as bars:
        result = compare(asked, labels, folds=folds, against=against, watch=bars)
    page = write(items(result), study.path("table_10"), study.plan.title)
    _print(result)
    click.echo(f"CSV, LaTeX, figures: {page.parent}")
    renew_report(study)


def _print(result: "Comparison") -> None:
    """Print tables and notes; times and the figures are in the files."""
    from emorank.cli.terminal import print_line, print_table
    from emorank.report.sections.comparison import items, notes

    for item in items(result):
        if item.table is not None:
            rows = item.table.itertuples(index=False)
            print_table(item.table.columns, rows, title=item.title, one_line=["Estimator"])
    for note in notes(result):
        print_line(f"- {note}")
