"""A film becomes records: what each frame shows, in a journal that a kill does not lose."""

import base64
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from emorank import images
from emorank.ahead import in_order
from emorank.film.decoder import Decoding, Frame
from emorank.film.films import Film
from emorank.film.look import POINTS, Looker, Seen, SeenFace
from emorank.framing import View
from emorank.reading.along_sequences import CONTRAST
from emorank.reading.emotion_network import EmotionNetwork
from emorank.reading.identity import identity_numbers
from emorank.reading.journal import Journal, Record
from emorank.reading.reader import RankedFace, Reader
from emorank.vocabulary import Emotion

Report = Callable[[int, int], None]
"""Is told how many frames are done, and how many there are."""
FACES = "faces"
"""The folder of the pictures of faces."""
BESIDE = 20_000_000
"""So many pixels may a frame have that is looked at while others are."""


@dataclass(frozen=True)
class Reading:
    """How films are read.

    Attributes:
        reader: network and ranks.
        every: only each so many-th frame.
        faces: of a frame, the nearest ones; None for all.
        save: write a picture of each face.
    """

    reader: Reader
    every: int = 1
    faces: int | None = None
    save: bool = False

    def rank(self, views: Sequence[View]) -> list[RankedFace]:
        """The records of at most a batch of faces, filled up to a batch.

        A network's sums are rounded in another order in a batch of another size, and a film whose
        reading was stopped shall give the same table.
        """
        filled = [*views, *[views[-1]] * (self.reader.batch - len(views))]
        return list(self.reader.rank(filled, crop="face"))[: len(views)]

    def column_row(self) -> dict[str, Any]:
        """The row of any face, for the names and order of its columns."""
        side = self.reader.network.size
        blank = np.full((side, side, 3), 128, np.uint8)
        others = (blank,) * (self.reader.crops - 1)
        (face,) = self.rank([View(Path(), 1, blank, (0.0, 0.0, 0.0, 0.0), others)])
        numbers = dict.fromkeys((*POINTS, "size", "blur"), 0.0)
        return face.row | numbers | contrasts_of(self.reader.network, face)


def measure(reading: Reading, film: Film, folder: Path, journal: Journal, report: Report) -> Record:
    """Read what is missing of a film into its journal; what is said of the whole film.

    Pictures of faces go into `folder`, if they shall be saved.

    Returns:
        The last record: `end`, the number of frames; `early`, why the film ended before its end, or
        None; `about`, what it says of itself; see `Decoding`.

    Raises:
        ImageError: it cannot be read.
        MissingExtraError: what decodes films is not installed.
    """
    done, start = 0, 0
    for _, record in journal.records():
        if "end" in record:
            return record
        done, start = done + 1, record["frame"] + 1
    decoding = Decoding(film, reading.every, start)
    network = reading.reader.network
    looker = Looker(
        str(film.path), network.size, network.width, reading.reader.crops, reading.faces,
        folder / FACES if reading.save else None,
    )  # fmt: skip
    with journal.appending() as append:
        _Batches(reading, append).read(
            in_order(looker.look, decoding, _beside), _Counted(report, decoding, done)
        )
        end = {"end": decoding.end, "early": decoding.early, "about": decoding.about}
        append(end)
    return end


def _beside(frame: Frame) -> bool:
    picture = frame.picture
    if isinstance(picture, np.ndarray):
        return picture.size // 3 <= BESIDE
    return picture is not None and images.is_small(picture)


@dataclass
class _Counted:
    """Counts frames that are done, whatever was done before."""

    report: Report
    decoding: Decoding
    done: int

    def one(self) -> None:
        self.done += 1
        frames = self.decoding.about.get("frames") or 0
        self.report(self.done, max(-(-frames // self.decoding.every), self.done))


@dataclass
class _Begun:
    """A frame whose faces are not all ranked."""

    seen: Seen
    faces: list[Record] = field(default_factory=list)


class _Batches:
    """Fills batches with the faces of several frames, and writes a record of each frame."""

    def __init__(self, reading: Reading, append: Callable[[Record], None]) -> None:
        self.reading, self.append = reading, append
        self.begun: deque[_Begun] = deque()
        self.waiting: deque[tuple[_Begun, SeenFace]] = deque()

    def read(self, frames: Iterator[Seen], counted: _Counted) -> None:
        for seen in frames:
            begun = _Begun(seen)
            self.begun.append(begun)
            self.waiting += ((begun, face) for face in seen.faces)
            while len(self.waiting) >= self.reading.reader.batch:
                self._rank()
            self._end(counted)
        while self.waiting:
            self._rank()
        self._end(counted)

    def _rank(self) -> None:
        most = min(self.reading.reader.batch, len(self.waiting))
        some = [self.waiting.popleft() for _ in range(most)]
        ranked = self.reading.rank([face.view for _, face in some])
        persons = identity_numbers(
            [face.person for _, face in some], self.reading.reader.network.device
        )
        for (begun, face), said, person in zip(some, ranked, persons, strict=True):
            points = dict(zip(POINTS, np.round(face.points, 1).ravel().tolist(), strict=True))
            row = said.row | points | {"size": round(face.size, 1), "blur": round(face.blur, 1)}
            row |= contrasts_of(self.reading.reader.network, said)
            begun.faces.append({"row": row, "person": packed(person)})

    def _end(self, counted: _Counted) -> None:
        while self.begun and len(self.begun[0].faces) == len(self.begun[0].seen.faces):
            begun = self.begun.popleft()
            seen = begun.seen
            record: Record = {"frame": seen.number, "time": seen.time, "image": seen.image}
            if seen.reason is not None:
                record["reason"] = seen.reason
            if seen.thumbnail is not None:
                record["thumbnail"] = base64.b64encode(seen.thumbnail.tobytes()).decode()
            self.append(record | {"faces": begun.faces})
            counted.one()


def contrasts_of(network: EmotionNetwork, face: RankedFace) -> dict[str, float]:
    """The logit of each emotion less that of neutral, in the order of `Emotion`; none without."""
    if face.logits is None or not network.knows_neutral:
        return {}
    logits = dict(zip(network.classes, face.logits.tolist(), strict=True))
    neutral = logits.pop(Emotion.NEUTRAL)
    return {f"{CONTRAST}_{one}": logits[one] - neutral for one in Emotion if one in logits}


def packed(numbers: Float32[np.ndarray, " numbers"]) -> str:
    """Numbers as text, with half precision."""
    return base64.b64encode(numbers.astype("<f2").tobytes()).decode()


def unpacked(text: str) -> Float32[np.ndarray, " numbers"]:
    """The numbers of `packed`."""
    return np.frombuffer(base64.b64decode(text), "<f2").astype(np.float32)
