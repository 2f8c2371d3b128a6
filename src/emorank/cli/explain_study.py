"""`emorank explain --study`: images, or the test part, explained by the network of a study."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from emorank.cli.explain_options import Drawing
from emorank.cli.new_images import figures_of, report_excluded, with_bar
from emorank.cli.studies import open_with, run_stage
from emorank.cli.unfinished_work import finishing


def explain_with_study(
    drawing: Drawing, folder: Path, rank: str, settings: tuple[str, ...], others: dict[str, Any]
) -> None:
    """Draw a figure for each face of the images; without images run the stage.

    `others` are the options of bare weights; a usage error names those that were given.
    """
    _refuse(drawing, others)
    if rank == "ordinal" and not drawing.images:
        raise click.UsageError("--rank ordinal goes with IMAGES")
    settings = (*settings, *_settings(drawing))
    if not drawing.images:
        run_stage("explain", folder, settings)
        return
    from emorank.datasets import folder_walk
    from emorank.report.intensity import draw_intensity
    from emorank.study.answer_store import RankStates
    from emorank.study.readers import explain_intensity, reader_of

    paths, left_out = folder_walk.paths(drawing.images)
    study = open_with(folder, settings)
    key = RankStates(study).of(rank, rank, drawing.crop, drawing.nearest)
    figures, kept = figures_of(drawing, paths, key)
    lacking = kept.lacking(paths)
    read: Any
    draw: Any
    if rank == "ordinal":
        read, draw = partial(explain_intensity, study), draw_intensity
    else:  # neutral is explained too, where it is named
        read, draw = reader_of(study, neutral=True).read, _figure
    faces = read(lacking, crop=drawing.crop, nearest=drawing.nearest, strict=drawing.strict)
    with finishing(kept):
        kept.add(
            figures.write(face.row["image"], face.row["face"], draw(face))
            for face in with_bar(faces, len(lacking))
        )
    report_excluded(left_out, faces.excluded, len(paths))


def _refuse(drawing: Drawing, others: dict[str, Any]) -> None:
    """Name the options that a study cannot follow."""
    names = [
        f"--{name.replace('_', '-')}"
        for name, value in others.items()
        if value is not None and value is not False and value != ()
    ]
    if len(drawing.presets) > 1 or any("," in preset for preset in drawing.presets):
        names.append("several --preset")
    if drawing.crop == "center":
        names.append("--crop center")
    if names:
        instead = "with --weights (a study's model.safetensors, for instance), not with --study"
        raise click.UsageError(f"{instead}: {', '.join(names)}")


def _settings(drawing: Drawing) -> list[str]:
    """Rules of the propagation as settings of the plan."""
    settings = [f"explain.preset={preset}" for preset in drawing.presets]
    settings += [f"explain.rules.{key}={rule}" for key, rule in drawing.rules.items()]
    if drawing.bias is not None:
        settings.append(f"explain.bias={drawing.bias}")
    if drawing.max_pooling is not None:
        settings.append(f"explain.max_pooling={drawing.max_pooling}")
    return settings


def _figure(face: Any) -> bytes:
    from emorank.report.figures import explanation_of_row
    from emorank.report.style import png

    return png(explanation_of_row(face.pixels, face.relevance, face.row))
