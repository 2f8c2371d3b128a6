"""`emorank data`: what a folder of images holds."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from emorank.cli.options import dataset_options, parsed

if TYPE_CHECKING:
    from emorank.datasets.inspect import Inspection


@click.group("data", short_help="Look into a data set.")
def command() -> None:
    """Look into a data set before a study is made of it.

    \b
    Example:
      emorank data inspect ~/KDEF_and_AKDEF
    """


@command.command("inspect", short_help="Recognise a data set and print what is in it.")
@click.argument("path", type=click.Path(path_type=Path))
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

    print_inspection(look(datasets.load(path, dataset, **parsed(options))))


def print_inspection(found: "Inspection") -> None:
    """Tables and lines for a person to read."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from emorank.vocabulary import Emotion

    console, card = Console(highlight=False), found.card
    simulated = " [yellow](simulated)[/]" if card.simulated else ""
    console.print(f"[bold]{card.title}[/]{simulated}")
    counts = found.to_frame().astype(object)
    columns = {"images": "images", "published": "as published", "table_2": "paper, Table 2"}
    columns = {name: title for name, title in columns.items() if counts[name].notna().any()}
    table = Table("expressed emotion", box=None, header_style="dim", pad_edge=False)
    for title in columns.values():
        table.add_column(title, justify="right")
    for row in counts.to_dict("records"):
        cells = (f"{row[name]:,}" if isinstance(row[name], int) else "–" for name in columns)
        table.add_row(Emotion(row["emotion"]).label, *cells)
    console.print(table)
    for name, words in _facts(found).items():
        console.print(f"[dim]{name:10}[/] {escape(words)}", soft_wrap=True)
    for problem in found.problems[:20]:
        words = escape(f"{problem.file}: {problem.reason}")
        console.print(f"[yellow]problem[/]    {words}", soft_wrap=True)
    if len(found.problems) > 20:
        console.print(f"[yellow]problem[/]    … and {len(found.problems) - 20:,} more")


def _facts(found: "Inspection") -> dict[str, str]:
    card, sizes = found.card, found.sizes
    facts = {"images": f"{found.images:,}", "persons": "not known", "sequences": "none known"}
    if found.unlabelled:
        facts["images"] += f", {found.unlabelled:,} of them without an emotion"
    if found.persons is not None and found.per_person is not None:
        least, most = found.per_person
        facts["persons"] = f"{found.persons:,}, with {least:,} to {most:,} images each"
    if found.sequences is not None:
        facts["sequences"] = f"{found.sequences:,}"
    if found.intensities:
        facts["intensity"] = f"known for {found.intensities:,} images"
    if sizes is not None:
        named = {"least": sizes.least, "median": sizes.median, "greatest": sizes.greatest}
        words = (f"{name} {width}×{height}" for name, (width, height) in named.items())
        facts["size"] = f"{', '.join(words)} px ({sizes.sampled} images looked at)"
    facts["framing"] = (
        "cropped faces (--crop none)" if card.cropped else "photographs (--crop face)"
    )
    facts["problems"] = f"{len(found.problems):,}"
    return facts | {"licence": card.licence, "cite": card.citation}
