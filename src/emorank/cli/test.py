"""`emorank test`: score the trained network on the test part."""

from pathlib import Path

import click

from emorank.cli.options import opened, run_stages, settings_option, study_option


@click.command("test", short_help="Score the network on the test part.")
@study_option
@settings_option
def command(folder: Path, settings: tuple[str, ...]) -> None:
    """Name the expressed emotion of every test image and score the names.

    Accuracy comes with its interval and beside what always answering the most frequent emotion
    would score.

    \b
    Example:
      emorank test --study demo
    """
    run_stages(opened(folder, settings), first="test", last="test")
