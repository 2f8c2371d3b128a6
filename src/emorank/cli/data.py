"""`emorank data`: what a folder of images holds."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from emorank.cli.options import FILE_OR_FOLDER, dataset_options
from emorank.cli.studies import read_settings

if TYPE_CHECKING:
    from emorank.datasets.inspect import Inspection

PROBLEMS = 20
"""So many problems are printed; of more only the number."""


@click.group("data", short_help="Look into a data set.")
def command() -> None:
    """Look into a data set before a study is made of it.

    \b
    Example:
      emorank data inspect ~/KDEF_and_AKDEF
    """


@command.command("inspect", short_help="Recognise a data set and print what is in it.")
@click.argument("path", type=FILE_OR_FOLDER)
@dataset_options
def inspect(path: Path, dataset: str, options: tuple[str, ...]) -> None:
    """Recognise the layout of PATH and print emotions, persons, sizes, problems and licence.

    \b
    Examples:
      emorank data inspect ~/KDEF_and_AKDEF
      emorank data inspect ~/KDEF_and_AKDEF --option angle=HL
      emorank data inspect faces.csv
    """
    from emorank import datasets
    from emorank.datasets.inspect import inspect as look

    print_inspection(look(datasets.load(path, dataset, **read_settings(options))))


def print_inspection(data: "Inspection") -> None:
    """Print tables and lines for a person to read."""
    from rich.text import Text

    from emorank.cli.terminal import print_line, print_table, printable
    from emorank.vocabulary import Emotion

    simulated = Text(" (simulated)", "yellow") if data.card.simulated else Text()
    print_line(Text(data.card.title, "bold") + simulated)
    counts = data.to_frame().astype(object)
    headings = {"images": "images", "published": "as published", "table_2": "paper, Table 2"}
    columns = [name for name in headings if counts[name].notna().any()]
    print_table(
        ("expressed emotion", *(headings[name] for name in columns)),
        (
            (Emotion(row["emotion"]).label, *(_count(row[name]) for name in columns))
            for row in counts.to_dict("records")
        ),
    )
    for name, words in _facts(data).items():
        print_line(Text(f"{name:10} ", "dim") + printable(words))
    problems = [f"{problem.file}: {problem.reason}" for problem in data.problems]
    if len(problems) > PROBLEMS:
        problems[PROBLEMS:] = [f"… and {len(problems) - PROBLEMS:,} more"]
    for words in problems:
        print_line(Text(f"{'problem':10} ", "yellow") + printable(words))


def _count(value: object) -> str | None:
    return f"{value:,}" if isinstance(value, int) else None


def _facts(data: "Inspection") -> dict[str, str]:
    card, sizes = data.card, data.sizes
    facts = {"images": f"{data.images:,}", "persons": "not known"}
    if data.unlabelled:
        facts["images"] += f", {data.unlabelled:,} of them without an emotion"
    if data.unreadable:
        facts["images"] += f", {data.unreadable:,} of them cannot be read"
    if data.persons is not None and data.per_person is not None:
        least, most = data.per_person
        facts["persons"] = f"{data.persons:,}, with {least:,} to {most:,} images each"
    if data.assumed:
        facts["assumed"] = data.assumed
    facts["sequences"] = "none known" if data.sequences is None else f"{data.sequences:,}"
    if data.intensities:
        facts["intensity"] = f"known for {data.intensities:,} images"
    if sizes is not None:
        named = {"least": sizes.least, "median": sizes.median, "greatest": sizes.greatest}
        words = (f"{name} {width}×{height}" for name, (width, height) in named.items())
        facts["size"] = f"{', '.join(words)} px ({sizes.sampled} images looked at)"
    cropped, whole = "cropped faces (--crop none)", "photographs (--crop face)"
    facts |= {"framing": cropped if card.cropped else whole, "problems": f"{len(data.problems):,}"}
    return facts | {"licence": card.licence, "cite": card.citation}
