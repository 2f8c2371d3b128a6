"""`emorank explain`: heatmaps of images, or the relevance of a study's test part."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from emorank.cli.options import changed, images_options, opened, run_stages
from emorank.cli.rank import files, report_excluded, watched

if TYPE_CHECKING:
    from emorank.study.apply import Explained


@click.command("explain", short_help="Draw which pixels made the model say so.")
@images_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Folder for the figures; by default the present one.",
)
@click.option("--preset", help="Rules of the propagation, for instance epsilon-gamma-box.")
def command(
    images: tuple[Path, ...],
    folder: Path,
    out: Path,
    preset: str | None,
    crop: str | None,
    nearest: bool,
    strict: bool,
    settings: tuple[str, ...],
) -> None:
    """Draw the relevance of IMAGES (files or folders): one figure per face.

    The figure shows the face, the relevance of each colour channel and of their sum with zero at
    white, and the ten intervals that the rank comes from. Without IMAGES the study's own test part
    is explained, as a stage of the study.

    \b
    Examples:
      emorank explain holiday.jpg --study demo
      emorank explain photographs/ --study kdef --out heatmaps --preset epsilon-gamma-box
    """
    if preset is not None:
        settings = (*settings, f"explain.preset={preset}")
    if not images:
        run_stages(opened(folder, settings), first="explain", last="explain")
        return
    from emorank.files import replacing
    from emorank.study.apply import Applied

    paths = files(images)
    applied = Applied(changed(folder, settings), paths, crop, nearest, strict)
    drawn: Counter[str] = Counter()
    for found in watched(applied, len(paths)):
        name = f"{Path(found.row['image']).stem}_{found.row['face']}_relevance"
        drawn[name] += 1  # images in two folders may have one name
        name += f"_{drawn[name]}.png" if drawn[name] > 1 else ".png"
        with replacing(out / name) as partial:
            partial.write_bytes(_figure(found))
        click.echo(out / name)
    report_excluded(applied)


def _figure(found: "Explained") -> bytes:
    from emorank.report.figures import explanation, png
    from emorank.vocabulary import Emotion

    row = found.row
    figure = explanation(
        found.pixels,
        found.relevance,
        emotion=Emotion(row["predicted"]).label,
        probability=row[f"p_{row['predicted']}"],
        rank=row["rank"],
        counts=[row[f"n_{j}"] for j in range(1, 11)],
        zero=row["zero"],
        title=row["image"],
    )
    return png(figure)
