"""`emorank train`: train the network of a prepared study."""

from pathlib import Path

import click

from emorank.cli.options import opened, run_stages, settings_option, study_option


@click.command("train", short_help="Train the network.")
@study_option
@settings_option
def command(folder: Path, settings: tuple[str, ...]) -> None:
    """Train the network of a prepared study on its training part.

    The convolutions' features are computed once per image and kept; a training that was stopped
    goes on. Every choice of Table 1 of the paper is a key of the plan's [train] table.

    \b
    Example:
      emorank train --study demo --set train.epochs=30 --set train.unfreeze=block5
    """
    run_stages(opened(folder, settings), first="train", last="train")
