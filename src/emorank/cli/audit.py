"""`emorank audit`: how far the ranks of a study can be believed."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from emorank.cli.options import FILE, comma_list, study_argument, votes_option
from emorank.cli.studies import progress_bar, renew_report
from emorank.cli.votes import Said, said_options, with_votes

if TYPE_CHECKING:
    from emorank.results.audit import Audit

COLUMNS = {
    "Rank": "rank",
    "Verdict": "verdict",
    "Spearman within emotion": "Spearman",
    "By chance": "chance",
    "Kappa with majority": "kappa",
    "AUC against neutral": "AUC",
    "Moved by": "moved",
}
"""Columns of the report's table under headings that fit a terminal of eighty columns."""
WITH_INTERVAL = "Spearman within emotion"


@click.command("audit", short_help="Say how far the ranks can be believed.")
@study_argument
@votes_option
@said_options
@click.option(
    "--rank",
    "ranks",
    metavar="A,B",
    callback=comma_list,
    help="Ranks to audit. Default: all that the study can give.",
)
@click.option(
    "--scores",
    type=FILE,
    help="Scores of another program, to audit too: CSV or Parquet, columns image, score, level.",
)
@click.option(
    "--faces",
    type=click.IntRange(min=0),
    default=24,
    show_default=True,
    help="On how many faces to try changes that should not matter, such as a mirror.",
)
@click.option(
    "--asked",
    is_flag=True,
    help="Ask about the emotion that each face is labelled with, as raters are asked, and not "
    "about the one that the network names.",
)
def command(
    folder: Path,
    votes: Path | None,
    said: Said,
    ranks: list[str],
    scores: Path | None,
    faces: int,
    asked: bool,
) -> None:
    """Audit the ranks of STUDY on the persons of its test part.

    Does a rank follow expression intensity within each emotion, agree with the raters, rise along
    sequences, stay the same where only the light changes? Three ranks that cannot be right (a
    constant, a random one, the brightness) go through the same tests and have to fail. The result
    is in the report, in audit.json and audit.parquet. An audit that was stopped goes on with the
    same command.

    \b
    Examples:
      emorank audit demo
      emorank audit kdef --votes votes.csv --rank paper,logit --faces 60
      emorank audit kdef --scores others.csv
      emorank audit demo --asked
    """
    from emorank.study.folder import open_study
    from emorank.study.verbs.audit_ranks import audit

    study = open_study(folder)
    with progress_bar("audit") as progress:
        result = audit(
            with_votes(study, votes, said),
            rank=ranks,
            scores=scores,
            faces=faces,
            asked=asked,
            progress=progress,
        )
    _print(result)
    renew_report(study)


def _print(result: "Audit") -> None:
    from emorank.cli.terminal import print_table
    from emorank.report.sections.audit import ranks_table
    from emorank.report.sections.audit_words import question
    from emorank.report.words import without_interval

    def short(name: str, value: str) -> str:  # one column has room for the interval
        return value if name == WITH_INTERVAL else without_interval(value.removeprefix("up to "))

    headings = list(COLUMNS.values())
    rows = (
        [short(name, str(row[name])) for name in COLUMNS]
        for row in ranks_table(result.ranks).to_dict("records")
    )
    print_table(headings, rows, one_line=headings)
    click.echo("Spearman: within emotion; chance: what shuffled scores reach. The report has more.")
    click.echo(question(asked=result.asked))
    unavailable = [f"not audited: {name}: {why}" for name, why in result.unavailable.items()]
    for line in (*unavailable, *result.unmeasured):
        click.echo(line, err=True)
    click.echo(result.headline)
