"""A camera: faces found, followed from frame to frame, named and ranked; no frame is kept."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from scipy.special import logit

from emorank import faces
from emorank.faces import Face
from emorank.framing import View, framed
from emorank.heatmaps import glass, scale
from emorank.ranking.contrast import from_probabilities, levels
from emorank.ranking.temporal import own_neutral
from emorank.reading.measured import Measured
from emorank.reading.reader import RankedFace, Reader
from emorank.vocabulary import LEVELS, Emotion

MOST = 3
"""Faces that are followed, the nearest ones."""
SEARCH = 2.0
"""Seconds from one search for faces to the next, while at least one face is followed."""
CALM = 1.0
"""Seconds of the latest frames that are taken for a person's own neutral face."""
RESTING = -6.0
"""Log-odds of every emotion against neutral to which a person's own neutral face is brought.

Of the strongest emotion of a neutral face the median is −7.6 (102 persons of the London set, by the
shipped network). One number for all emotions: then the emotion is named whose odds rose most.
"""
_FRAMES = 120  # of these seconds at most
_SAME = 0.4  # boxes that overlap by so much (intersection over union) are of one face
_LEAST, _MOST = 1e-6, 1 - 1e-6  # probabilities whose log-odds are told

Picture = UInt8[np.ndarray, "height width 3"]
Affine = Float[np.ndarray, "2 3"]
Strength = tuple[float, int | None]
"""Log-odds of an emotion against neutral, and the level by its place in `LEVELS`."""


@dataclass(frozen=True, eq=False)
class Seen:
    """One face in one frame.

    Attributes:
        view: what the network saw of it.
        place: [A b] of x' = A x + b, from pixels of the view to those of the frame.
        row: as `reader.RankedFace.row`; `face` is the number that the face keeps while it is
            followed. Where an own neutral face is known, also `contrast` and `own_neutral`, and
            `expressed`, `rank`, `score`, `log_odds` without the latter, as in
            `along_sequences.smooth_ranks`.
        strengths: of every emotion but neutral, without the own neutral where that is known. Of a
            network that does not know neutral, log-odds of the probability, and no level.
    """

    view: View
    place: Affine
    row: Mapping[str, Any]
    strengths: Mapping[str, Strength]


@dataclass(frozen=True, eq=False)
class Heatmap:
    """The relevance of a face's pixels for the expression that it shows, as colours.

    Attributes:
        colours: red, green, blue and opacity.
        place: from pixels of `colours` to those of the frame.
    """

    colours: UInt8[np.ndarray, "side side 4"]
    place: Affine


