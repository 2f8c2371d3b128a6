"""`emorank explain` with the shipped network or that of a study: images, or the test part."""

from pathlib import Path
from typing import Any

import click

from emorank.cli.explain_options import Drawing
from emorank.cli.many_images import write_relevance
from emorank.cli.new_images import figures_of, report_excluded, with_bar
from emorank.cli.studies import open_if_given, run_stage
from emorank.cli.unfinished_work import finishing

_RULES = ("rules", "bias", "max_pooling", "products")  # what changes a preset, but for its name


def explain_faces(
    drawing: Drawing,
    folder: Path | None,
    rank: str | None,
    settings: tuple[str, ...],
    others: dict[str, Any],
    many: dict[str, Any],
) -> None:
    """Draw a figure for each face of the images; without images run the stage of the study.

    `others` are the options of bare weights; a usage error names those that were given. `many` are
    those of a run that writes relevance in the place of figures.
    """
    _refuse(drawing, others)
    if rank == "ordinal" and not (drawing.images and folder):
        raise click.UsageError("--rank ordinal goes with IMAGES and --study")
    if not drawing.images:
        if folder is None:
            raise click.UsageError("expected IMAGES, or --study DIR to explain its test part")
        if drawing.device is not None:
            raise click.UsageError(
                "--device goes with IMAGES; for the stage of a study: --set model.device=NAME"
            )
        run_stage("explain", folder, (*settings, *_settings(drawing)))
        return
    if rank in ("paper", "ordinal") and folder is not None:
        settings = (*settings, *_settings(drawing))
    from emorank.study.explained_faces import Rules, explained_faces

    of_plan = rank in ("paper", "ordinal") and folder is not None
    own = (
        Rules()
        if of_plan
        else Rules(
            drawing.presets[0] if drawing.presets else None,
            *(getattr(drawing, name) for name in _RULES),
        )
    )
    asked: dict[str, Any] = {
        "rank": rank or "contrast", "rules": own, "crop": drawing.crop, "nearest": drawing.nearest,
        "strict": drawing.strict, "device": drawing.device,
    }  # fmt: skip
    if drawing.parts is not None:
        study = open_if_given(folder, settings)
        whole = asked | many | {"half": drawing.half, "overwrite": drawing.overwrite}
        write_relevance(drawing.images, drawing.parts, whole | {"study": study})
        return
    from emorank.datasets import folder_walk
    from emorank.reading.explanations import flat_warning
    from emorank.report.intensity import draw_intensity
    from emorank.report.reading import draw_reading
    from emorank.study.answer_store import RankStates

    paths, left_out = folder_walk.paths(drawing.files)
    study = open_if_given(folder, settings)
    rules = (drawing.presets, *(getattr(drawing, name) for name in _RULES))
    key = RankStates(study).of(rank or "", rank, drawing.crop, drawing.nearest, repr(rules))
    draws = {"ordinal": draw_intensity, "paper": _figure}
    draw: Any = draws.get(rank or "", draw_reading)
    figures, kept = figures_of(drawing, paths, key)
    lacking = kept.lacking(paths)
    faces, preset = explained_faces(study, lacking, **asked)
    with finishing(kept):
        kept.add(
            figures.write(
                face.row["image"], face.row["face"], draw(face), flat_warning(face.pixels, preset)
            )
            for face in with_bar(faces, len(lacking))
        )
    report_excluded(left_out, faces.excluded, len(paths))


def _refuse(drawing: Drawing, others: dict[str, Any]) -> None:
    """Name the options that only bare weights can follow."""
    names = [
        f"--{name.replace('_', '-')}"
        for name, value in others.items()
        if value is not None and value is not False and value != ()
    ]
    if len(drawing.presets) > 1 or any("," in preset for preset in drawing.presets):
        names.append("several --preset")
    if drawing.crop == "center":
        names.append("--crop center")
    if drawing.save is not None and drawing.parts is None:
        names.append("--save with a file (a folder's name goes with every network)")
    if names:
        raise click.UsageError(
            f"only with --weights FILE: {', '.join(names)} (FILE: a study's model.safetensors, say)"
        )


def _settings(drawing: Drawing) -> list[str]:
    """Rules of the propagation as settings of the plan."""
    settings = [f"explain.preset={preset}" for preset in drawing.presets]
    settings += [f"explain.rules.{key}={rule}" for key, rule in drawing.rules.items()]
    for name in _RULES[1:]:
        if (value := getattr(drawing, name)) is not None:
            settings.append(f"explain.{name}={value}")
    return settings


def _figure(face: Any) -> bytes:
    from emorank.report.figures import explanation_of_row
    from emorank.report.style import png

    return png(explanation_of_row(face.pixels, face.relevance, face.row))
