"""`emorank run`: the whole study, from images to the report."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from emorank.cli.options import parsed, run_stages, settings_option

if TYPE_CHECKING:
    from emorank.study.folder import Study


@click.command("run", short_help="Do a whole study: from a folder of images to the report.")
@click.argument("plan", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--data", type=click.Path(path_type=Path), help="Folder or table of the images.")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Study folder."
)
@click.option(
    "--votes",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Raters' votes: a CSV or Parquet file with the columns image, rater, rank.",
)
@click.option("--crop", type=click.Choice(["auto", "none", "face"]), help="How faces are framed.")
@click.option("--strict", is_flag=True, help="Stop at the first image that cannot be used.")
@settings_option
def command(
    plan: Path | None,
    data: Path | None,
    out: Path,
    votes: Path | None,
    crop: str | None,
    strict: bool,
    settings: tuple[str, ...],
) -> None:
    """Do a whole study: prepare, train, test, explain, rank, validate, report.

    PLAN is a TOML file such as those in studies/; without one every choice has its default and
    the data set is recognised from the folder. A run that was stopped goes on where it was when
    the same command is given again; one whose plan was changed does again what the change touches.

    \b
    Examples:
      emorank run studies/sample.toml --out demo
      emorank run studies/kdef.toml --data ~/KDEF_and_AKDEF --out kdef
      emorank run --data my_faces --out mine --set train.epochs=30
    """
    study = planned(plan, data, out, votes, crop, strict, settings)
    run_stages(study, first="", last="report")
    from emorank.study.report import headline

    for line in headline(study):
        click.echo(line)
    click.echo(f"report: {study.path('report') / 'index.html'}")


def planned(
    plan: Path | None,
    data: Path | None,
    out: Path,
    votes: Path | None,
    crop: str | None,
    strict: bool,
    settings: tuple[str, ...],
) -> "Study":
    """The study in `out` with the plan as the options complete it."""
    from emorank.study.folder import create_study
    from emorank.study.plan import Plan, override, read_plan
    from emorank.study.prepare import resolve

    changes = parsed(settings)
    if data is not None:
        changes["data.path"] = str(data.expanduser().resolve())
    if votes is not None:
        changes["validate.votes"] = str(votes.expanduser().resolve())
    if crop is not None:
        changes["data.crop"] = crop
    if strict:
        changes["data.strict"] = True
    chosen = override(read_plan(plan) if plan else Plan(), changes, "the options")
    return create_study(out, resolve(chosen))
