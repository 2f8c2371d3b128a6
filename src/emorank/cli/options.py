"""Options that several verbs share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from emorank.cli.completions import DATASETS, DEVICES, files, one_of, plans

Function = TypeVar("Function", bound=Callable[..., Any])
Option = Callable[[Any], Any]
FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
FILE_OR_FOLDER = click.Path(path_type=Path)


def together(*options: Option) -> Callable[[Function], Function]:
    """Several options as one decorator, listed in this order by `--help`."""

    def add(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def comma_list(context: click.Context, option: click.Parameter, text: str | None) -> list[str]:
    """Part a list that is written with commas; an option that is not given is an empty list."""
    return [word.strip() for word in (text or "").split(",") if word.strip()]


study_argument = click.argument("folder", metavar="STUDY", type=FOLDER)

study_option = click.option(
    "--study", "folder", required=True, type=FOLDER, help="Folder of the study."
)

network_of_study_option = click.option(
    "--study",
    "folder",
    type=FOLDER,
    help="Use the network of this study. Default: the network that comes with emorank.",
)

settings_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change one setting of the plan, for instance train.epochs=30; may be repeated.",
)

votes_option = click.option(
    "--votes",
    type=FILE_OR_FOLDER,
    help="Raters' votes: a rating project, or a CSV or Parquet file with the columns image, rater, "
    "rank. Default: the votes of the study.",
)

strict_option = click.option(
    "--strict", is_flag=True, help="Stop at the first image that cannot be used."
)

overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Replace results that are there already."
)

device_option = click.option(
    "--device",
    metavar="NAME",
    shell_complete=one_of(DEVICES),
    help="Where to compute: cpu, cuda, cuda:1, or auto (a GPU where there is one). Default: the "
    "CPU, or where the study's plan says (model.device).",
)

_images_options = together(
    click.option("--nearest", is_flag=True, help="Use only the nearest face of each image."),
    strict_option,
)
images_options = together(click.argument("images", nargs=-1, type=FILE_OR_FOLDER), _images_options)
"""IMAGES, and how the verbs that take new images treat them."""

sources_options = together(
    click.argument("images", nargs=-1, shell_complete=files), _images_options
)
"""The same where IMAGES may be more than files and folders: tables, tar files, addresses, "-"."""

plan_options = together(
    click.argument("plan", required=False, type=FILE_OR_FOLDER, shell_complete=plans),
    click.option("--data", type=FILE_OR_FOLDER, help="Folder or table of images."),
    click.option(
        "--network",
        type=FOLDER,
        metavar="STUDY",
        help="Train nothing: test the network of STUDY, and its ranks, on all of these images; "
        "ready is the network that comes with emorank.",
    ),
    click.option("--out", required=True, type=FOLDER, help="Folder of the study."),
    click.option(
        "--crop",
        type=click.Choice(["auto", "none", "face"]),
        help="How faces are framed: face finds and crops them, none takes whole images.",
    ),
    strict_option,
    settings_option,
)
"""PLAN and the options of the verbs that begin a study: the arguments of `begin_study`."""

dataset_options = together(
    click.option(
        "--dataset",
        default="auto",
        shell_complete=one_of(DATASETS),
        help="Name of the data set; recognised by default.",
    ),
    click.option(
        "--option",
        "options",
        multiple=True,
        metavar="KEY=VALUE",
        help="An option that only this data set has, for instance angle=HL for KDEF; may be "
        "repeated.",
    ),
)
"""Which data set a folder holds, and how it is read."""


def _rules(
    context: click.Context, option: click.Parameter, texts: tuple[str, ...]
) -> dict[str, str]:
    rules = {}
    for text in texts:
        key, _, rule = (part.strip() for part in text.partition("="))
        if not (key and rule):
            raise click.BadParameter(f"'{text}': expected KEY=RULE, for instance dense=epsilon")
        rules[key] = rule
    return rules


rules_options = together(
    click.option(
        "--rule",
        "rules",
        multiple=True,
        metavar="KEY=RULE",
        callback=_rules,
        help="A rule of your own for some layers, instead of the preset's. KEY is dense, "
        "convolution, first_convolution, a layer or pattern (features.2?), or a slice of the "
        'convolutions (0:7); RULE is for instance zero, flat, "gamma 0.1". May be repeated; '
        "the first that fits a layer counts.",
    ),
    click.option(
        "--bias",
        type=click.Choice(["absorbed", "distributed"]),
        help="Whether biases keep their share of the relevance (absorbed, the default).",
    ),
    click.option(
        "--max-pooling",
        type=click.Choice(["winner", "even", "proportional"]),
        help="How relevance goes back through max pooling; winner is the default.",
    ),
    click.option(
        "--products",
        type=click.Choice(["signal", "even"]),
        help="Who gets the relevance of a product of a signal and its gate, as in "
        "squeeze-and-excitation: the signal all of it (the default), or each branch half.",
    ),
)
"""What changes a preset of LRP."""
