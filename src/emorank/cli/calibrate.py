"""`emorank calibrate`: fit the calibrated rank on rated images."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from emorank.cli.options import FOLDER, settings_option, study_option, votes_option
from emorank.cli.studies import open_with, progress_bar, renew_report
from emorank.cli.votes import Said, said_options, with_votes

if TYPE_CHECKING:
    from emorank.results.calibration import CalibratedRank


@click.command("calibrate", short_help="Fit a rank on rated images.")
@study_option
@votes_option
@said_options
@click.option(
    "--from",
    "source",
    type=FOLDER,
    metavar="STUDY",
    help="Fit on the rated faces of STUDY, which tests the network of this one on other faces "
    "(emorank run --network); --votes are on those.",
)
@click.option(
    "--penalty",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="How strongly the coefficients are pulled towards 0.",
)
@click.option(
    "--crossfit",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="FOLDS",
    help="Fit on rated training persons too: train so many classifiers more, each without some of "
    "these persons, and measure every person with the one that has not seen them. 0: fit on the "
    "validation persons alone.",
)
@click.option("--report/--no-report", default=True, help="Write the report again at the end.")
@settings_option
def command(
    folder: Path,
    votes: Path | None,
    said: Said,
    source: Path | None,
    penalty: float,
    crossfit: int,
    report: bool,
    settings: tuple[str, ...],
) -> None:
    """Fit the rank "calibrated" on rated faces of persons that the network has not learnt from.

    They are those of the validation part, of the training part too (--crossfit), or of other faces
    (--from). In a study of other faces (emorank run --network) they are all rated ones. It prints
    which features count, and how many rated images are enough, tested on persons that it is not
    fitted on. Then use it: emorank rank IMAGES --study DIR --rank calibrated.

    \b
    Examples:
      emorank calibrate --study demo
      emorank calibrate --study kdef --votes ratings --crossfit 5
      emorank calibrate --study ready_on_mine
    """
    from emorank.study.folder import open_study
    from emorank.study.learning.calibrate import calibrate

    study = open_with(folder, settings)
    other = None if source is None else with_votes(open_study(source), votes, said)
    asked = with_votes(study, votes, said) if other is None else study
    with progress_bar("faces") as progress:
        result = calibrate(
            asked, source=other, penalty=penalty, crossfit=crossfit, progress=progress
        )
    _print(result)
    if report:
        renew_report(study)


def _print(fitted: "CalibratedRank") -> None:
    from emorank.cli.terminal import print_line, print_table
    from emorank.report.sections.learnt import calibrated_sentence, fitted_sentence
    from emorank.report.words import cell, interval, minus

    print_line(f"fitted on {fitted_sentence(fitted)}")
    rows = [
        (one.input, minus(f"{one.value:+.2f}"), interval(fitted.coefficient(one), "+"))
        for one in sorted(fitted.coefficients, key=lambda one: -abs(one.value))
    ]
    print_table(("input", "coefficient", "95 %"), rows)
    if fitted.agreement is None:
        print_line("no rated face of other persons, so how well it does is not known")
        return
    points = [
        (p.images, f"{p.persons:.1f}", cell(p.kappa), interval(fitted.kappa(p)))
        for p in fitted.curve
    ]
    if points:
        print_table(("rated images", "persons", "kappa", "95 %"), points)
    print_line(calibrated_sentence(fitted))
