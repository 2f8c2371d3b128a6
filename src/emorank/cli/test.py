"""`emorank test`: score the trained network on the test part."""

from pathlib import Path

import click

from emorank.cli.options import settings_option, study_option
from emorank.cli.studies import run_stage


@click.command("test", short_help="Score the network on the test part.")
@study_option
@settings_option
def command(folder: Path, settings: tuple[str, ...]) -> None:
    """Name the expressed emotion of every test image and score the names.

    To test the network of a study on other images, make a study of them: emorank run --network.

    \b
    Examples:
      emorank test --study demo
      emorank run --network kdef --data ~/jaffedbase --out kdef_on_jaffe
    """
    run_stage("test", folder, settings)
