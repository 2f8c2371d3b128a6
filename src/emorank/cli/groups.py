"""`emorank groups`: how well a study does for each group of persons."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from emorank.cli.options import run_stages

# What fits a narrow terminal; groups.json and the report have all.
SHOWN = ("Group", "Persons", "Images", "Emotion", "Constant", "Ranked", "Kappa")

if TYPE_CHECKING:
    from emorank.evaluation.group_scores import Attribute, GroupResults


@click.command("groups", short_help="Scores by group: age, gender, ethnicity, skin tone.")
@click.argument("folder", metavar="STUDY", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--groups",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV or Parquet, a row per person or image; what the data set knows if unsaid.",
)
@click.option(
    "--by",
    metavar="NAMES",
    default="",
    help="Attributes, separated by commas: gender,age; or gender=COLUMN. All known if unsaid.",
)
@click.option(
    "--id", "id_column", default="", help="Column of the persons or images; found if unsaid."
)
@click.option(
    "--bands",
    multiple=True,
    metavar="NAME=ENDS",
    help="Where bands of a number begin, for instance age=18,25,35,50; may be repeated.",
)
@click.option("--no-report", is_flag=True, help="Leave the report as it is.")
def command(
    folder: Path,
    file: Path | None,
    by: str,
    id_column: str,
    bands: tuple[str, ...],
    no_report: bool,
) -> None:
    """Score the test part of STUDY by group of persons: emotion, and rank where raters voted.

    Every score has an interval over persons. Whether groups differ is tested by dealing the groups
    out to the persons again at random, corrected for the number of tests; groups of fewer than
    five persons are shown and not tested. The results are written to groups.json, and the report
    and the model card are renewed.

    \b
    Examples:
      emorank groups demo
      emorank groups mine --groups persons.csv --by gender,ethnicity,age
      emorank groups mine --groups persons.csv --by sex=gender_code --bands age=30,50
    """
    from emorank.cli.watch import Terminal
    from emorank.datasets.attributes import parse_bands
    from emorank.study.folder import open_study
    from emorank.study.verbs.results_by_group import results_by_group

    study = open_study(folder)
    names = [name for name in by.split(",") if name.strip()]
    with Terminal() as terminal:
        found = results_by_group(
            study,
            file,
            names,
            id_column=id_column,
            bands=dict(map(parse_bands, bands)),
            progress=terminal.start("groups"),
        )
    print_groups(found)
    if not no_report:
        run_stages(study, first="report", last="report")


def print_groups(found: "GroupResults") -> None:
    """A table per attribute, and what the tests say."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from emorank.report.groups import columns, differences

    console = Console(highlight=False)
    simulated = ", SIMULATED persons" if found.simulated else ""
    console.print(f"{found.images:,} test images, groups from {escape(found.source)}{simulated}")
    for attribute in found.attributes:
        shown = columns(attribute)
        shown = shown[[name for name in SHOWN if name in shown]]
        table = Table(*map(str, shown.columns), title=escape(_title(attribute)), box=SIMPLE_HEAD)
        table.title_justify = "left"
        for row in shown.itertuples(index=False):
            table.add_row(*(escape(str(value)) for value in row))
        console.print(table)
        for line in differences(attribute):
            console.print(escape(line), soft_wrap=True)


def _title(attribute: "Attribute") -> str:
    unknown = f" ({attribute.unknown:,} images unknown)" if attribute.unknown else ""
    return f"by {attribute.name}{unknown}"
