"""Beside the stages: how faithful explanations of a study's network are, method by method.

A method is measured whole and written at once, so that what was stopped goes on with the next one,
and methods can be added to what was measured before.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from emorank.errors import PlanError
from emorank.evaluation.maps.blind import BLIND
from emorank.evaluation.maps.map_scores import COLUMNS, Settings, summary
from emorank.evaluation.maps.region_perturbation import FILLS
from emorank.progress import Progress, silent
from emorank.relevance.methods import METHODS, check_method
from emorank.relevance.presets import PRESETS
from emorank.results.faithfulness import Faithfulness
from emorank.study.folder import Study
from emorank.study.subject import Subject, choose, measured, parts


def faithfulness(
    study: Study,
    methods: Sequence[str] = tuple(PRESETS),
    settings: Settings | None = None,
    progress: Progress = silent,
) -> Faithfulness:
    """Measure methods of explaining beside maps that know nothing; write `faithfulness.json`.

    The measurements of each face go to `faithfulness.parquet`. What was measured before with the
    same settings, on the same network, is kept and not measured again.

    Args:
        study: whose stages up to the test are done.
        methods: of `emorank.relevance.METHODS`; `evaluation.maps.blind.BLIND` are always added.
        settings: which faces and checks; the defaults if None.
        progress: told of the parts done.

    Raises:
        PlanError: no such method or fill, or an impossible number of faces.
        StudyError: the study has no predictions, or no test face is named rightly.
        WeightsError: the study has no model.
        MissingExtraError: a method needs captum, and it is not installed.
    """
    settings = settings or Settings()
    _check(methods, settings)
    chosen = choose(study, settings.faces, settings.seed)
    table, passes = _before(study, settings)
    wanted = [name for name in (*BLIND, *dict.fromkeys(methods)) if name not in passes]
    subject = Subject(study, chosen, settings)
    each = parts(settings.fills, subject)
    for number, name in enumerate(wanted):

        def told(done: int, note: str, number: int = number, name: str = name) -> None:
            progress(number * each + done, len(wanted) * each, f"{name}: {note}")

        rows, passes[name] = measured(subject, name, settings.fills, told)
        table = pd.concat([table, rows], ignore_index=True)
        study.write_table(Faithfulness.NAME, table)
        _write(study, settings, subject, table, passes)
    progress(1, 1, "done")
    return _write(study, settings, subject, table, passes)


def _check(methods: Sequence[str], settings: Settings) -> None:
    for name in methods:
        check_method(name)
    unknown = [fill for fill in settings.fills if fill not in FILLS]
    if unknown or not settings.fills:
        came = f"'{unknown[0]}'" if unknown else "none"
        raise PlanError(f"expected fills of {', '.join(FILLS)}; got {came}")
    if settings.faces < 1:
        raise PlanError(f"expected at least one face, got {settings.faces}")
    if not 0 <= settings.checks <= settings.faces:
        raise PlanError(
            f"expected 0 to {settings.faces} faces for the checks, as there are faces; "
            f"got {settings.checks}"
        )


def _before(study: Study, settings: Settings) -> tuple[pd.DataFrame, dict[str, float]]:
    """Rows and passes of the methods that were measured with these settings."""
    found = study.read(Faithfulness)
    if found is None or found.settings != settings:
        return pd.DataFrame({name: [] for name in COLUMNS}).astype({"method": object}), {}
    table = study.table(Faithfulness.NAME)
    # Killed between the two files, a method is in the table alone: it is measured again.
    return table[table["method"].isin(found.passes)], dict(found.passes)


def _write(
    study: Study,
    settings: Settings,
    subject: Subject,
    table: pd.DataFrame,
    passes: dict[str, float],
) -> Faithfulness:
    order = {name: place for place, name in enumerate((*METHODS, *BLIND))}
    table = table.sort_values("method", key=lambda names: names.map(order), kind="stable")
    persons = subject.faces.set_index("image")["person"]
    located = [mask for mask in subject.masks if mask]
    found = Faithfulness(
        settings,
        tuple(subject.faces["image"]),
        int(subject.faces["person"].nunique()),
        tuple(stage.name for stage in subject.stages),
        {name: float(np.mean([m[name].mean() for m in located])) for name in subject.regions},
        len(located),
        {name: passes[name] for name in sorted(passes, key=order.__getitem__)},
        tuple(summary(table, persons, np.random.default_rng(settings.seed))),
    )
    study.write(found)
    return found
