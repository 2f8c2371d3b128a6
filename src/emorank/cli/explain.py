"""`emorank explain`: which pixels made a study's network, or any network, say so."""

from pathlib import Path
from typing import Any

import click

from emorank.cli.explain_faces import explain_faces
from emorank.cli.explain_options import (
    Drawing,
    Request,
    drawing_options,
    of_study_options,
    of_weights_options,
)
from emorank.cli.explain_weights import explain_with_weights
from emorank.cli.many_images import MANY


@click.command("explain", short_help="Draw which pixels made the model say so.")
@drawing_options
@of_study_options
@of_weights_options
def command(
    folder: Path | None, rank: str | None, settings: tuple[str, ...], **options: Any
) -> None:
    """Draw the relevance of IMAGES (files or folders): one figure for each face.

    The network that comes with emorank reads seven expressions; --study uses one's own. The figure
    shows the face, which pixels speak for its expression and against neutral (red) or the other way
    (blue), and how strong it is.

    With --rank paper the figure shows the relevance of each colour channel and of their sum
    (white is zero), and the ten intervals that the paper's rank comes from. Without IMAGES the test
    part of a study is explained, as a stage of the study.

    With --rank ordinal the figure shows which pixels speak for the level of intensity that the
    face has and against the level below, and where its score lies between the thresholds. Train
    the ordinal network first: emorank train --ordinal.

    With --weights the network is any VGG, AlexNet or ResNet with torchvision's keys; the program
    sees from the file which one it is. The figure shows the image and a heatmap for each preset.
    The model.safetensors of a study is such a file. Any other network is read from an ONNX file
    (pip install 'emorank[onnx]').

    With --save DIR the relevance itself is written, of any number of images, by several processes,
    and no figure. What is done is kept: when the command is stopped, the same command goes on.
    IMAGES may then be tables of paths, tar files, addresses or -, too, as for rank --out.

    \b
    Examples:
      emorank explain holiday.jpg
      emorank explain holiday.jpg --study demo --rank paper
      emorank explain photographs/ --study kdef --out heatmaps --preset epsilon-gamma-box
      emorank explain photographs/ --save maps
      emorank explain --study kdef --rule dense=zero --bias distributed
      emorank explain smile.jpg --study kdef --rank ordinal --preset epsilon-plus
      emorank explain cat.jpg --weights vgg16-397923af.pth --preset epsilon-gamma-box
      emorank explain cat.jpg --weights resnet50.pth --preset all --labels imagenet.txt
      emorank explain cat.jpg --weights resnet50.pth --preset epsilon,grad-cam,deep-lift
      emorank explain face.jpg --weights vggface.pth --bgr --mean 129.2,104.8,93.6 --std 1
      emorank explain face.jpg --weights fer2013.pth --gray
      emorank explain face.jpg --weights ferplus.onnx --mean 0 --std 1/255
      emorank explain cat.jpg --weights resnet50_v1.pth --stride-in 1x1
    \b
    Why this class and not that one; every class; rules of your own:
      emorank explain cat.jpg --weights resnet50.pth --target 281 --against runner-up
      emorank explain face.jpg --weights kdef/model.safetensors --target fear --against surprise
      emorank explain face.jpg --weights kdef/model.safetensors --all-classes
      emorank explain cat.jpg --weights vgg16.pth --rule 0:4=flat --rule "features.2?=gamma 0.1"
      emorank explain cat.jpg --weights vgg16.pth --save cat.npz --at features.28
    """
    drawing = Drawing(**{name: options.pop(name) for name in Drawing.__annotations__})
    given = {name: options.pop(name) for name in MANY}
    many = {name: value for name, value in given.items() if value is not None}
    _check_save(drawing, many)
    weights = options.pop("weights")
    if weights is None:
        explain_faces(drawing, folder, rank, settings, options, many)
        return
    if folder is not None:
        raise click.UsageError("give --study DIR or --weights FILE, not both")
    if settings or rank is not None or not drawing.images:
        raise click.UsageError("--weights goes with IMAGES, and not with --set or --rank")
    explain_with_weights(drawing, weights, Request(**options), many)


def _check_save(drawing: Drawing, many: dict[str, Any]) -> None:
    """Refuse what does not go together, or a name that is of nothing that is written."""
    if drawing.save is not None and drawing.parts is None:
        from emorank.reading.explanations import check_ending

        check_ending(drawing.save)
    if drawing.parts is None and (many or drawing.half):
        raise click.UsageError(
            "--workers, --time-limit, --memory, --shard, --ray, --ray-cores and --half go with "
            "--save DIR, a folder's name"
        )
    if drawing.parts is not None and (drawing.out is not None or not drawing.images):
        raise click.UsageError("--save DIR goes with IMAGES, and draws no figures into --out")