class Live:
    """What one camera shows, frame by frame.

    Args:
        reader: with the rank that is shown.
        most: faces that are followed.

    Attributes:
        own: the contrast of each emotion in the own neutral face; empty where none was taken.
    """

    def __init__(self, reader: Reader, most: int = MOST) -> None:
        self.reader, self.most = reader, most
        self.own: dict[str, float] = {}
        self._followed: dict[int, Face] = {}  # the nearest first
        self._numbers = 0
        self._nearest: int | None = None
        self._searched = -np.inf
        self._latest: deque[tuple[float, dict[str, float]]] = deque(maxlen=_FRAMES)

    def see(self, rgb: Picture, seconds: float) -> list[Seen]:
        """The faces of the next frame, nearest first; `seconds` is when, on any clock."""
        places = self._places(rgb, seconds)
        views = [view for view, _ in places]
        return self._all(places, list(self.reader.rank(views)), seconds) if views else []

    def see_and_explain(
        self, rgb: Picture, seconds: float, tell: Callable[[list[Seen]], None]
    ) -> Heatmap | None:
        """Both on one way through the network; None where there is no face.

        `tell` is given the faces before the way back begins. It is for large networks: the way
        forward is a third of a heatmap, and the next frame has to wait for all of it.
        """
        places = self._places(rgb, seconds)
        if not places:
            tell([])
            return None
        (nearest, _), *others = places
        measured = self.reader.measure([nearest.pixels])
        seen: list[Seen] = []

        def named() -> None:
            rows = list(self.reader.rank_measured([nearest], measured))
            if others:
                rows += self.reader.rank([view for view, _ in others])
            seen.extend(self._all(places, rows, seconds))
            tell(seen)

        relevance = measured.explain(named)[0]
        if seen[0].row["expressed"] != measured.table["expressed"][0]:
            return self.heatmap(seen[0])  # another one without the own neutral face
        return _coloured(relevance, seen[0].place)

    def take_neutral(self) -> dict[str, float]:
        """Take the nearest face as it was in the latest `CALM` seconds for its own neutral face.

        From the next frame on `own` is taken from its contrasts, so that its log-odds begin at
        `RESTING`. Empty, and nothing is changed, where no face was seen or the network does not
        know neutral.
        """
        if not self._latest:
            return {}
        since = self._latest[-1][0] - CALM
        calm = [measured for seconds, measured in self._latest if seconds >= since]
        known = np.ones(len(calm), bool)
        self.own = {
            name: own_neutral(np.array([measured[name] for measured in calm]), known)
            for name in calm[0]
        }
        return self.own

    def bring_neutral(self, own: Mapping[str, float]) -> None:
        """Use an own neutral face that was taken before; nothing else than what the network knows.

        One that lacks an emotion of the network is no neutral face of this network.
        """
        network = self.reader.network
        named = [str(e) for e in Emotion if e in network.classes and e != Emotion.NEUTRAL]
        whole = network.knows_neutral and set(named) <= set(own)
        self.own = {name: float(own[name]) for name in named} if whole else {}

    def heatmap(self, seen: Seen) -> Heatmap:
        """Why this face is said to show what it is said to show; slower than `see`."""
        asked = Emotion(seen.row["expressed"])
        measured = Measured(self.reader.network, [seen.view.pixels], asked)
        return _coloured(measured.heatmap[0], seen.place)

    def _all(
        self, places: list[tuple[View, Affine]], faces: Sequence[RankedFace], seconds: float
    ) -> list[Seen]:
        """The faces of a frame as they are told."""
        if (number := places[0][0].number) != self._nearest:
            self._latest.clear()
            self._nearest = number
        if measured := _contrasts(faces[0].row):
            self._latest.append((seconds, measured))
        return [
            self._seen(view, place, dict(face.row), nearest=view.number == number)
            for (view, place), face in zip(places, faces, strict=True)
        ]

    def _places(self, rgb: Picture, seconds: float) -> list[tuple[View, Affine]]:
        """What the network sees of each face, and where in the frame that lies."""
        network = self.reader.network
        if network.crop != "face":
            return [_whole(rgb, network.size, network.width)]
        self._look(rgb, seconds)
        if not self._followed:
            self._latest.clear()  # who has left shows no neutral face
        placed = []
        for number, face in self._followed.items():
            try:
                matrix = faces.frame_of(face.landmarks, network.size, network.width)
                pixels = framed(rgb, face.landmarks, network.size, network.width)
            except ValueError:  # landmarks that belong to no face
                continue
            placed.append((View(Path("camera"), number, pixels, face.box), _inverse(matrix)))
        return placed

    def _look(self, rgb: Picture, seconds: float) -> None:
        """Follow the faces, or search where it is time or one is lost."""
        due = not 0 <= seconds - self._searched < SEARCH
        if self._followed and not due:
            followed = {number: faces.follow(rgb, face) for number, face in self._followed.items()}
            kept = {number: face for number, face in followed.items() if face is not None}
            if len(kept) == len(followed):
                self._followed = _nearest_first(kept)
                return
        self._searched = seconds
        before, self._followed = self._followed, {}
        for face in faces.find(rgb, nearest=self.most == 1)[: self.most]:
            overlaps = {number: _overlap(face, other) for number, other in before.items()}
            number = max(overlaps, key=lambda one: overlaps[one], default=0)
            if overlaps.get(number, 0) > _SAME:
                del before[number]
            else:
                self._numbers += 1
                number = self._numbers
            self._followed[number] = face

    def _seen(self, view: View, place: Affine, row: dict[str, Any], *, nearest: bool) -> Seen:
        measured = _contrasts(row)
        if not measured:
            shares = {str(e): row[f"p_{e}"] for e in self.reader.network.classes}
            odds = {name: float(logit(np.clip(p, _LEAST, _MOST))) for name, p in shares.items()}
            return Seen(view, place, row, {name: (value, None) for name, value in odds.items()})
        temperature = row["score"] / row["log_odds"] if row.get("log_odds") else 1.0
        odds = {name: value / temperature for name, value in measured.items()}
        if nearest and self.own:
            named, own = row["expressed"], self.own
            odds = {name: RESTING + value - own[name] / temperature for name, value in odds.items()}
            expressed = max(odds, key=lambda name: odds[name])
            row |= {
                "expressed": expressed,
                "expressed_p": row[f"p_{expressed}"],
                "expressed_logit": row["expressed_logit"] + measured[expressed] - measured[named],
                "rank": LEVELS[_level(odds[expressed])],
                "score": odds[expressed] * temperature,
                "log_odds": odds[expressed],
                "contrast": measured[expressed],
                "own_neutral": own[expressed],
            }
        told = {name: (value, _level(value)) for name, value in odds.items()}
        return Seen(view, place, row, told)


def _coloured(relevance: Float[np.ndarray, "3 side side"], place: Affine) -> Heatmap:
    plane = relevance.sum(0)
    return Heatmap(glass(plane, scale(plane).full), place)


def _level(log_odds: float) -> int:
    return int(levels(np.array([log_odds]))[0])


def _contrasts(row: Mapping[str, Any]) -> dict[str, float]:
    """Of each emotion to neutral; empty where the network does not know neutral."""
    if "p_neutral" not in row:
        return {}
    named = [str(e) for e in Emotion if e != Emotion.NEUTRAL and f"p_{e}" in row]
    shares = np.array([[row[f"p_{name}"] for name in named]])
    values = from_probabilities(shares, np.array([row["p_neutral"]]))[0]
    return dict(zip(named, values.tolist(), strict=True))


def _whole(rgb: Picture, size: int, width: float) -> tuple[View, Affine]:
    """A frame of a network that was trained on whole pictures."""
    pixels = framed(rgb, None, size, width)
    inner = min(size, round(size / width))
    zoom = np.array(rgb.shape[1::-1]) / inner
    return View(Path("camera"), 1, pixels), np.column_stack(
        [np.diag(zoom), -((size - inner) // 2) * zoom]
    )


def _inverse(matrix: Affine) -> Affine:
    back = np.linalg.inv(matrix[:, :2])
    return np.column_stack([back, -back @ matrix[:, 2]])


def _nearest_first(followed: dict[int, Face]) -> dict[int, Face]:
    return dict(sorted(followed.items(), key=lambda one: -one[1].area))


def _overlap(face: Face, other: Face) -> float:
    """Intersection over union of two boxes."""
    (left, top), (right, bottom) = (
        np.maximum(face.box[:2], other.box[:2]),
        np.minimum(face.box[2:], other.box[2:]),
    )
    shared = max(float(right - left), 0.0) * max(float(bottom - top), 0.0)
    return shared / (face.area + other.area - shared)
