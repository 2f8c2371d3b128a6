"""The heatmaps that people look at: relevance of test faces, by the preset that is faithful.

They answer the question of the rank, "this expression and not none". A store keeps those that were
shown, so that writing the report again costs no pass through the network.
"""

import shutil

import numpy as np
import pandas as pd

from emorank import __version__
from emorank.framing import batches
from emorank.progress import Progress, silent
from emorank.reading.measured import Measured
from emorank.reading.reader import RankedFace
from emorank.records import RecordStore
from emorank.study.folder import Study, fingerprint
from emorank.study.framed_faces import Framed, open_dataset
from emorank.study.trained_network import trained_network

FOLDER = "heatmaps"


def shown_faces(study: Study, rows: pd.DataFrame, progress: Progress = silent) -> list[RankedFace]:
    """Faces of the test part with their heatmaps, as `emorank.read` would give them.

    `rows` are those of the default rank's table with the columns of `faces.parquet`; all were named
    as an expression.

    Raises:
        StudyError: an image is no longer what it was.
        WeightsError: a heatmap is lacking, and the study has no model.
    """
    framed, digests = Framed(study, rows), rows["digest"].to_list()
    store = _store(study)
    _add_lacking(study, store, framed, digests, progress)
    whole = not open_dataset(study).card.aligned
    return [
        RankedFace(
            framed(number),
            {"face": 1} | {str(name): value for name, value in row.items()},
            heatmap=heatmap,
            frame=None if whole and found is None else study.plan.data.width,
        )
        for number, (row, heatmap, found) in enumerate(
            zip(rows.to_dict("records"), store.of(digests), framed.landmarks, strict=True)
        )
    ]


def _store(study: Study) -> RecordStore:
    """Heatmaps (3, side, side) by image digest; those of another network or preset are removed."""
    state = fingerprint(study.plan.report.heatmap, study.identity("train"), __version__)
    folder, side = study.path(FOLDER), study.plan.data.size
    for other in folder.glob("*"):
        if other.name != state:
            shutil.rmtree(other, ignore_errors=True)
    return RecordStore(folder / state, (3, side, side), np.dtype(np.float32))


def _add_lacking(
    study: Study, store: RecordStore, framed: Framed, digests: list[str], progress: Progress
) -> None:
    lacking = list(store.lacking(digests).values())
    if not lacking:
        return
    network = trained_network(study)
    with store.appending() as out:
        for done, rows in enumerate(batches(lacking, network.batch)):
            progress(done * network.batch, len(lacking), "heatmaps")
            measured = Measured(network, [framed(row) for row in rows])
            out.append([digests[row] for row in rows], measured.heatmap)
    progress(len(lacking), len(lacking), "heatmaps")
