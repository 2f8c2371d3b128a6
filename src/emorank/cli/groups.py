"""`emorank groups`: how well a study does for each group of persons."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from emorank.cli.options import FILE, comma_list, study_argument
from emorank.cli.studies import progress_bar, renew_report

# These fit a narrow terminal; groups.json and the report have all.
COLUMNS = ("Group", "Persons", "Images", "Emotion", "Constant", "Ranked", "Kappa")

if TYPE_CHECKING:
    from emorank.results.groups import GroupResults


@click.command("groups", short_help="Scores by group: age, gender, ethnicity, skin tone.")
@study_argument
@click.option(
    "--groups",
    "file",
    type=FILE,
    help="CSV or Parquet, a row for each person or image. Default: what the data set knows.",
)
@click.option(
    "--by",
    metavar="A,B",
    callback=comma_list,
    help="Attributes, for instance gender,age or gender=COLUMN. Default: all that are known.",
)
@click.option(
    "--id", "id_column", default="", help="Column of the persons or images; recognised by default."
)
@click.option(
    "--bands",
    multiple=True,
    metavar="NAME=ENDS",
    help="Where the bands of a number begin, for instance age=18,25,35,50; may be repeated.",
)
@click.option("--no-report", is_flag=True, help="Leave the report as it is.")
def command(
    folder: Path,
    file: Path | None,
    by: list[str],
    id_column: str,
    bands: tuple[str, ...],
    no_report: bool,
) -> None:
    """Score the test part of STUDY by group of persons: emotion, and rank where raters voted.

    Every score has an interval over persons. The test whether groups differ gives the groups to
    the persons again at random, and is corrected for the number of tests. Groups of fewer than five
    persons are shown but not tested. The results are in groups.json, in the report and in the
    model card.

    \b
    Examples:
      emorank groups demo
      emorank groups mine --groups persons.csv --by gender,ethnicity,age
      emorank groups mine --groups persons.csv --by sex=gender_code --bands age=30,50
    """
    from emorank.datasets.attributes import parse_bands
    from emorank.study.folder import open_study
    from emorank.study.verbs.results_by_group import results_by_group

    study = open_study(folder)
    with progress_bar("groups") as progress:
        ends = dict(map(parse_bands, bands))
        result = results_by_group(
            study, file, by, id_column=id_column, bands=ends, progress=progress
        )
    print_groups(result)
    if not no_report:
        renew_report(study)


def print_groups(result: "GroupResults") -> None:
    """Print a table for each attribute, and what the tests say."""
    from emorank.cli.terminal import print_line, print_table
    from emorank.report.sections.groups import columns, differences

    simulated = ", SIMULATED persons" if result.simulated else ""
    print_line(f"{result.images:,} test images, groups from {result.source}{simulated}")
    for attribute in result.attributes:
        table = columns(attribute)
        table = table[[name for name in COLUMNS if name in table]]
        unknown = f" ({attribute.unknown:,} images unknown)" if attribute.unknown else ""
        title = f"by {attribute.name}{unknown}"
        print_table(table.columns, table.itertuples(index=False), title=title)
        for line in differences(attribute):
            print_line(line)
