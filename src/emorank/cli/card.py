"""`emorank card`: the model card of a study."""

from pathlib import Path

import click

from emorank.cli.options import FILE, overwrite_option, study_argument


@click.command("card", short_help="The model card: what for, how well, for whom, what not for.")
@study_argument
@click.option("--out", type=FILE, help="Write it to a file instead of printing it.")
@overwrite_option
def command(folder: Path, out: Path | None, overwrite: bool) -> None:
    """Print the model card of STUDY as Markdown, with a header that the Hugging Face Hub reads.

    Every number comes from the study's files; the card names what was not measured. The report
    stage writes the same card to MODEL_CARD.md in the study.

    \b
    Examples:
      emorank card demo
      emorank card mine --out README.md
    """
    from emorank.cli.unfinished_work import require_new
    from emorank.files import replacing
    from emorank.study.card import model_card
    from emorank.study.folder import open_study

    if out is not None:
        require_new(out, overwrite)
    text = model_card(open_study(folder))
    if out is None:
        click.echo(text, nl=False)
        return
    with replacing(out) as partial:
        partial.write_text(text, encoding="utf-8")
    click.echo(out)
