"""`emorank explain`: heatmaps of images, or the relevance of a study's test part."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emorank.cli.explain_weights import explain_with_weights
from emorank.cli.heatmaps import Names, write
from emorank.cli.new_images import report_excluded, with_bar
from emorank.cli.options import FOLDER, images_options, rules_options, settings_option
from emorank.cli.studies import open_with, run_stage

if TYPE_CHECKING:
    from emorank.study.apply import Explained


@click.command("explain", short_help="Draw which pixels made the model say so.")
@images_options
@click.option("--study", "folder", type=FOLDER, help="Folder of the study.")
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    help="Instead of a study: a checkpoint with torchvision's keys (.pth, .pt, .safetensors).",
)
@click.option(
    "--preset",
    "presets",
    multiple=True,
    help="Rules of the propagation, for instance epsilon-gamma-box. With --weights several, "
    "repeated or with commas, or all; and explainers beside LRP, for instance "
    "integrated-gradients.",
)
@rules_options
@click.option(
    "--rank",
    type=click.Choice(["paper", "ordinal"]),
    default="paper",
    help="With --study and IMAGES: the rank that is explained. paper: the expressed emotion, from "
    "whose relevance the paper's rank comes. ordinal: why Strong and not Average.",
)
@click.option(
    "--target", help="The class to explain, by index or name; the predicted one if unsaid."
)
@click.option(
    "--against",
    metavar="CLASS",
    help="Why --target and not this class, by index or name, or runner-up: the difference of the "
    "two logits.",
)
@click.option("--probability", is_flag=True, help="Explain the probability instead of the logit.")
@click.option(
    "--all-classes", is_flag=True, help="Explain every class, side by side in one figure."
)
@click.option(
    "--at",
    multiple=True,
    metavar="LAYER",
    help="With --save: the relevance at the outputs of a layer too, for instance features.28; may "
    "be repeated.",
)
@click.option(
    "--labels",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Names of the classes, one a line.",
)
@click.option(
    "--crop",
    type=click.Choice(["center", "none", "face"]),
    help="As in training if unsaid; of a bare checkpoint the center, as torchvision does.",
)
@click.option("--size", type=int, help="Side of the network's input; 224 if unsaid.")
@click.option("--device", help="Where to compute, for instance cuda; the CPU if unsaid.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Folder for the figures; by default the present one.",
)
@click.option(
    "--save",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the relevance itself too: .npz or .safetensors.",
)
@settings_option
def command(
    images: tuple[Path, ...],
    folder: Path | None,
    weights: Path | None,
    presets: tuple[str, ...],
    rules: dict[str, str],
    bias: str | None,
    max_pooling: str | None,
    rank: str,
    crop: str | None,
    out: Path,
    nearest: bool,
    strict: bool,
    settings: tuple[str, ...],
    **only_weights: Any,
) -> None:
    """Draw the relevance of IMAGES (files or folders): one figure per face.

    With --study the figure shows the face, the relevance of each colour channel and of their sum
    with zero at white, and the ten intervals that the rank comes from. Without IMAGES the study's
    own test part is explained, as a stage of the study.

    With --rank ordinal the intensity output itself is explained (train it first: emorank train
    --ordinal): which pixels speak for the level that the face has and against the one below, and
    where its score lies between the thresholds.

    With --weights any VGG, AlexNet or ResNet is explained that has torchvision's keys; the file
    itself tells which. The figure shows the image and a heatmap for each preset. A study's
    model.safetensors is such a file.

    \b
    Examples:
      emorank explain holiday.jpg --study demo
      emorank explain photographs/ --study kdef --out heatmaps --preset epsilon-gamma-box
      emorank explain --study kdef --rule dense=zero --bias distributed
      emorank explain smile.jpg --study kdef --rank ordinal --preset epsilon-plus
      emorank explain cat.jpg --weights vgg16-397923af.pth --preset epsilon-gamma-box
      emorank explain cat.jpg --weights resnet50.pth --preset all --labels imagenet.txt
      emorank explain cat.jpg --weights resnet50.pth --preset epsilon,grad-cam,deep-lift
    \b
    Why this and not that; every class; rules of your own:
      emorank explain cat.jpg --weights resnet50.pth --target 281 --against runner-up
      emorank explain face.jpg --weights kdef/model.safetensors --target fear --against surprise
      emorank explain face.jpg --weights kdef/model.safetensors --all-classes
      emorank explain cat.jpg --weights vgg16.pth --rule 0:4=flat --rule "features.2?=gamma 0.1"
      emorank explain cat.jpg --weights vgg16.pth --save cat.npz --at features.28
    """
    if folder is not None and weights is None:
        _refuse(presets, crop, only_weights)
        settings = (
            *settings,
            *(f"explain.preset={preset}" for preset in presets),
            *(f"explain.rules.{key}={rule}" for key, rule in rules.items()),
            *([] if bias is None else [f"explain.bias={bias}"]),
            *([] if max_pooling is None else [f"explain.max_pooling={max_pooling}"]),
        )
        if rank == "ordinal" and not images:
            raise click.UsageError("--rank ordinal goes with IMAGES")
        _with_study(images, folder, settings, out, crop, nearest, strict, rank)
    elif weights is not None and folder is None:
        if settings or not images or rank != "paper":
            raise click.UsageError("--weights goes with IMAGES, and not with --set or --rank")
        explain_with_weights(
            images,
            weights,
            presets,
            rules=rules,
            bias=bias,
            max_pooling=max_pooling,
            out=out,
            crop=crop,
            nearest=nearest,
            strict=strict,
            **only_weights,
        )
    else:
        raise click.UsageError("give either --study DIR or --weights FILE")


def _refuse(presets: tuple[str, ...], crop: str | None, only_weights: dict[str, Any]) -> None:
    """Tell what a study cannot do with its images."""
    unsaid = (None, False, ())
    given = [
        f"--{name.replace('_', '-')}"
        for name, value in only_weights.items()
        if not any(value is nothing for nothing in unsaid)
    ]
    if len(presets) > 1 or any("," in preset for preset in presets):
        given.append("several --preset")
    if crop == "center":
        given.append("--crop center")
    if given:
        raise click.UsageError(
            f"with --weights (a study's model.safetensors, for instance), not with --study: "
            f"{', '.join(given)}"
        )


def _with_study(
    images: tuple[Path, ...],
    folder: Path,
    settings: tuple[str, ...],
    out: Path,
    crop: str | None,
    nearest: bool,
    strict: bool,
    rank: str,
) -> None:
    if not images:
        run_stage("explain", folder, settings)
        return
    from emorank.datasets import walk
    from emorank.report.intensity import draw_intensity
    from emorank.study.apply import Applied
    from emorank.study.ranks.intensity import Intensities

    kind, draw = (Intensities, draw_intensity) if rank == "ordinal" else (Applied, _figure)
    paths = walk.paths(images)
    applied = kind(open_with(folder, settings), paths, crop, nearest, strict)
    names = Names(out)
    for found in with_bar(applied, len(paths)):
        write(names(found.row["image"], found.row["face"]), draw(found))
    report_excluded(applied.excluded, len(paths))


def _figure(found: "Explained") -> bytes:
    from emorank.report.figures import explanation
    from emorank.report.style import png
    from emorank.vocabulary import Emotion

    row = found.row
    figure = explanation(
        found.pixels,
        found.relevance,
        emotion=Emotion(row["predicted"]).label,
        probability=row[f"p_{row['predicted']}"],
        rank=row["rank"],
        counts=[row[f"n_{j}"] for j in range(1, 11)],
        zero=row["zero"],
        title=row["image"],
    )
    return png(figure)
