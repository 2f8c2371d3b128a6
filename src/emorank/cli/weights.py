"""`emorank weights`: the convolutions' ImageNet weights."""

from pathlib import Path

import click

from emorank.cli.options import FILE
from emorank.cli.studies import progress_bar


@click.group("weights", short_help="Fetch and find the ImageNet weights.")
def command() -> None:
    """Fetch, find and list the weights that training starts from.

    \b
    Example:
      emorank weights get
    """


@command.command("list", short_help="Say which weights there are and where they come from.")
def list_() -> None:
    """Say which weights are known, where they come from, and whether they are here.

    \b
    Example:
      emorank weights list
    """
    from emorank.networks import weights

    path = weights.imagenet_path()
    state = f"here: {path}" if path.exists() else "not fetched yet: emorank weights get"
    click.echo(f"{weights.IMAGENET}  VGG-16, the thirteen convolutions ({state})")
    for source in weights.SOURCES:
        click.echo(f"  from {source.name} ({source.size:,} bytes): {source.origin}")
    click.echo("FILE      any safetensors or PyTorch file with torchvision's VGG-16 keys,")
    click.echo("          given as --set model.weights=FILE")


@command.command("get", short_help="Fetch, check and convert the ImageNet weights once.")
@click.option(
    "--from", "source", type=FILE, help="A file already downloaded; see: emorank weights list."
)
def get(source: Path | None) -> None:
    """Fetch the ImageNet weights, check them against pinned sums, keep them for use offline.

    \b
    Examples:
      emorank weights get
      emorank weights get --from ~/Downloads/vgg16-397923af.pth
    """
    from emorank.networks import weights

    with progress_bar("weights") as progress:
        file = weights.get(source, progress)
    click.echo(file)


@command.command("path", short_help="Print where the ImageNet weights lie.")
def path() -> None:
    """Print the path of the ImageNet weights; an error if they are not here.

    \b
    Example:
      cp $(emorank weights path) /media/stick/
    """
    from emorank.errors import WeightsError
    from emorank.networks import weights

    file = weights.imagenet_path()
    if not file.exists():
        raise WeightsError(f"{file}: not here yet; run: emorank weights get")
    click.echo(file)
