"""Options that several verbs share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])


def study_option(function: Function, required: bool = True) -> Function:
    """`--study DIR`, the folder of an existing study."""
    return click.option(
        "--study",
        "folder",
        required=required,
        type=click.Path(path_type=Path, file_okay=False),
        help="Folder of the study.",
    )(function)


def settings_option(function: Function) -> Function:
    """`--set KEY=VALUE`, any number of times."""
    return click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="KEY=VALUE",
        help="Change one choice of the plan, for instance train.epochs=30; may be repeated.",
    )(function)


def rules_options(function: Function) -> Function:
    """`--rule KEY=RULE`, `--bias` and `--max-pooling`: what changes a preset."""
    for option in (
        click.option(
            "--max-pooling",
            type=click.Choice(["winner", "even", "proportional"]),
            help="How relevance goes back through max pooling; to the winner if unsaid.",
        ),
        click.option(
            "--bias",
            type=click.Choice(["absorbed", "distributed"]),
            help="Whether biases keep their share of relevance; they do if unsaid.",
        ),
        click.option(
            "--rule",
            "rules",
            multiple=True,
            metavar="KEY=RULE",
            callback=_rules,
            help="A rule of your own for some layers, before those of the preset: KEY is dense, "
            "convolution, first_convolution, a layer or pattern (features.2?), or a slice of the "
            'convolutions (0:7); RULE for instance zero, flat, "gamma 0.1". May be repeated; '
            "the first that fits a layer counts.",
        ),
    ):
        function = option(function)
    return function


def _rules(
    context: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """`KEY=RULE` texts as pairs."""
    pairs = []
    for text in given:
        key, _, rule = (part.strip() for part in text.partition("="))
        if not (key and rule):
            raise click.BadParameter(f"'{text}': expected KEY=RULE, for instance dense=epsilon")
        pairs.append((key, rule))
    return tuple(pairs)


def images_options(function: Function) -> Function:
    """IMAGES and the options of the verbs that take new ones, but how a face is framed."""
    for option in (
        click.option("--strict", is_flag=True, help="Stop at the first image that cannot be used."),
        click.option("--nearest", is_flag=True, help="Only the nearest face of each image."),
        click.argument("images", nargs=-1, type=click.Path(path_type=Path)),
    ):
        function = option(function)
    return function


def plan_options(function: Function) -> Function:
    """PLAN and the options of the verbs that begin a study."""
    folder = click.Path(path_type=Path, file_okay=False)
    for option in (
        settings_option,
        click.option("--strict", is_flag=True, help="Stop at the first image that cannot be used."),
        click.option(
            "--crop", type=click.Choice(["auto", "none", "face"]), help="How faces are framed."
        ),
        click.option("--out", required=True, type=folder, help="Folder of the study."),
        click.option(
            "--network",
            type=folder,
            metavar="STUDY",
            help="Test the network of STUDY on all of these images, and its ranks, instead of "
            "training one.",
        ),
        click.option("--data", type=click.Path(path_type=Path), help="Folder or table of images."),
        click.argument("plan", required=False, type=click.Path(path_type=Path, dir_okay=False)),
    ):
        function = option(function)
    return function


def dataset_options(function: Function) -> Function:
    """`--dataset NAME` and `--option KEY=VALUE` of the verbs that read a data set."""
    for option in (
        click.option(
            "--option",
            "options",
            multiple=True,
            metavar="KEY=VALUE",
            help="An option of the data set's own, for instance angle=HL for KDEF.",
        ),
        click.option(
            "--dataset", default="auto", help="Its name; recognised by its layout if unsaid."
        ),
    ):
        function = option(function)
    return function
