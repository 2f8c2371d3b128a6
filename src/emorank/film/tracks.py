"""Whose face is whose: the faces of a film's frames joined to tracks, one for each person.

A face goes on with a track if it looks like the track's person, or if it lies where the track's
last face lay and looks nearly like that one: a head that turns changes its looks little by little.
Which face goes to which track is decided for all faces of a frame together. Where a new shot
begins, and after a gap, the place does not count. Looks are identity numbers (`reading.identity`),
whose author takes two photographs below 0.6 for one person.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, UInt8
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

SAME = 0.55
"""Distance of a face from a track's mean below which it is of this person, wherever it is."""
PERHAPS = 0.6
"""Distance from the track's last face below which a face may go on with it, where they overlap."""
OVERLAP = 0.3
"""Shared area over joint area of two boxes from which a face lies where the last one lay."""
GAP = 1.0
"""Seconds without a face after which its place does not count any more, and its movement ends."""
STEPS = 2.5
"""The same in steps from frame to frame, where few frames are read."""
CUT = 32.0
"""Mean difference of two frames' small pictures, 0 to 255, from which a new shot begins."""
_REMEMBERED = 50  # faces that a track's looks are averaged over, about
_NEVER = 1e6


@dataclass
class _Track:
    box: Float[np.ndarray, "4"]
    looks: Float[np.ndarray, " numbers"]
    last: Float[np.ndarray, " numbers"]
    time: float
    shot: int
    faces: int = 1

    def go_on(
        self,
        box: Float[np.ndarray, "4"],
        looks: Float[np.ndarray, " numbers"],
        time: float,
        shot: int,
    ) -> None:
        self.faces += 1
        share = 1 / min(self.faces, _REMEMBERED)
        self.looks = (1 - share) * self.looks + share * looks
        self.box, self.last, self.time, self.shot = box, looks, time, shot


def shots(thumbnails: UInt8[np.ndarray, "frame side side 3"]) -> Int[np.ndarray, " frame"]:
    """The shot that each frame is in, from 1: a new one begins where the picture changes much.

    A shot that begins where none does (a lamp is switched on) does no harm: persons go on by their
    looks.
    """
    if not len(thumbnails):
        return np.zeros(0, np.int64)
    change = np.abs(np.diff(thumbnails.astype(np.float32), axis=0)).mean((1, 2, 3))
    return np.concatenate([[1], 1 + np.cumsum(change >= CUT)]).astype(np.int64)


def tracks(
    frame: Int[np.ndarray, " face"],
    time: Float[np.ndarray, " face"],
    shot: Int[np.ndarray, " face"],
    box: Float[np.ndarray, "face 4"],
    looks: Float32[np.ndarray, "face numbers"],
    gap: float = GAP,
) -> Int[np.ndarray, " face"]:
    """The track of each face, from 1 in the order in which persons appear.

    Args:
        frame: that each face is in, not falling.
        time: of it in seconds.
        shot: as `shots` gives it.
        box: left, top, right, bottom.
        looks: identity numbers (`reading.identity`).
        gap: as `gap_between` gives it.
    """
    given = np.zeros(len(frame), np.int64)
    open_tracks: list[_Track] = []
    starts = np.flatnonzero(np.diff(frame, prepend=-1))
    for faces in np.split(np.arange(len(frame)), starts[1:]):
        if not len(faces):
            continue
        now, here = float(time[faces[0]]), int(shot[faces[0]])
        near = np.array([t.shot == here and now - t.time <= gap for t in open_tracks], bool)
        joined = _joined(open_tracks, near, box[faces], looks[faces])
        for place, face in zip(joined, faces, strict=True):
            if place is None:
                place = len(open_tracks)
                open_tracks.append(
                    _Track(box[face], looks[face].astype(float), looks[face], now, here)
                )
            else:
                open_tracks[place].go_on(box[face], looks[face], now, here)
            given[face] = place
    return _numbered(_merged(given, frame, looks))


