"""`emorank rate language`: the words of raters' pages, to be translated."""

from pathlib import Path

import click

from emorank.cli.options import FILE, overwrite_option


@click.command("language", short_help="Write the words of raters' pages, to be translated.")
@click.option("--out", required=True, type=FILE, help="File to write, for instance it.po.")
@click.option("--of", "code", default="en", show_default=True, help="Language to begin with.")
@overwrite_option
def command(out: Path, code: str, overwrite: bool) -> None:
    """Write a catalogue (gettext's .po): the form for a new language, or one that is there.

    Fill in each msgstr and the head, name the file in the file of the study ([languages] files),
    and raters' pages are in that language. What is left empty stays English.

    \b
    Examples:
      emorank rate language --out it.po
      emorank rate language --of de --out de.po
    """
    from emorank.cli.unfinished_work import require_new
    from emorank.errors import RatingError, needing

    with needing("web", "the rating room"):
        from emorank.web.rating.language import SHIPPED, shipped_po
    require_new(out, overwrite)
    if code not in SHIPPED:
        raise RatingError(f"--of {code}: there are {', '.join(SHIPPED)}")
    out.write_text(shipped_po(code), encoding="utf-8")
    click.echo(f"{out}: {'a form to fill in' if code == 'en' else SHIPPED[code]}")
