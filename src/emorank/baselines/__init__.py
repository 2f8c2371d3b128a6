"""The intensity estimators of the paper's Table 10, written again for one table of faces.

Each has `fit(faces, ranks)`, `predict(faces)`, `intensity(faces)` (greater means stronger) and the
parameters of scikit-learn's estimators; some have `predict_proba(faces)` too.
Ranks are places in `LEVELS`. The defaults were chosen on the training and validation persons of
the shipped sample, never on its test part.
"""

from dataclasses import dataclass
from typing import Protocol, Self

from emorank.baselines.akhand import Akhand
from emorank.baselines.chang import Chang
from emorank.baselines.delannoy_mcdonald import DelannoyMcDonald
from emorank.baselines.kamarol import Kamarol
from emorank.baselines.level_cuts import Levels, Values
from emorank.baselines.pal_satsangi import PalSatsangi
from emorank.baselines.references import Majority
from emorank.baselines.song_chien import SongChien
from emorank.baselines.table_of_faces import Faces


class Estimator(Protocol):
    """What every estimator has; `needs` are the names of the descriptors that it uses."""

    needs: tuple[str, ...]

    def fit(self, faces: Faces, ranks: Levels) -> Self:
        """Learn from faces whose level is known."""

    def predict(self, faces: Faces) -> Levels:
        """The level of each face."""

    def intensity(self, faces: Faces) -> Values:
        """A number for each face; greater means stronger."""

    def get_params(self, deep: bool = True) -> dict[str, object]:
        """As in scikit-learn."""


@dataclass(frozen=True)
class Entry:
    """A row of Table 10; `printed` is the accuracy printed there, and the data set."""

    label: str
    make: type[Estimator]
    printed: str = ""


ESTIMATORS: dict[str, Entry] = {
    "kamarol": Entry("Kamarol 2017 (HMM)", Kamarol, "82.30 (CK+)"),
    "song_chien": Entry("Song, Chien 2012 (MLP)", SongChien, "95.60"),
    "akhand": Entry("Akhand 2021 (CNN)", Akhand, "99.14 (CK+), 93.43 (JAFFE)"),
    "chang": Entry("Chang 2013 (ordinal)", Chang, "68.20"),
    "pal_satsangi": Entry("Pal, Satsangi 2016 (k-means)", PalSatsangi, "98.00 (CK+)"),
    "delannoy_mcdonald": Entry("Delannoy 2008 (SVM)", DelannoyMcDonald, "89.00 (CK+, 68 images)"),
    "majority": Entry("Majority", Majority),
}

__all__ = ["ESTIMATORS", "Entry", "Estimator", "Faces"]
