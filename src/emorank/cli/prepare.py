"""`emorank prepare`: look at the images, frame the faces, split by person."""

from pathlib import Path

import click

from emorank.cli.options import run_stages, settings_option
from emorank.cli.run import planned


@click.command("prepare", short_help="Look at the images, frame the faces, split by person.")
@click.argument("plan", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--data", type=click.Path(path_type=Path), help="Folder or table of the images.")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Study folder."
)
@click.option("--crop", type=click.Choice(["auto", "none", "face"]), help="How faces are framed.")
@click.option("--strict", is_flag=True, help="Stop at the first image that cannot be used.")
@settings_option
def command(
    plan: Path | None,
    data: Path | None,
    out: Path,
    crop: str | None,
    strict: bool,
    settings: tuple[str, ...],
) -> None:
    """Begin a study: read every image, find and frame the face, split by person.

    \b
    Example:
      emorank prepare studies/kdef.toml --data ~/KDEF_and_AKDEF --out kdef
    """
    run_stages(planned(plan, data, out, None, crop, strict, settings), first="", last="prepare")