def _joined(
    known: list[_Track],
    near: Bool[np.ndarray, " track"],
    box: Float[np.ndarray, "face 4"],
    looks: Float[np.ndarray, "face numbers"],
) -> list[int | None]:
    """The place of the track that each face of a frame goes on with; None: it is new."""
    if not known:
        return [None] * len(box)
    person = cdist(np.array([track.looks for track in known]), looks)
    before = cdist(np.array([track.last for track in known]), looks)
    shared = overlap(np.array([track.box for track in known]), box) * near[:, None]
    goes_on = (shared >= OVERLAP) & (before < PERHAPS)
    may = (person < SAME) | goes_on
    cost = np.where(may, np.where(goes_on, np.minimum(person, before), person) - shared, _NEVER)
    joined: list[int | None] = [None] * len(box)
    for track, face in zip(*linear_sum_assignment(cost), strict=True):
        if may[track, face]:
            joined[face] = int(track)
    return joined


def overlap(
    one: Float[np.ndarray, "a 4"], other: Float[np.ndarray, "b 4"]
) -> Float[np.ndarray, "a b"]:
    """Shared area over joint area of each box of one with each of the other."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(-1)
    areas = [np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(-1) for boxes in (one, other)]
    joint = areas[0][:, None] + areas[1][None] - shared
    return np.asarray(shared / np.maximum(joint, 1e-9))


def _merged(
    given: Int[np.ndarray, " face"],
    frame: Int[np.ndarray, " face"],
    looks: Float32[np.ndarray, "face numbers"],
) -> Int[np.ndarray, " face"]:
    """Tracks that look like one person, and are never in one frame, become one.

    The mean over a track says more than one face: a track that began with a turned or blurred face
    looks in the mean like the one that it goes on with.
    """
    given = given.copy()
    mean = np.array([looks[given == track].mean(0) for track in range(given.max(initial=-1) + 1)])
    if len(mean) < 2:
        return given
    frames = [set(frame[given == track].tolist()) for track in range(len(mean))]
    sizes = np.bincount(given).astype(float)
    distance = cdist(mean, mean)
    np.fill_diagonal(distance, np.inf)
    while distance.min() < SAME:
        one, other = sorted(np.unravel_index(distance.argmin(), distance.shape))
        if frames[one] & frames[other]:
            distance[one, other] = distance[other, one] = np.inf
            continue
        given[given == other] = one
        frames[one] |= frames[other]
        share = sizes[other] / (sizes[one] + sizes[other])
        mean[one] = (1 - share) * mean[one] + share * mean[other]
        sizes[one] += sizes[other]
        distance[other] = distance[:, other] = np.inf
        apart = np.isinf(distance[one])
        new = cdist(mean[one : one + 1], mean)[0]
        distance[one] = distance[:, one] = np.where(apart, np.inf, new)
    return given


def _numbered(given: Int[np.ndarray, " face"]) -> Int[np.ndarray, " face"]:
    """The same from 1, in the order of the first faces."""
    values, first = np.unique(given, return_index=True)
    order = np.empty(given.max(initial=-1) + 1, np.int64)
    order[values[np.argsort(first)]] = 1 + np.arange(len(values))
    return np.asarray(order[given])


def gap_between(time: Float[np.ndarray, " frame"]) -> float:
    """Seconds without a face that are a gap, in a film whose frames are read at these times."""
    steps = np.diff(time)
    return max(GAP, STEPS * float(np.median(steps))) if len(steps) else GAP


def pieces(
    track: Int[np.ndarray, " face"], time: Float[np.ndarray, " face"], gap: float = GAP
) -> list[Int[np.ndarray, " rows"]]:
    """The faces of each track from gap to gap, in the order of time."""
    parts = []
    for rows in _groups(track):
        ordered = rows[np.argsort(time[rows], kind="stable")]
        breaks: Bool[np.ndarray, " steps"] = np.diff(time[ordered]) > gap
        parts += np.split(ordered, np.flatnonzero(breaks) + 1)
    return parts


def _groups(track: Int[np.ndarray, " face"]) -> list[Int[np.ndarray, " rows"]]:
    order = np.argsort(track, kind="stable")
    return [
        rows for rows in np.split(order, np.flatnonzero(np.diff(track[order])) + 1) if len(rows)
    ]
