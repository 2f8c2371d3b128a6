"""The shipped network, and heads on its features, beside the ranks of a study.

A head learns the expressions of the training part as a study on that backbone would, and says how
strong they are by the contrast to neutral. Where the data set has sequences, two of them rank the
frames of each together too, as `emorank rank --smooth` does.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd

from emorank import __version__, images
from emorank.errors import StudyError
from emorank.networks.backbones import BACKBONES, PAPERS
from emorank.networks.ready import READY
from emorank.progress import Progress, silent
from emorank.reading.ranks import contrast
from emorank.reading.reader import Reader
from emorank.study.comparing.asking import faces_state, said_by
from emorank.study.folder import Study, fingerprint
from emorank.study.framed_faces import Framed, framing_of_others, open_dataset
from emorank.study.plan import override
from emorank.study.readers import reader_of
from emorank.study.train_network import contrast_temperature, fit_network
from emorank.study.trained_network import network_by_plan
from emorank.vocabulary import Emotion

RANK = "contrast"
VIEWS = 2  # each face and its mirror image, as the plans on these backbones have it
SMOOTH = "-smooth"  # ends the names of those that see sequences
NETWORKS = (
    "ready",
    *(name for name in BACKBONES if name != PAPERS),
    f"ready{SMOOTH}",
    f"expression+identity{SMOOTH}",
)
"""The shipped network as it is, the backbones of heads, and two of these along sequences."""


def networks_beside(study: Study, table: pd.DataFrame) -> Iterable[str]:
    """Those of `NETWORKS` that are not the study's own; along sequences only if there are any."""
    sequences = table["sequence"].dropna().duplicated().any()
    others = [name for name in NETWORKS if name != study.plan.train.backbone]
    return [name for name in others if sequences or not name.endswith(SMOOTH)]


def network_state(study: Study, name: str, table: pd.DataFrame) -> str:
    """What the answer of one of `NETWORKS` depends on."""
    files = [about.sha256 for about in READY.values()]
    plan = study.plan
    # Sequences say which faces are full expressions, by which the head learns where Strong begins.
    about = [[str(value) for value in table[key]] for key in ("emotion", "sequence", "frame")]
    learnt = [faces_state(table), about, plan.train.class_weights, plan.train.seed]
    return fingerprint(name, files, VIEWS, __version__, *learnt)


def ask_network(
    study: Study, name: str, table: pd.DataFrame, progress: Progress = silent
) -> pd.DataFrame:
    """What one of `NETWORKS` says of the tested faces; a head is trained on the training part.

    Raises:
        StudyError: it has to smooth, and no face of the training part is neutral.
    """
    smooth, name = name.endswith(SMOOTH), name.removesuffix(SMOOTH)
    if name == "ready":
        reader = reader_of(None, (RANK,))
        size, width = reader.network.size, reader.network.width
        twin = _changed(study, {"data.size": size, "data.width": width})
        return said_by(reader, _framed_anew(twin, table), twin, 0.0, smooth=smooth)
    about = BACKBONES[name]
    changes = {"data.size": about.size, "data.width": about.width, "train.backbone": name}
    changes |= {"train.head": "auto", "train.unfreeze": "none", "train.views": VIEWS}
    twin = _changed(study, changes)
    table = _framed_anew(twin, table)
    classes = tuple(emotion for emotion in Emotion if emotion in set(table["emotion"]))
    if smooth and Emotion.NEUTRAL not in classes:
        raise StudyError("smoothing along sequences needs a network that knows neutral")
    train, validation = (
        table[table["part"] == part].reset_index(drop=True) for part in ("train", "validation")
    )
    net, curves = fit_network(
        twin, classes, train, validation, {}, twin.plan.train, progress=progress
    )
    crop = framing_of_others(twin, open_dataset(twin))
    network = network_by_plan(twin.plan, net, classes, twin.plan.data.size, crop)
    warmth = contrast_temperature(twin, net, classes, validation)
    reader = Reader(network, {RANK: partial(contrast, temperature=warmth)})
    spent = 1000 * sum(epoch.seconds for epoch in curves) / len(train)
    return said_by(reader, table, twin, spent, smooth=smooth)


def _changed(study: Study, changes: dict[str, Any]) -> Study:
    return replace(study, plan=override(study.plan, changes, origin="compare"))


def _framed_anew(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """The faces with the digests of their pixels in the frame of this plan."""
    framed = Framed(study, table.drop(columns="digest"))
    digests = [images.digest(framed(row)) for row in range(len(table))]
    return table.assign(digest=pd.array(digests, dtype="string"))
