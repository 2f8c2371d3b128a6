"""`emorank explain`: heatmaps of images, or the relevance of a study's test part."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emorank.cli.options import (
    changed,
    images_options,
    opened,
    run_stages,
    settings_option,
    study_option,
)
from emorank.cli.rank import files, report_excluded, watched

if TYPE_CHECKING:
    from emorank.study.apply import Explained


@click.command("explain", short_help="Draw which pixels made the model say so.")
@images_options
@partial(study_option, required=False)
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
    "repeated or with commas, or all.",
)
@click.option(
    "--target", help="The class to explain, by index or name; the predicted one if unsaid."
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

    With --weights any VGG, AlexNet or ResNet is explained that has torchvision's keys; the file
    itself tells which. The figure shows the image and a heatmap for each preset.

    \b
    Examples:
      emorank explain holiday.jpg --study demo
      emorank explain photographs/ --study kdef --out heatmaps --preset epsilon-gamma-box
      emorank explain cat.jpg --weights vgg16-397923af.pth --preset epsilon-gamma-box
      emorank explain cat.jpg --weights resnet50.pth --preset all --labels imagenet.txt
    """
    if folder is not None and weights is None:
        _refuse(presets, crop, only_weights)
        settings = (*settings, *(f"explain.preset={preset}" for preset in presets))
        _with_study(images, folder, settings, out, crop, nearest, strict)
    elif weights is not None and folder is None:
        if settings or not images:
            raise click.UsageError("--weights goes with IMAGES, and not with --set")
        _with_weights(images, weights, presets, out, crop, nearest, strict, **only_weights)
    else:
        raise click.UsageError("give either --study DIR or --weights FILE")


def _refuse(presets: tuple[str, ...], crop: str | None, only_weights: dict[str, Any]) -> None:
    """Tell what a study cannot do with its images."""
    given = [f"--{name}" for name, value in only_weights.items() if value is not None]
    if len(presets) > 1 or any("," in preset for preset in presets):
        given.append("several --preset")
    if crop == "center":
        given.append("--crop center")
    if given:
        raise click.UsageError(f"with --weights, not with --study: {', '.join(given)}")


def _with_study(
    images: tuple[Path, ...],
    folder: Path,
    settings: tuple[str, ...],
    out: Path,
    crop: str | None,
    nearest: bool,
    strict: bool,
) -> None:
    if not images:
        run_stages(opened(folder, settings), first="explain", last="explain")
        return
    from emorank.study.apply import Applied

    paths = files(images)
    applied = Applied(changed(folder, settings), paths, crop, nearest, strict)
    names = _Names(out)
    for found in watched(applied, len(paths)):
        _write(names(found.row["image"], found.row["face"]), _figure(found))
    report_excluded(applied)


def _with_weights(
    images: tuple[Path, ...],
    weights: Path,
    presets: tuple[str, ...],
    out: Path,
    crop: str | None,
    nearest: bool,
    strict: bool,
    *,
    target: str | None,
    labels: Path | None,
    size: int | None,
    device: str | None,
    save: Path | None,
) -> None:
    from emorank.explaining import check_ending, explain_images, save_relevance
    from emorank.model.network import load_network
    from emorank.relevance import DEFAULT
    from emorank.report.explained import draw_explanation

    if save is not None:
        check_ending(save)
    paths = files(images)
    network = load_network(weights, labels)
    if device is not None:
        network = network.on(device)
    explanations = explain_images(
        network,
        paths,
        _presets(presets) or (DEFAULT,),
        None if target is None else network.index(target),
        size=size,
        crop=crop,
        nearest=nearest,
        strict=strict,
    )
    names, kept = _Names(out), []
    for found in watched(explanations, len(paths)):
        _write(names(found.image, found.face), draw_explanation(found))
        if save is not None:
            kept.append(found)
    if save is not None and kept:
        save_relevance(kept, save)
        click.echo(save)
    report_excluded(explanations)


def _presets(given: tuple[str, ...]) -> list[str]:
    from emorank.relevance import PRESETS

    names = [name.strip() for words in given for name in words.split(",")]
    return list(PRESETS) if "all" in names else names


class _Names:
    """Paths of figures in a folder; images in two folders may have one name."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.drawn: Counter[str] = Counter()

    def __call__(self, image: Path | str, face: int) -> Path:
        name = f"{Path(image).stem}_{face}_relevance"
        self.drawn[name] += 1
        return self.out / (
            f"{name}_{self.drawn[name]}.png" if self.drawn[name] > 1 else f"{name}.png"
        )


def _write(path: Path, png: bytes) -> None:
    from emorank.files import replacing

    with replacing(path) as unfinished:
        unfinished.write_bytes(png)
    click.echo(path)


def _figure(found: "Explained") -> bytes:
    from emorank.report.figures import explanation, png
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
