"""Options of `emorank explain`: those of both uses, those of a study, those of bare weights."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click

from emorank.cli.completions import PRESETS, one_of
from emorank.cli.many_images import many_options
from emorank.cli.options import (
    FILE,
    FILE_OR_FOLDER,
    FOLDER,
    device_option,
    network_of_study_option,
    overwrite_option,
    rules_options,
    settings_option,
    sources_options,
    together,
)


class _Numbers(click.ParamType[Any]):
    """One number, or several with commas."""

    name = "R,G,B"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[float, ...]:
        """Read the numbers."""
        try:
            return tuple(_number(word) for word in str(value).split(","))
        except (ValueError, ZeroDivisionError):
            self.fail(f"'{value}': expected one number, or three as R,G,B", param, ctx)


def _number(word: str) -> float:
    """0.5, or 1/255."""
    above, slash, below = word.partition("/")
    return float(above) / float(below) if slash else float(above)


NUMBERS = _Numbers()


@dataclass(frozen=True)
class Drawing:
    """What both uses are told: the images, the rules of the propagation, where figures go."""

    images: tuple[str, ...]
    nearest: bool
    strict: bool
    presets: tuple[str, ...]
    rules: dict[str, str]
    bias: Any
    max_pooling: Any
    products: Any
    crop: str | None
    device: str | None
    out: Path | None
    save: Path | None
    half: bool
    overwrite: bool

    @property
    def files(self) -> list[Path]:
        """The images as files and folders.

        Raises:
            UsageError: some are in something that only whole runs read.
        """
        for one in self.images:
            known = one == "-" or "://" in one
            if known or Path(one).suffix.lower() in (".csv", ".tsv", ".parquet", ".tar"):
                raise click.UsageError(
                    f"{one}: tables, tar files, addresses and - go with --save DIR; for figures "
                    "give files or folders"
                )
        return [Path(one) for one in self.images]

    @property
    def figures(self) -> Path:
        """The folder for figures."""
        return self.out or Path()

    @property
    def parts(self) -> Path | None:
        """The folder that relevance goes into, in parts; None if there are figures or one file."""
        folder = self.save is not None and (not self.save.suffix or self.save.is_dir())
        return self.save if folder else None


@dataclass(frozen=True)
class Request:
    """What only bare weights are told: their input, what of which class is explained, a file."""

    labels: Path | None
    size: int | None
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None
    bgr: bool
    gray: bool
    stride_in: Literal["1x1", "3x3"] | None
    target: str | None
    against: str | None
    probability: bool
    all_classes: bool
    at: tuple[str, ...]


drawing_options = together(
    sources_options,
    click.option(
        "--preset",
        "presets",
        multiple=True,
        metavar="NAME",
        shell_complete=one_of((*PRESETS, "all")),
        help="Rules of the propagation, epsilon-gamma-box by default. With --weights also "
        "several (repeated or with commas), all, and explainers beside LRP, for instance "
        "integrated-gradients.",
    ),
    rules_options,
    click.option(
        "--crop",
        type=click.Choice(["center", "none", "face"]),
        help="How images are framed. Default: as in training; with bare weights center, as "
        "torchvision does.",
    ),
    device_option,
    click.option(
        "--out",
        type=FOLDER,
        help="Folder for the figures. Default: the present folder.",
    ),
    click.option(
        "--save",
        type=FILE_OR_FOLDER,
        help="Write the relevance itself: into a folder of parts, without figures, for any number "
        "of images; or with --weights beside the figures, one file ending in .npz or .safetensors.",
    ),
    click.option(
        "--half", is_flag=True, help="With --save DIR: relevance in 16 bits, half as large."
    ),
    overwrite_option,
    many_options("--save DIR"),
)

of_study_options = together(
    network_of_study_option,
    click.option(
        "--rank",
        type=click.Choice(["contrast", "paper", "ordinal"]),
        help="The rank to explain. contrast (the default): why this expression and not neutral. "
        "paper: the relevance of the emotion by channels, and the ten intervals that the paper's "
        "rank comes from. ordinal (with --study): why Strong, not Average.",
    ),
    settings_option,
)

of_weights_options = together(
    click.option(
        "--weights",
        type=FILE_OR_FOLDER,
        metavar="FILE",
        help="Instead of a study: a checkpoint with torchvision's keys (.pth, .pt, .safetensors), "
        "or any network as an ONNX file (.onnx). The options below go with it.",
    ),
    click.option("--labels", type=FILE, help="Names of the classes, one on each line."),
    click.option(
        "--size",
        type=int,
        help="Side of the network's input; 224 by default, where an ONNX file does not say it.",
    ),
    click.option(
        "--mean",
        type=NUMBERS,
        help="What is subtracted from each channel, red first: one number or R,G,B, of pixels from "
        "0 to 1, or from 0 to 255 if any number is greater than 1. Default: ImageNet's.",
    ),
    click.option(
        "--std",
        type=NUMBERS,
        help="What the rest is divided by, as --mean. Default: ImageNet's. A network that takes "
        "pixels from 0 to 255 as they are: --mean 0 --std 1/255.",
    ),
    click.option("--bgr", is_flag=True, help="The network was trained with blue first (OpenCV)."),
    click.option(
        "--gray",
        "--grey",
        "gray",
        is_flag=True,
        help="The network was trained on grey images. One that takes a single channel says so "
        "itself.",
    ),
    click.option(
        "--stride-in",
        type=click.Choice(["1x1", "3x3"]),
        help="Which convolution of a ResNet-50's blocks has the stride: 3x3 (v1.5, torchvision; "
        "the default) or 1x1 (v1: the article, Caffe, Keras). The weights cannot say it.",
    ),
    click.option(
        "--target",
        metavar="CLASS",
        help="The class to explain, by index or name. Default: the predicted one.",
    ),
    click.option(
        "--against",
        metavar="CLASS",
        help="Explain why --target and not this class (an index, a name, or runner-up): the "
        "difference of the two logits.",
    ),
    click.option(
        "--probability", is_flag=True, help="Explain the probability instead of the logit."
    ),
    click.option(
        "--all-classes", is_flag=True, help="Explain every class, side by side in one figure."
    ),
    click.option(
        "--at",
        multiple=True,
        metavar="LAYER",
        help="With --save: also the relevance at the outputs of a layer, for instance "
        "features.28; may be repeated.",
    ),
)
