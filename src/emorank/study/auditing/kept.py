"""Ranks whose answers are kept, so that an audit goes on where it was stopped."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from emorank import __version__
from emorank.evaluation.laboratory.examination import LEVEL_PROBABILITIES
from emorank.evaluation.laboratory.perturbation import Pixels
from emorank.records import RecordStore
from emorank.study.folder import Study, fingerprint
from emorank.study.ranks.rankers import FILES, Ranker, ranker

COLUMNS = ("score", "level", *LEVEL_PROBABILITIES)


class Kept:
    """A rank of a study that answers once for each picture, and from the disk after that.

    What is kept belongs to the model, to how it is explained and ranked, and to the files of the
    rank itself; where one of them is another, nothing of it is used. The rank is made ready when
    the first picture comes that it has not seen.

    Raises:
        EmorankError: the study lacks what the rank needs; when it is asked.
    """

    def __init__(self, study: Study, method: str) -> None:
        self.study, self.method = study, method
        folder = study.path("audit") / f"{method}-{_state(study, method)}"
        self.store = RecordStore(folder, (len(COLUMNS),), np.dtype("<f8"))
        self.known = dict(zip(self.store.keys(), self.store.read().tolist(), strict=True))
        self.made: Ranker | None = None

    def ready(self) -> Ranker:
        """The rank itself."""
        self.made = self.made or ranker(self.study, self.method)
        return self.made

    def __call__(self, some: Sequence[Pixels]) -> pd.DataFrame:
        """`COLUMNS` of some pictures, NaN where the rank abstains or gives none."""
        keys = [hashlib.sha256(repr(p.shape).encode() + p.tobytes()).hexdigest() for p in some]
        new = {key: p for key, p in zip(keys, some, strict=True) if key not in self.known}
        if new:
            self._ask(new)
        return pd.DataFrame([self.known[key] for key in keys], columns=list(COLUMNS))

    def _ask(self, new: dict[str, Pixels]) -> None:
        found = self.ready()(list(new.values())).reindex(columns=list(COLUMNS))
        values = found.astype("Float64").to_numpy(np.float64, na_value=np.nan)
        with self.store.appending() as store:
            store.append(list(new), values)
        self.known |= zip(new, values.tolist(), strict=True)


def _state(study: Study, method: str) -> str:
    """What the answers depend on, but the pictures."""
    named = [study.path(name) for name in ("model.safetensors", *FILES.get(method, ()))]
    digests = []
    for path in {*named, *study.folder.glob(f"{method}.*")}:
        if path.is_file():
            with path.open("rb") as file:
                digests.append(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}")
    plan = study.plan
    return fingerprint(
        plan.explain, list(plan.explain.rules), plan.rank, sorted(digests), __version__
    )
