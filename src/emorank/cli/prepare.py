"""`emorank prepare`: look at the images, frame the faces, split by person."""

from typing import Any

import click

from emorank.cli.options import plan_options
from emorank.cli.studies import begin_study, run_stages


@click.command("prepare", short_help="Look at the images, frame the faces, split by person.")
@plan_options
def command(**options: Any) -> None:
    """Begin a study: read every image, find and frame the face, split the persons into parts.

    \b
    Example:
      emorank prepare studies/kdef.toml --data ~/KDEF_and_AKDEF --out kdef
    """
    run_stages(begin_study(**options), first="", last="prepare")
