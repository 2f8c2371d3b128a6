"""`emorank prepare`: look at the images, frame the faces, split by person."""

from pathlib import Path

import click

from emorank.cli.options import plan_options
from emorank.cli.studies import begin_study, run_stages


@click.command("prepare", short_help="Look at the images, frame the faces, split by person.")
@plan_options
def command(
    plan: Path | None,
    data: Path | None,
    network: Path | None,
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
    study = begin_study(plan, data, out, crop, strict, settings, network)
    run_stages(study, first="", last="prepare")
