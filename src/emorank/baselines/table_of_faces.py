"""The table of faces that all estimators share, and their descriptors, computed once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, Int

from emorank.baselines.descriptors import DESCRIPTORS, VERSION, Pixels
from emorank.networks import weights
from emorank.networks.features import Features, features
from emorank.networks.vgg16 import VGG16
from emorank.networks.weights import cache_folder
from emorank.progress import Progress, silent
from emorank.records import RecordStore

Names = np.ndarray  # of str or None, dtype object, one for each face
BATCH = 64


@dataclass(frozen=True)
class Faces:
    """Framed faces with what may be known of them.

    Attributes:
        digest: SHA-256 of the framed 8-bit pixels: what descriptors are kept under.
        pixels: the framed picture of a row of the table, read when asked for.
        rows: which rows of that table these faces are.
        person: None where unknown.
        emotion: expressed; None where it is unknown or must not be known: all faces to be tested.
        sequence: None where the face comes from none.
        frame: its place in the sequence; 0 where there is none.
        weights: of the convolutions, as in the plan of the study.
    """

    digest: Names
    pixels: Callable[[int], Pixels]
    rows: Int[np.ndarray, " faces"]
    person: Names
    emotion: Names
    sequence: Names
    frame: Int[np.ndarray, " faces"]
    weights: str = weights.IMAGENET

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, chosen: Sequence[int] | Int[np.ndarray, " chosen"]) -> "Faces":
        """Some of the faces, by position."""
        at = np.asarray(chosen, np.int64)
        columns = ("digest", "rows", "person", "emotion", "sequence", "frame")
        return replace(self, **{name: getattr(self, name)[at] for name in columns})

    def blind(self) -> "Faces":
        """The same without their emotions, as an estimator meets them in a test."""
        return replace(self, emotion=np.full(len(self), None, object))

    def described(
        self, name: str, progress: Progress = silent
    ) -> Float32[np.ndarray, "faces length"]:
        """A descriptor of `DESCRIPTORS` of each face, from the cache where it is there already.

        Where another process fills the same cache, it is waited for.

        Raises:
            MissingExtraError: the libraries that compute it are not installed.
        """
        if not len(self):
            raise ValueError("expected at least one face to describe")
        describe = DESCRIPTORS[name]
        length = len(describe(self.pixels(int(self.rows[0]))))
        folder = cache_folder() / "descriptors" / f"{name}-{length}-v{VERSION}"
        store = RecordStore(folder, (length,), np.dtype(np.float32))
        if store.lacking(self.digest):
            with store.appending(wait=True) as out:
                wanted = list(store.lacking(self.digest).items())
                for start in range(0, len(wanted), BATCH):
                    some = wanted[start : start + BATCH]
                    progress(start, len(wanted), name)
                    found = np.stack([describe(self.pixels(int(self.rows[i]))) for _, i in some])
                    out.append([key for key, _ in some], found)
        place = {key: i for i, key in enumerate(store.keys())}
        return np.asarray(store.read()[[place[key] for key in self.digest]])

    def convolved(self, net: VGG16, cut: int, progress: Progress = silent) -> Features:
        """What the frozen convolutions say of each face, shared with the training of studies."""
        side = len(self.pixels(int(self.rows[0])))
        keys = [f"{digest}.0" for digest in self.digest]  # view 0 is the face itself
        return features(
            net, cut, side, keys, lambda i: self.pixels(int(self.rows[i])), progress=progress
        )
