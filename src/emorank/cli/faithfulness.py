"""`emorank faithfulness`: how far the explanations of a study's network can be believed."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from emorank.cli.options import comma_list, study_argument
from emorank.cli.studies import renew_report

if TYPE_CHECKING:
    from emorank.results.faithfulness import Faithfulness

COLUMNS = ("least − most", "insertion", "on features", "new weights", "gap", "passes")
"""Columns of the table on the terminal; the report has more."""


@click.command("faithfulness", short_help="Measure how faithful the explanations are.")
@study_argument
@click.option(
    "--methods",
    metavar="A,B",
    callback=comma_list,
    help="Presets of LRP and explainers beside LRP, or all. Default: the seven presets.",
)
@click.option("--faces", default=12, show_default=True, help="How many faces of the test part.")
@click.option(
    "--checks",
    default=2,
    show_default=True,
    help="How many of them get the slow checks: new weights, another class, noise, shifts.",
)
@click.option(
    "--fills",
    default="mean,blur",
    show_default=True,
    metavar="A,B",
    callback=comma_list,
    help="What a region is replaced by: mean, blur, noise, surroundings.",
)
@click.option("--seed", default=0, show_default=True, help="Seed of all random choices.")
@click.option(
    "--half",
    is_flag=True,
    help="Compute images without regions in bfloat16: faster on newer processors; logits are off "
    "by about 0.01.",
)
def command(
    folder: Path,
    methods: list[str],
    faces: int,
    checks: int,
    fills: list[str],
    seed: int,
    half: bool,
) -> None:
    """Measure explanations of the network in STUDY beside maps that do not use the network.

    The faces are test faces that the network names rightly. Their regions are replaced, the most
    relevant first and the least relevant first; the weights are replaced by random ones, layer by
    layer; faces are moved by a pixel; and the relevance in each region of the face is summed. The
    maps that do not use the network are random numbers, a Gaussian in the centre, and edges. A
    measurement that was stopped goes on with the same command; methods can be added later.

    \b
    Examples:
      emorank faithfulness demo
      emorank faithfulness demo --methods epsilon,integrated-gradients --faces 24
      emorank faithfulness demo --methods all --fills noise,surroundings
    """
    from emorank.cli.progress_bars import ProgressBars
    from emorank.evaluation.maps.map_scores import Settings
    from emorank.relevance import METHODS, PRESETS
    from emorank.study.folder import open_study
    from emorank.study.verbs.measure_faithfulness import faithfulness

    names = methods or list(PRESETS)
    settings = Settings(faces, checks, tuple(fills), seed, half)
    study = open_study(folder)
    with ProgressBars() as bars:
        progress = bars.start("faithfulness")
        result = faithfulness(
            study, METHODS if "all" in names else names, settings, progress=progress
        )
        number, checked = len(result.images), min(result.settings.checks, len(result.images))
        outcome = f"{len(result.passes)} methods on {number} faces of {result.persons} persons"
        bars.end("faithfulness", f"{outcome}, {checked} of them with all checks", again=True)
    _print(result)
    renew_report(study)
    click.echo(study.path("faithfulness.json"))


def _print(result: "Faithfulness") -> None:
    from emorank.cli.terminal import print_table
    from emorank.report.sections.faithfulness import table
    from emorank.report.words import without_interval

    rows = table(result)[["method", *COLUMNS]].astype(str)
    for column in COLUMNS[1:]:  # eighty columns have room for one interval
        rows[column] = rows[column].map(without_interval)
    print_table(rows.columns, rows.itertuples(index=False))
    click.echo("All measures with their intervals are in the report and in faithfulness.json.")
