"""Open, make and run studies as the options of a verb say."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from emorank.cli.votes import votes_settings

if TYPE_CHECKING:
    from emorank.progress import Progress
    from emorank.study.folder import Study


def read_settings(settings: tuple[str, ...]) -> dict[str, Any]:
    """`KEY=VALUE` texts as keys and typed values."""
    from emorank.study.plan import parse_setting

    return dict(map(parse_setting, settings))


def open_with(
    folder: Path, settings: tuple[str, ...], changes: Mapping[str, Any] = MappingProxyType({})
) -> "Study":
    """Open a study, its plan changed by `--set` and more for this call only; nothing is written."""
    from emorank.study.folder import Study, open_study
    from emorank.study.plan import override

    return Study(folder, override(open_study(folder).plan, read_settings(settings) | {**changes}))


def open_if_given(folder: Path | None, settings: tuple[str, ...]) -> "Study | None":
    """The study in a folder, its plan changed by `--set`; None where no folder is given."""
    if folder is None and settings:
        raise click.UsageError("--set changes the plan of a study; name one with --study")
    return None if folder is None else open_with(folder, settings)


def change_plan(
    folder: Path, settings: tuple[str, ...], changes: Mapping[str, Any] = MappingProxyType({})
) -> "Study":
    """Open a study and write the changes of `--set`, and more, into its plan."""
    from emorank.study.folder import create_study
    from emorank.study.resolve import resolve

    return create_study(folder, resolve(open_with(folder, settings, changes).plan))


def begin_study(
    *,
    plan: Path | None,
    data: Path | None,
    network: Path | None,
    out: Path,
    crop: str | None,
    strict: bool,
    settings: tuple[str, ...],
    votes: Path | None = None,
    said: Mapping[str, Any] = MappingProxyType({}),
) -> "Study":
    """Make a study in `out`, or go on; options take the place of what the plan's file says."""
    from emorank.study.folder import create_study
    from emorank.study.other_network import plan_for_network
    from emorank.study.plan import Plan, override, read_plan
    from emorank.study.resolve import resolve

    given = {
        "network": network and str(network),
        "data.path": data and str(data.expanduser().resolve()),
        "data.crop": crop,
        "data.strict": strict or None,
    }
    changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    changes |= votes_settings(votes, {**said})
    if plan:
        start = read_plan(plan)
    elif network:
        start = plan_for_network(network)
    else:  # a study that is there already goes on by its own plan
        there = out / "study.toml"
        start = read_plan(there) if there.is_file() and not data else Plan()
    whole = override(start, read_settings(settings) | changes, origin="the options")
    return create_study(out, resolve(whole))


def run_stages(study: "Study", first: str, last: str) -> None:
    """Run stages with their progress on the terminal."""
    from emorank.cli.progress_bars import ProgressBars
    from emorank.study.run import run

    with ProgressBars() as bars:
        run(study, watch=bars, first=first, last=last)


def run_stage(
    name: str,
    folder: Path,
    settings: tuple[str, ...],
    changes: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Run one stage of a study again, after the changes are written into its plan."""
    run_stages(change_plan(folder, settings, changes), first=name, last=name)


@contextmanager
def progress_bar(name: str) -> Iterator["Progress"]:
    """A bar on the terminal for work beside the stages."""
    from emorank.cli.progress_bars import ProgressBars

    with ProgressBars() as bars:
        yield bars.start(name)


def renew_report(study: "Study") -> None:
    """Write the report again after work beside the stages; if that fails, say why, and go on.

    The result of the work is in the study already, and an earlier report stays as far as it can.
    """
    from emorank.errors import EmorankError

    try:
        run_stages(study, first="report", last="report")
    except EmorankError as error:
        click.echo(f"the report was not written: {error}", err=True)
