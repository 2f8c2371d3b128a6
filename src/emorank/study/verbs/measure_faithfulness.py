"""How faithful explanations of a study's network are, method by method.

Each method is written when it is measured, so that an interrupted measurement goes on with the next
method, and methods can be added later.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pandas as pd
from torch import nn

from emorank.errors import PlanError, StudyError
from emorank.evaluation.maps.blind import BLIND, blind_map
from emorank.evaluation.maps.localisation import find_masks
from emorank.evaluation.maps.map_scores import COLUMNS, Settings, summary
from emorank.evaluation.maps.measurement import (
    Explain,
    ExplainedFaces,
    Renewed,
    Tell,
    measure,
    steps,
)
from emorank.evaluation.maps.region_perturbation import FILLS
from emorank.networks import checkpoint
from emorank.networks.devices import device_of
from emorank.progress import Progress, silent
from emorank.reading.functions import logits_of, maps_of
from emorank.relevance.methods import METHODS, check_method
from emorank.relevance.presets import PRESETS
from emorank.relevance.random_weights import layer_groups, renewed_networks
from emorank.results.faithfulness import Faithfulness
from emorank.study.folder import Study
from emorank.study.framed_faces import Framed, framing, open_dataset


def faithfulness(
    study: Study,
    methods: Sequence[str] = tuple(PRESETS),
    settings: Settings | None = None,
    *,
    progress: Progress = silent,
) -> Faithfulness:
    """Measure methods of explaining beside maps that know nothing; write `faithfulness.json`.

    The measurements of each face go to `faithfulness.parquet`. What was measured before with the
    same settings, on the same network, is kept and not measured again. `methods` are names in
    `emorank.relevance.METHODS`; `evaluation.maps.blind.BLIND` are always added.

    Raises:
        PlanError: no such method or fill, or an impossible number of faces.
        StudyError: the study has no predictions, or no test face is named rightly.
        WeightsError: the study has no model.
        MissingExtraError: a method needs captum, and it is not installed.
    """
    settings = settings or Settings()
    _check(methods, settings)
    rows = choose(study, settings.faces, settings.seed)
    table, passes = _before(study, settings)
    wanted = [name for name in (*BLIND, *dict.fromkeys(methods)) if name not in passes]
    subject = _Subject(study, rows, settings)
    each = steps(settings.fills, 2 * len(subject.groups) - 1, subject.faces.checks)
    for number, name in enumerate(wanted):

        def tell(done: int, note: str, number: int = number, name: str = name) -> None:
            progress(number * each + done, len(wanted) * each, f"{name}: {note}")

        measurements, passes[name] = subject.measure(name, settings.fills, tell)
        table = pd.concat([table, measurements], ignore_index=True)
        study.write_table(Faithfulness.NAME, table)
        _write(study, settings, subject, table, passes)
    progress(1, 1, "done")
    return _write(study, settings, subject, table, passes)


def choose(study: Study, count: int, seed: int) -> pd.DataFrame:
    """Choose faces of the test part with a right prediction, spread over persons and emotions.

    Returns:
        `image`, `person`, `emotion`, `landmarks` and `digest` where the study has them; as many as
        asked for, or as there are.

    Raises:
        StudyError: there are no predictions, or no right one.
    """
    table = study.table("predictions")
    table = table[table["emotion"] == table["predicted"]][["image", "emotion"]]
    table = table.merge(study.table("faces").drop(columns="emotion"), on="image")
    if table.empty:
        raise StudyError(
            f"{study.folder}: no face of the test part is named rightly, and explanations of "
            "mistakes would be measured; train longer, or on more faces"
        )
    table = table.sample(frac=1, random_state=np.random.default_rng(seed))
    table["person"] = table["person"].fillna(table["image"])
    for keys in (["person", "emotion"], ["person"]):
        turn = table.groupby(keys).cumcount()
        table = table.loc[turn.sort_values(kind="stable").index]
    columns = ["image", "person", "emotion", "landmarks", "digest"]
    columns = [name for name in columns if name in table]
    return table[columns].head(count).reset_index(drop=True)


class _Subject:
    """The network of a study, with the faces on which methods of explaining it are measured."""

    def __init__(self, study: Study, rows: pd.DataFrame, settings: Settings) -> None:
        model = checkpoint.load(study.path("model.safetensors"))
        self.device = str(device_of(study.plan.model.device))
        self.net = model.net.to(self.device)
        self.groups, self.seed = layer_groups(self.net), settings.seed
        self.person = rows.set_index("image")["person"]
        framed = Framed(study, rows)
        images = np.stack([framed(row) for row in range(len(rows))])
        aligned = framing(study, open_dataset(study)) == "face"
        self.faces = ExplainedFaces(
            names=rows["image"].to_list(),
            images=images,
            target=np.array([model.classes.index(word) for word in rows["emotion"]]),
            classes=len(model.classes),
            logits=logits_of(self.net, self.device),
            score=logits_of(self.net, self.device, half=settings.half),
            masks=[find_masks(image, aligned=aligned) for image in images],
            checks=min(settings.checks, len(rows)),
            seed=settings.seed,
        )
        self.blind = self.faces.rng("blind")  # random maps are other ones each time

    def measure(self, method: str, fills: Sequence[str], tell: Tell) -> tuple[pd.DataFrame, float]:
        """All that is measured of a method, as rows; and its cost in forward passes."""
        renewed = (
            Renewed(how, layers, self._explain(net, method))
            for (how, layers), net in self._renewed.items()
        )
        return measure(self.faces, method, self._explain(self.net, method), renewed, fills, tell)

    @cached_property
    def _renewed(self) -> dict[tuple[str, str], nn.Module]:
        return renewed_networks(self.net, self.seed)

    def _explain(self, net: nn.Module, method: str) -> Explain:
        if method in BLIND:
            return lambda images, target: blind_map(method, images, self.blind)
        return maps_of(net, method, self.device)


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
    earlier = study.read(Faithfulness)
    if earlier is None or earlier.settings != settings:
        return pd.DataFrame({name: [] for name in COLUMNS}).astype({"method": object}), {}
    table = study.table(Faithfulness.NAME)
    # Killed between the two files, a method is in the table alone: it is measured again.
    return table[table["method"].isin(earlier.passes)], dict(earlier.passes)


def _write(
    study: Study,
    settings: Settings,
    subject: _Subject,
    table: pd.DataFrame,
    passes: dict[str, float],
) -> Faithfulness:
    order = {name: place for place, name in enumerate((*METHODS, *BLIND))}
    table = table.sort_values("method", key=lambda names: names.map(order), kind="stable")
    masks = [mask for mask in subject.faces.masks if mask]
    scores = Faithfulness(
        settings,
        tuple(subject.faces.names),
        int(subject.person.nunique()),
        tuple(group.name for group in subject.groups),
        {r: float(np.mean([mask[r].mean() for mask in masks])) for r in subject.faces.regions},
        len(masks),
        {name: passes[name] for name in sorted(passes, key=order.__getitem__)},
        tuple(summary(table, subject.person, np.random.default_rng(settings.seed))),
    )
    study.write(scores)
    return scores
