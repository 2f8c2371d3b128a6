"""`emorank paper`: the paper's tables and figures from a study."""

from pathlib import Path

import click

from emorank.cli.options import FOLDER, study_argument
from emorank.cli.studies import open_with


@click.command("paper", short_help="Write the paper's tables and figures, for LaTeX too.")
@study_argument
@click.option("--out", type=FOLDER, help="Folder to write to. Default: paper/ in the study.")
def command(folder: Path, out: Path | None) -> None:
    """Write the numbered tables and figures of the paper as this study has them.

    Tables are CSV and LaTeX (booktabs), figures are PNG and PDF. The page index.html shows all of
    them and names what the study does not have yet; tables.tex holds all tables.

    \b
    Examples:
      emorank paper demo
      emorank paper kdef --out manuscript/kdef
    """
    from emorank.cli.progress_bars import ProgressBars
    from emorank.study.reproducing.paper import paper

    with ProgressBars() as bars:
        page, missing = paper(open_with(folder, ()), out, bars.start("paper"))
        bars.end("paper", str(page), again=True)
    for number in missing:
        click.echo(f"missing: {number}", err=True)
    click.echo(page)
