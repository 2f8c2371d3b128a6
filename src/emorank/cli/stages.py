"""`emorank run` and the stages without options of their own: prepare, test, validate, report."""

from pathlib import Path
from typing import Any

import click

from emorank.cli.options import plan_options, settings_option, study_option, votes_option
from emorank.cli.studies import begin_study, run_stage, run_stages
from emorank.cli.votes import Said, said_options, votes_settings


@click.command("run", short_help="Do a whole study: from a folder of images to the report.")
@plan_options
@votes_option
@said_options
def run(**options: Any) -> None:
    """Do a whole study: prepare, train, test, explain, rank, validate, report.

    PLAN is a TOML file, or the name of a plan that comes with the program: sample (faces included),
    folder, kdef, jaffe, ckplus, affectnet; or, as in the paper, paper/kdef, paper/jaffe,
    paper/ckplus, paper/affectnet. Without one every choice has its default, and the program
    recognises the data set from the folder. A run that was stopped goes on with the same
    command. After a change of the plan, the stages that depend on the change are done again.

    With --network nothing is trained: the network of another study, and its ranks, are tested on
    all of the images. emorank audit, groups and faithfulness then work on the new study.

    \b
    Examples:
      emorank run sample --out demo
      emorank run kdef --data ~/KDEF_and_AKDEF --out kdef
      emorank run --data my_faces --out mine --set train.epochs=30
      emorank run --data my_faces --network demo --votes votes.csv --out demo_on_mine
      emorank run --data my_faces --network ready --votes votes.csv --out ready_on_mine
    """
    study = begin_study(**options)
    run_stages(study, first="", last="report")
    from emorank.study.described import headline

    for line in headline(study):
        click.echo(line)
    click.echo(f"report: {study.path('report') / 'index.html'}")


@click.command("prepare", short_help="Look at the images, frame the faces, split by person.")
@plan_options
@click.option(
    "--again",
    is_flag=True,
    help="The images have changed: prepare them anew, and do again what was made of them.",
)
def prepare(*, again: bool, **options: Any) -> None:
    """Begin a study: read every image, find and frame the face, split the persons into parts.

    With --again this is done anew, and so are the later stages that had been done, as far as
    anything changed. The earlier results of each stage stay until the new ones are whole.

    \b
    Examples:
      emorank prepare kdef --data ~/KDEF_and_AKDEF --out kdef
      emorank prepare --again --out kdef
    """
    study = begin_study(**options)
    if again:
        from emorank.study.run import last_done

        run_stages(study, first="prepare", last=last_done(study))
    else:
        run_stages(study, first="", last="prepare")


@click.command("test", short_help="Score the network on the test part.")
@study_option
@settings_option
def test(folder: Path, settings: tuple[str, ...]) -> None:
    """Name the expressed emotion of every test image and score the names.

    To test the network of a study on other images, make a study of them: emorank run --network.

    \b
    Examples:
      emorank test --study demo
      emorank run --network kdef --data ~/jaffedbase --out kdef_on_jaffe
    """
    run_stage("test", folder, settings)


@click.command("validate", short_help="Compare the ranks with raters' votes.")
@study_option
@votes_option
@said_options
@click.option(
    "--ties",
    type=click.Choice(["median", "disputed"]),
    help="Two ranks have most votes: the image gets the median of the votes, or is left out.",
)
@settings_option
def validate(
    folder: Path, votes: Path | None, said: Said, ties: str | None, settings: tuple[str, ...]
) -> None:
    """Compare the predicted ranks with the majority of the raters.

    Votes are Minimal, Average, Strong (or Min, Avg, Str; or 1, 2, 3); an empty cell is no vote.
    Unknown images, unknown ranks and two votes of one rater on one image are errors.

    \b
    Examples:
      emorank validate --study kdef --votes votes.csv --ties disputed
      emorank validate --study kdef --votes ratings
      emorank validate --study kdef --votes export.json --map "Low=Min,Medium=Avg,High=Str"
    """
    if ties is not None:
        settings = (*settings, f"validate.ties={ties}")
    run_stage("validate", folder, settings, votes_settings(votes, said))


@click.command("report", short_help="Write the report, one HTML file.")
@study_option
@settings_option
def report(folder: Path, settings: tuple[str, ...]) -> None:
    """Write the report of a study: one HTML file with every table and figure in it.

    \b
    Example:
      emorank report --study demo --set report.examples=3
    """
    run_stage("report", folder, settings)
    click.echo(folder / "report" / "index.html")
