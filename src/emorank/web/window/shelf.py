"""Pictures that the page shows, in memory only and only the last ones."""

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from emorank.framing import View
from emorank.heatmaps import jpeg
from emorank.images import shrink
from emorank.reading.explanations import Explanation
from emorank.reading.reader import RankedFace
from emorank.vocabulary import Emotion

MOST = 256_000_000  # bytes of all pictures: about a thousand photographs
ANSWERS = 8  # of one face that are kept
SIDE = 1280  # of a picture as it is shown, in pixels


class ForgottenError(Exception):
    """The picture or face is not, or no longer, in memory."""


@dataclass(frozen=True)
class Answer:
    """What the network says of one face when it is asked one question.

    Attributes:
        face: by every rank at hand.
        explanation: why, with one map.
        against: what the expression is held against; None for nothing.
    """

    face: RankedFace
    explanation: Explanation
    against: Emotion | None

    @property
    def to_neutral(self) -> bool:
        """Whether it is why this expression, and not none."""
        return self.against == Emotion.NEUTRAL

    @property
    def bytes(self) -> int:
        """Of its map."""
        return sum(one.nbytes for one in self.explanation.maps.values())


@dataclass(frozen=True, eq=False)
class ShownFace:
    """One face of a picture: what the network saw, and how it was read.

    Attributes:
        row: as the reader gives it, by its first rank.
        answers: to the questions that were asked of it, the last ones.
    """

    id: str
    view: View
    row: dict[str, Any]
    answers: "OrderedDict[object, Answer]" = field(default_factory=OrderedDict)

    @property
    def bytes(self) -> int:
        """Of its pixels and its answers."""
        return self.view.pixels.nbytes + sum(one.bytes for one in self.answers.values())


@dataclass(frozen=True, eq=False)
class ShownPicture:
    """A picture that was read.

    Attributes:
        jpeg: the picture upright, its longer side at most `SIDE` pixels.
        width, height: of the picture itself.
    """

    id: str
    name: str
    jpeg: bytes
    width: int
    height: int
    faces: tuple[ShownFace, ...]

    @property
    def bytes(self) -> int:
        """What it takes of the memory."""
        return len(self.jpeg) + sum(face.bytes for face in self.faces)


def shown(name: str, rgb: np.ndarray, read: list[tuple[View, dict[str, Any]]]) -> ShownPicture:
    """A picture (height, width, 3) of uint8 with its faces, under random names."""
    height, width = rgb.shape[:2]
    factor = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = rgb if factor == 1 else shrink(rgb, size)
    faces = tuple(ShownFace(_random(), view, row) for view, row in read)
    return ShownPicture(_random(), name, jpeg(small), width, height, faces)


class Shelf:
    """The pictures of one server; the one that was looked at longest ago goes first.

    `most` is how many bytes they may take together. The last one stays, however large it is.
    """

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._pictures: OrderedDict[str, ShownPicture] = OrderedDict()
        self._faces: dict[str, tuple[ShownFace, ShownPicture]] = {}
        self._turn = threading.Lock()

    @property
    def bytes(self) -> int:
        """What all pictures take together."""
        with self._turn:
            return self._bytes()

    def put(self, picture: ShownPicture) -> None:
        """Take a picture in."""
        with self._turn:
            self._pictures[picture.id] = picture
            self._faces |= {face.id: (face, picture) for face in picture.faces}
            self._make_room()

    def picture(self, name: str) -> ShownPicture:
        """The picture of a random name; a ForgottenError if there is none."""
        with self._turn:
            if name not in self._pictures:
                raise ForgottenError
            self._pictures.move_to_end(name)
            return self._pictures[name]

    def face(self, name: str) -> ShownFace:
        """The face of a random name; a ForgottenError if there is none."""
        with self._turn:
            if name not in self._faces:
                raise ForgottenError
            face, picture = self._faces[name]
            self._pictures.move_to_end(picture.id)
            return face

    def answered(self, face: ShownFace, question: object) -> Answer | None:
        """The answer to a question that was asked of a face before, if it is kept."""
        with self._turn:
            return face.answers.get(question)

    def keep(self, face: ShownFace, question: object, answer: Answer) -> None:
        """Keep an answer with its face."""
        with self._turn:
            face.answers[question] = answer
            if len(face.answers) > ANSWERS:
                face.answers.popitem(last=False)
            self._make_room()

    def forget(self, name: str) -> None:
        """Let a picture go, whether it is here or not."""
        with self._turn:
            if name in self._pictures:
                self._drop(name)

    def _bytes(self) -> int:
        return sum(picture.bytes for picture in self._pictures.values())

    def _make_room(self) -> None:
        while len(self._pictures) > 1 and self._bytes() > self.most:
            self._drop(next(iter(self._pictures)))

    def _drop(self, name: str) -> None:
        for face in self._pictures.pop(name).faces:
            del self._faces[face.id]


def _random() -> str:
    return secrets.token_urlsafe(16)
