"""The table of faces that all estimators use, with descriptors that are computed once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, Int

from emorank.baselines.descriptors import DESCRIPTORS, VERSION, Pixels
from emorank.environment import cache_folder
from emorank.networks.features import Features, features
from emorank.networks.vgg import Chain
from emorank.networks.weights import IMAGENET_WEIGHTS, StartingWeights
from emorank.progress import Progress, silent
from emorank.records import RecordStore
from emorank.vocabulary import Emotion

Names = np.ndarray  # of str or None, dtype object, one for each face
BATCH = 64


@dataclass(frozen=True)
class Faces:
    """Framed faces with their persons, emotions and sequences, as far as known.

    Attributes:
        digest: SHA-256 of the framed 8-bit pixels; the key of stored descriptors.
        pixels: function from a row number to the framed picture, which it reads.
        rows: row number of each face.
        person: None where unknown.
        emotion: expressed; None where it is unknown, and for faces to be tested.
        sequence: None where the face is in none; `frame` is its place in it, then 0.
        weights: of the convolutions, as in the plan of the study.
    """

    digest: Names
    pixels: Callable[[int], Pixels]
    rows: Int[np.ndarray, " faces"]
    person: Names
    emotion: Names
    sequence: Names
    frame: Int[np.ndarray, " faces"]
    weights: StartingWeights = IMAGENET_WEIGHTS

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, positions: Sequence[int] | Int[np.ndarray, " positions"]) -> "Faces":
        """Some of the faces, by position."""
        at = np.asarray(positions, np.int64)
        columns = ("digest", "rows", "person", "emotion", "sequence", "frame")
        return replace(self, **{name: getattr(self, name)[at] for name in columns})

    def blind(self) -> "Faces":
        """The same faces without emotions, as an estimator gets them in a test."""
        return replace(self, emotion=np.full(len(self), None, object))

    def descriptor(
        self, name: str, progress: Progress = silent
    ) -> Float32[np.ndarray, "faces length"]:
        """The descriptor of this name of each face; computed only if the cache does not hold it.

        If another process writes to the same cache, this one waits.

        Raises:
            MissingExtraError: the libraries that compute it are not installed.
        """
        if not len(self):
            raise ValueError("expected at least one face, came none")
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
                    vectors = [describe(self.pixels(int(self.rows[i]))) for _, i in some]
                    out.append([key for key, _ in some], np.stack(vectors))
        return store.of(self.digest.tolist())

    def convolutions(self, net: Chain, cut: int, progress: Progress = silent) -> Features:
        """The output of the frozen convolutions for each face, from the cache that studies use."""
        side = len(self.pixels(int(self.rows[0])))
        keys = [f"{digest}.0" for digest in self.digest]  # view 0 is the face itself

        def pixels(places: list[int]) -> Iterator[Pixels]:
            return (self.pixels(int(self.rows[place])) for place in places)

        return features(
            *(net, cut, side, keys, pixels),
            normalisation=self.weights.normalisation,
            progress=progress,
        )


def emotions_of(faces: Faces) -> list[str]:
    """The emotions, other than neutral, of faces to learn from.

    Raises:
        ValueError: the emotion of a face is unknown.
    """
    if any(emotion is None for emotion in faces.emotion):
        raise ValueError("expected the expressed emotion of every face to learn from; some lack it")
    return sorted({str(emotion) for emotion in faces.emotion} - {str(Emotion.NEUTRAL)})
