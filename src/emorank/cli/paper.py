"""`emorank paper`: the paper's tables and figures from a study."""

from pathlib import Path

import click

from emorank.cli.options import FOLDER, overwrite_option, study_argument
from emorank.cli.studies import open_with


@click.command("paper", short_help="Write the paper's tables and figures, for LaTeX too.")
@study_argument
@click.option("--out", type=FOLDER, help="Folder to write to. Default: paper/ in the study.")
@overwrite_option
def command(folder: Path, out: Path | None, overwrite: bool) -> None:
    """Write the numbered tables and figures of the paper as this study has them.

    Tables are CSV and LaTeX (booktabs), figures are PNG and PDF. The page index.html shows all of
    them and names what the study does not have yet; tables.tex holds all tables. Those in the
    study are renewed; a folder of yours that has such a page is replaced with --overwrite only.

    \b
    Examples:
      emorank paper demo
      emorank paper kdef --out manuscript/kdef
    """
    from emorank.cli.progress_bars import ProgressBars
    from emorank.cli.unfinished_work import require_new
    from emorank.study.reproducing.paper import paper

    if out is not None:
        require_new(out / "index.html", overwrite)
    with ProgressBars() as bars:
        written = paper(open_with(folder, ()), out, progress=bars.start("paper"))
        bars.end("paper", str(written.page), again=True)
    for number in written.missing:
        click.echo(f"missing: {number}", err=True)
    click.echo(written.page)
