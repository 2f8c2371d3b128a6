"""A study takes over the network of another study, with all that was learnt for its ranks."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from emorank.errors import StudyError
from emorank.files import replacing
from emorank.networks import checkpoint
from emorank.networks.ready import READY
from emorank.networks.training import Epoch
from emorank.progress import Progress, silent
from emorank.reading.emotion_network import EmotionNetwork
from emorank.reading.ready import NAME, ready_network
from emorank.study.folder import Study
from emorank.study.learning.calibrate import RESULT as CALIBRATION
from emorank.study.learning.measured_faces import EVIDENCE, evidence_cuts
from emorank.study.learning.train_ordinal import MODEL as ORDINAL_MODEL
from emorank.study.learning.train_ordinal import NAME as ORDINAL
from emorank.study.other_network import READY_NETWORK, network_source, source_study
from emorank.study.trained_network import MODEL, trained_network

LEARNT = (EVIDENCE, CALIBRATION, ORDINAL)
"""What a study learns beside its network, and another one takes over with it."""
TAKEN = ("network.json", *(f"{name}.json" for name in LEARNT), ORDINAL_MODEL)
"""The files of all that is taken over, but the network and its curves."""


def take_network(study: Study, progress: Progress = silent) -> str:
    """Copy the network of another study with what was learnt from votes, or the shipped network.

    Returns a line that says whose network it is.

    Raises:
        StudyError: the other study is gone, or no longer trained.
        WeightsError: its network is damaged.
    """
    if study.plan.network == READY_NETWORK:
        return _take_ready(study)
    source = source_study(study.plan.network)
    network = trained_network(source)
    for number, (name, values) in enumerate(_learnt(source, network)):
        progress(number, len(LEARNT), name)
        study.write_result(name, values, after="prepare")
        if name == ORDINAL:
            _copy(source.path(ORDINAL_MODEL), study.path(ORDINAL_MODEL))
    _copy(source.path(MODEL), study.path(MODEL))
    study.write_table("training", source.table("training").iloc[:0])
    study.write(network_source(source))
    return f"the network of {source.folder}; nothing was trained on these faces"


def _take_ready(study: Study) -> str:
    network, about = ready_network(), READY[NAME]
    model = checkpoint.Checkpoint(
        network.net,
        about.classes,
        about.size,
        network.crop,
        normalisation=about.normalisation,
        width=network.width,
        backbone=NAME,
        temperature=1.0,  # as without a study
    )
    checkpoint.save(model, study.path(MODEL))
    study.write_table("training", pd.DataFrame(columns=[one.name for one in fields(Epoch)]))
    study.write(network_source(None))
    return "the network that comes with emorank; nothing was trained on these faces"


def _learnt(source: Study, network: EmotionNetwork) -> Iterator[tuple[str, Any]]:
    for name in LEARNT:
        values = source.result(name)
        if name == EVIDENCE and values is None:
            with suppress(StudyError):  # too few faces for thirds: the other ranks need none
                values = evidence_cuts(source, network)
        if values is not None:
            yield name, values


def _copy(source: Path, target: Path) -> None:
    """Link or copy a file of hundreds of megabytes; no file of a study is ever changed in place."""
    with replacing(target) as partial:
        try:
            os.link(source, partial)
        except OSError:  # another disk
            shutil.copyfile(source, partial)
