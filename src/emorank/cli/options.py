"""Options and steps that several verbs share."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from emorank.study.folder import Study

Function = TypeVar("Function", bound=Callable[..., Any])


def study_option(function: Function) -> Function:
    """`--study DIR`, the folder of an existing study."""
    return click.option(
        "--study",
        "folder",
        required=True,
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


def opened(folder: Path, settings: tuple[str, ...] = ()) -> "Study":
    """The study in `folder`, its plan changed as `--set` says."""
    from emorank.study.folder import create_study

    return create_study(folder, changed(folder, settings).plan)


def changed(folder: Path, settings: tuple[str, ...]) -> "Study":
    """The same for this call only: what is done with new images changes nothing in the study."""
    from emorank.study.folder import Study, open_study
    from emorank.study.plan import override

    return Study(folder, override(open_study(folder).plan, parsed(settings)))


def parsed(settings: tuple[str, ...]) -> dict[str, Any]:
    """`KEY=VALUE` texts as keys and typed values."""
    from emorank.study.plan import parse_setting

    return dict(map(parse_setting, settings))


def run_stages(study: "Study", first: str, last: str) -> None:
    """Run stages with their progress on the terminal."""
    from emorank.cli.watch import Terminal
    from emorank.study.run import run

    with Terminal() as terminal:
        run(study, terminal, first=first, last=last)
