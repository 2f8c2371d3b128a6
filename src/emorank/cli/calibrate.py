"""`emorank calibrate`: fit the calibrated rank on rated images."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from emorank.cli.options import settings_option, study_option, votes_option
from emorank.cli.studies import open_with, progress_bar, renew_report
from emorank.cli.votes import Said, said_options, with_votes

if TYPE_CHECKING:
    from emorank.results.calibration import CalibratedRank


@click.command("calibrate", short_help="Fit a rank on rated images.")
@study_option
@votes_option
@said_options
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
    penalty: float,
    crossfit: int,
    report: bool,
    settings: tuple[str, ...],
) -> None:
    """Fit the rank "calibrated" on rated faces of persons that the network has not learnt from.

    It prints which features count, and how many rated images are enough, tested on the rated faces
    of the test persons. Then use it: emorank rank IMAGES --study DIR --rank calibrated.

    \b
    Examples:
      emorank calibrate --study demo
      emorank calibrate --study kdef --votes ratings --crossfit 5
    """
    from emorank.study.learning.calibrate import calibrate

    study = open_with(folder, settings)
    with progress_bar("faces") as progress:
        asked = with_votes(study, votes, said)
        result = calibrate(asked, penalty=penalty, crossfit=crossfit, progress=progress)
    _print(result)
    if report:
        renew_report(study)


def _print(fitted: "CalibratedRank") -> None:
    from emorank.cli.terminal import print_line, print_table

    print_line(f"fitted on {fitted.rated.images} rated faces of {fitted.rated.persons} persons")
    weights = sorted(fitted.coefficients, key=lambda one: -abs(one.value))
    rows = [(w.input, f"{w.value:+.2f}", f"{w.low:+.2f} to {w.high:+.2f}") for w in weights]
    print_table(("input", "coefficient", "95 %"), rows)
    if not fitted.curve:
        print_line("no rated face in the test part, so how well it does is not known")
        return
    points = []
    for point in fitted.curve:
        words = ("–", "not defined")
        if point.kappa is not None:
            words = (f"{point.kappa:.2f}", f"{point.low:.2f} to {point.high:.2f}")
        points.append((point.images, f"{point.persons:.1f}", *words))
    print_table(("rated images", "persons", "kappa", "95 %"), points)
