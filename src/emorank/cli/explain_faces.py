"""`emorank explain` with the shipped network or that of a study: images, or the test part."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emorank.cli.explain_options import Drawing
from emorank.cli.new_images import figures_of, report_excluded, with_bar
from emorank.cli.studies import open_if_given, run_stage
from emorank.cli.unfinished_work import finishing

if TYPE_CHECKING:
    from emorank.reading.reader import Reader
    from emorank.study.folder import Study


def explain_faces(
    drawing: Drawing,
    folder: Path | None,
    rank: str | None,
    settings: tuple[str, ...],
    others: dict[str, Any],
) -> None:
    """Draw a figure for each face of the images; without images run the stage of the study.

    `others` are the options of bare weights; a usage error names those that were given.
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
    from emorank.datasets import folder_walk
    from emorank.reading.explanations import flat_warning
    from emorank.report.intensity import draw_intensity
    from emorank.report.reading import draw_reading
    from emorank.study.answer_store import RankStates
    from emorank.study.plan import preset_of
    from emorank.study.readers import explain_intensity

    paths, left_out = folder_walk.paths(drawing.images)
    study = open_if_given(folder, settings)
    rules = (drawing.presets, drawing.rules, drawing.bias, drawing.max_pooling)
    key = RankStates(study).of(rank or "", rank, drawing.crop, drawing.nearest, repr(rules))
    read: Any
    draw: Any
    preset: Any
    if rank == "ordinal" and study is not None:
        read, draw = partial(explain_intensity, study, device=drawing.device), draw_intensity
        preset = preset_of(study.plan.explain)
    elif rank == "paper":
        reader = _by_pixels(drawing, study)
        read, draw, preset = reader.read, _figure, reader.network.preset
    else:
        reader = _by_contrast(drawing, study)
        read, draw, preset = reader.read, draw_reading, reader.network.heatmap
    figures, kept = figures_of(drawing, paths, key)
    lacking = kept.lacking(paths)
    faces = read(lacking, crop=drawing.crop, nearest=drawing.nearest, strict=drawing.strict)
    with finishing(kept):
        kept.add(
            figures.write(
                face.row["image"], face.row["face"], draw(face), flat_warning(face.pixels, preset)
            )
            for face in with_bar(faces, len(lacking))
        )
    report_excluded(left_out, faces.excluded, len(paths))


def _by_pixels(drawing: Drawing, study: "Study | None") -> "Reader":
    """The paper's rank; neutral is explained too, where it is named."""
    from emorank.study.readers import reader_of

    reader = reader_of(study, ["paper"], device=drawing.device, neutral=True)
    if study is not None:  # its plan has the rules
        return reader
    name = drawing.presets[0] if drawing.presets else reader.network.preset
    return replace(reader, network=replace(reader.network, preset=_preset(drawing, name)))


def _by_contrast(drawing: Drawing, study: "Study | None") -> "Reader":
    """The contrast to neutral, by the preset that people look at unless another is asked for."""
    from emorank.study.readers import reader_of

    reader = reader_of(study, ["contrast"], device=drawing.device, heatmaps=True)
    name = drawing.presets[0] if drawing.presets else reader.network.heatmap
    return replace(reader, network=replace(reader.network, heatmap=_preset(drawing, name)))


def _preset(drawing: Drawing, base: Any) -> Any:
    from emorank.relevance import override_preset

    return override_preset(base, drawing.rules, bias=drawing.bias, max_pooling=drawing.max_pooling)


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
    if names:
        raise click.UsageError(
            f"only with --weights FILE: {', '.join(names)} (FILE: a study's model.safetensors, say)"
        )


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
