"""Faces are joined to persons: through gaps, crossings and cuts."""

import numpy as np
import pytest

from emorank.film.tracks import GAP, gap_between, overlap, pieces, shots, tracks

ANN, BEN, CLEO = np.eye(3, 128, dtype=np.float32)
TURNED = (0.59 * ANN + 0.41 * BEN).astype(np.float32)  # 0.58 from Ann: perhaps she


def box(left: float, top: float = 0.0, side: float = 50.0) -> list[float]:
    return [left, top, left + side, top + side]


def joined(faces, *, shot=None, gap=GAP):
    """The tracks of (frame, box, looks); a frame lasts 0.04 s."""
    frame = np.array([one[0] for one in faces])
    return tracks(
        frame,
        frame * 0.04,
        np.ones(len(frame), np.int64) if shot is None else np.array(shot),
        np.array([one[1] for one in faces], float),
        np.array([one[2] for one in faces], np.float32),
        gap,
    ).tolist()


def test_two_persons_keep_their_tracks_when_they_cross():
    faces = []
    for k in range(11):
        faces += [(k, box(20.0 * k), ANN), (k, box(200 - 20.0 * k), BEN)]
    assert joined(faces) == [1, 2] * 11


def test_a_person_who_comes_back_elsewhere_has_the_same_track():
    faces = [(0, box(0), ANN), (1, box(0), ANN), (500, box(200), ANN), (501, box(200), BEN)]
    assert joined(faces) == [1, 1, 1, 2]


def test_a_face_of_doubtful_looks_goes_on_only_where_it_lay():
    assert joined([(0, box(0), ANN), (1, box(5), TURNED)]) == [1, 1]
    assert joined([(0, box(0), ANN), (1, box(100), TURNED)]) == [1, 2]


def test_a_new_shot_does_not_join_by_overlap():
    faces = [(0, box(0), ANN), (1, box(0), TURNED)]
    assert joined(faces, shot=[1, 2]) == [1, 2]
    assert joined([(0, box(0), ANN), (1, box(0), ANN)], shot=[1, 2]) == [1, 1]


def test_after_a_gap_the_place_does_not_count():
    assert joined([(0, box(0), ANN), (24, box(0), TURNED)]) == [1, 1]
    assert joined([(0, box(0), ANN), (50, box(0), TURNED)]) == [1, 2]
    assert joined([(0, box(0), ANN), (50, box(0), TURNED)], gap=3.0) == [1, 1]


def test_a_head_that_turns_away_little_by_little_stays_one_track():
    looks = [np.cos(angle) * ANN + np.sin(angle) * BEN for angle in np.linspace(0, np.pi / 2, 12)]
    assert joined([(k, box(0), one) for k, one in enumerate(looks)]) == [1] * 12


def test_another_person_at_the_same_place_is_another_track():
    assert joined([(0, box(0), ANN), (1, box(0), BEN)]) == [1, 2]


def test_one_frame_never_has_a_track_twice():
    faces = [(0, box(0), ANN), (1, box(0), ANN), (1, box(10), ANN)]
    given = joined(faces)
    assert len(set(given[1:])) == 2


def test_a_track_that_began_with_a_turned_face_becomes_that_of_its_person():
    turning = [(1 - share) * ANN + share * CLEO for share in np.linspace(0.55, 0, 10)]
    faces = [(k, box(0), ANN) for k in range(5)]
    faces += [(50 + k, box(100), looks) for k, looks in enumerate(turning)]
    assert joined(faces) == [1] * 15


def test_tracks_are_numbered_as_persons_appear():
    faces = [(0, box(100), BEN), (0, box(0), ANN), (1, box(0), ANN), (1, box(100), BEN)]
    assert joined(faces) == [1, 2, 2, 1]


def test_no_face_no_track():
    empty = np.zeros(0, np.int64)
    nothing = tracks(empty, empty.astype(float), empty, np.zeros((0, 4)), np.zeros((0, 128)))
    assert nothing.shape == (0,)


def test_overlap_is_shared_over_joint_area():
    got = overlap(np.array([[0.0, 0, 10, 10]]), np.array([[5.0, 0, 15, 10], [20, 20, 30, 30]]))
    np.testing.assert_allclose(got, [[50 / 150, 0]])


def test_a_shot_begins_where_the_picture_changes():
    dark, light = np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 60, np.uint8)
    assert shots(np.stack([dark, dark + 5, light, light, dark])).tolist() == [1, 1, 2, 2, 3]
    assert shots(np.zeros((0, 8, 8, 3), np.uint8)).tolist() == []


@pytest.mark.parametrize(("step", "expected"), [(0.04, GAP), (2.0, 5.0)])
def test_a_gap_is_longer_where_few_frames_are_read(step, expected):
    assert gap_between(np.arange(5) * step) == pytest.approx(expected)


def test_a_track_is_cut_at_gaps():
    track = np.array([1, 2, 1, 1, 2])
    time = np.array([0.0, 0.0, 0.5, 9.0, 0.4])
    assert [part.tolist() for part in pieces(track, time)] == [[0, 2], [3], [1, 4]]
