"""`emorank rate methods`: the methods of a rating study, to paste."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emorank.cli.options import FILE_OR_FOLDER, overwrite_option
from emorank.cli.rate.project import open_room, project_argument

if TYPE_CHECKING:
    import pandas as pd


@click.command("methods", short_help="Print the methods paragraph, a table and BibTeX.")
@project_argument
@click.option(
    "--format",
    "kind",
    type=click.Choice(["markdown", "latex", "bibtex"]),
    default="markdown",
    show_default=True,
    help="Of what is printed; Markdown has Pandoc's citations.",
)
@click.option("--out", type=FILE_OR_FOLDER, help="Folder for all three: methods.md, .tex, .bib.")
@overwrite_option
@click.option("--resamples", default=2000, show_default=True, type=click.IntRange(100, 100_000))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
def command(
    project: Path, kind: str, out: Path | None, overwrite: bool, resamples: int, seed: int
) -> None:
    """Say in words what was done in a project: only what its data say.

    What the data cannot know is a gap, marked [TO FILL IN: …].

    \b
    Examples:
      emorank rate methods ratings
      emorank rate methods ratings --format latex
      emorank rate methods ratings --out methods
    """
    opened = open_room(project)
    import numpy as np

    from emorank import __version__
    from emorank.cli.rate.exclusion import exclusion_of
    from emorank.cli.unfinished_work import require_new
    from emorank.errors import RatingError
    from emorank.evaluation.raters.careless import kept
    from emorank.evaluation.raters.rating_summary import summarise
    from emorank.evaluation.raters.scale_summary import summarise_scale
    from emorank.files import private, replacing
    from emorank.report.methods import methods
    from emorank.room.facts import facts
    from emorank.room.overview import answers as standard
    from emorank.room.scaled import scaled_answers

    scale, table = scaled_answers(opened)
    if not len(table):
        raise RatingError(f"{project}: there is no answer yet, so there is nothing to describe")
    found = exclusion_of(project, scale, table, None)

    def summary(rows: "pd.DataFrame", marks: tuple[Any, ...]) -> Any:
        rng = np.random.default_rng(seed)
        if scale.standard:
            return summarise(kept(standard(opened), marks), rng, resamples=resamples)
        left = tuple(one for one in found.marks if one.rater in set(rows["rater"]))
        return summarise_scale(scale, rows, rng, marks=left, resamples=resamples)

    without = summary(kept(table, found.marks), found.marks) if found.any_out else None
    text = methods(
        facts(opened), summary(table, ()), found.rule, found.told, found.marks, without,
        __version__,
    )  # fmt: skip
    if out is None:
        made = {"markdown": text.markdown, "latex": text.latex, "bibtex": text.bibtex}
        click.echo(made[kind]())
        return
    files = {
        "methods.md": text.markdown(),
        "methods.tex": text.latex(),
        "methods.bib": text.bibtex(),
    }
    for name in files:
        require_new(out / name, overwrite)
    with private():
        out.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            with replacing(out / name) as partial:
                partial.write_text(content, encoding="utf-8")
    click.echo(f"{out}: {', '.join(files)}")
