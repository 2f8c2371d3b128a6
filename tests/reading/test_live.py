"""A camera without a browser: faces are followed, named and ranked as in single pictures."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose
from tests.fake_camera import scene

from emorank import faces
from emorank.ranking.contrast import levels
from emorank.reading import ranks
from emorank.reading.live import CALM, RESTING, SEARCH, Live
from emorank.reading.reader import Reader
from emorank.reading.ready import ready_network
from emorank.vocabulary import LEVELS

STEP = 1 / 15  # s
EMOTIONS = ("happy", "sadness", "anger", "fear", "disgust", "surprise")


@pytest.fixture(scope="module")
def reader():
    """The shipped network with its contrast, at a temperature."""
    return Reader(ready_network(), {"contrast": partial(ranks.contrast, temperature=2.0)})


@pytest.fixture(scope="module")
def film():
    """A smile that comes and goes, while the head moves."""
    return list(scene("p01", "happy", 24))


def test_following_agrees_with_searching(film):
    """A picture that does not change gives the same landmarks, one that does nearly the same."""
    (face,) = faces.find(film[0])
    still = face
    for _ in range(4):
        still = faces.follow(film[0], still)
    assert_allclose(still.landmarks, face.landmarks, atol=0.01)
    assert_allclose(still.box, face.box, atol=0.01)
    for frame in film[1:12]:
        face = faces.follow(frame, face)
        (sought,) = faces.find(frame)
        eyes = np.linalg.norm(sought.landmarks[1] - sought.landmarks[0])
        assert np.linalg.norm(face.landmarks - sought.landmarks, axis=1).max() < 0.06 * eyes
        assert_allclose(face.box, sought.box, atol=0.35 * eyes)


def test_a_face_that_has_gone_or_jumped_is_not_followed(film):
    """Nor is the wall taken for a face."""
    (face,) = faces.find(film[0])
    assert faces.follow(np.full_like(film[0], 90), face) is None
    assert faces.follow(np.roll(film[0], 200, axis=1), face) is None


def test_rows_are_those_of_single_pictures(reader, film):
    """Found first, followed later: the same names and, nearly, the same numbers."""
    live, off = Live(reader), []
    for number, frame in enumerate(film[:12]):
        (seen,) = live.see(frame, number * STEP)
        (alone,) = reader.read(frame)
        assert list(seen.row) == list(alone.row)
        assert seen.row["face"] == 1
        off.append(2 * seen.strengths[alone.row["expressed"]][0] - alone.row["score"])
        odds, level = seen.strengths[seen.row["expressed"]]
        assert odds == pytest.approx(seen.row["log_odds"], abs=1e-4)
        assert LEVELS[level] == seen.row["rank"]
    assert abs(np.median(off)) < 0.8  # of contrasts from −9 to 4


def test_a_face_is_sought_only_now_and_then(reader, film, monkeypatch):
    """At first, when the time has come, when it is lost, and when the clock was set back."""
    sought, find = [], faces.find

    def counted(rgb, **options):
        sought.append(rgb)
        return find(rgb, **options)

    monkeypatch.setattr("emorank.reading.live.faces.find", counted)
    live, count = Live(reader, most=1), []
    wall = np.full_like(film[0], 90)
    for frame, seconds in (
        (film[0], 0), (film[1], 0.1), (film[2], SEARCH + 0.01), (film[3], SEARCH + 0.1),
        (wall, SEARCH + 0.2), (wall, SEARCH + 0.3), (film[4], SEARCH + 0.4), (film[5], 1.0),
    ):  # fmt: skip
        before = len(sought)
        live.see(frame, seconds)
        count.append(len(sought) - before)
    assert count == [1, 0, 1, 0, 1, 1, 1, 1]


def test_faces_keep_their_numbers(reader, film):
    """Over a search too; one that comes back is a new one, and the nearest comes first."""
    small = next(scene("p06", "anger", 4, (640, 480), 150))
    both = np.hstack([small[:, 190:450], film[0][:, 100:]])
    live = Live(reader)
    first = live.see(both, 0)
    assert [seen.row["face"] for seen in first] == [1, 2]
    widths = [seen.row["box_right"] - seen.row["box_left"] for seen in first]
    assert widths[0] > widths[1]
    assert [seen.row["face"] for seen in live.see(both, SEARCH + 0.1)] == [1, 2]
    assert live.see(np.full_like(both, 90), SEARCH + 0.2) == []
    assert [seen.row["face"] for seen in live.see(both, SEARCH + 0.3)] == [3, 4]
    assert len(Live(reader, most=1).see(both, 0)) == 1


def test_the_own_neutral_face_is_taken_out(reader, film):
    """Its contrasts are the medians of the latest second; all odds begin at the same rest."""
    live = Live(reader)
    assert live.take_neutral() == {}
    plain = [live.see(film[0], seconds)[0] for seconds in (0, 0.4, CALM + 0.1, CALM + 0.3)]
    contrasts = [{e: 2.0 * odds for e, (odds, _) in seen.strengths.items()} for seen in plain]
    own = live.take_neutral()
    assert own == live.own
    for emotion in EMOTIONS:
        calm = [one[emotion] for one in contrasts[1:]]
        assert own[emotion] == pytest.approx(np.median(calm), abs=1e-5)
    for frame in (film[0], film[11]):
        (seen,) = live.see(frame, CALM + 0.4)
        (measured,) = reader.read(frame)
        row = seen.row
        shown = {e: odds for e, (odds, _) in seen.strengths.items()}
        assert row["expressed"] == max(shown, key=shown.get)
        assert row["own_neutral"] == own[row["expressed"]]
        assert row["log_odds"] == pytest.approx(
            RESTING + (row["contrast"] - row["own_neutral"]) / 2, abs=1e-4
        )
        assert row["score"] == pytest.approx(2 * row["log_odds"], abs=1e-4)
        assert row["rank"] == LEVELS[int(levels(np.array([row["log_odds"]]))[0])]
        assert row["expressed_p"] == row[f"p_{row['expressed']}"]
        if row["expressed"] == measured.row["expressed"]:
            assert row["expressed_logit"] == pytest.approx(measured.row["expressed_logit"], abs=2)
    assert live.see(film[0], CALM + 0.5)[0].row["rank"] == "None"
    other = Live(reader)
    other.bring_neutral(own | {"contempt": 1.0})
    assert other.own == own
    assert other.see(film[0], 0)[0].row["own_neutral"]
    assert other.see(np.full_like(film[0], 90), 1) == []
    assert other.take_neutral() == {}  # who has left shows no neutral face
    other.bring_neutral({"happy": 1.0})
    assert other.own == {}


def test_heatmaps_lie_where_the_face_is(reader, film):
    """The place of the crop's eyes and mouth in the frame are the landmarks, nearly."""
    live = Live(reader)
    (seen,) = live.see(film[12], 0)
    heatmap = live.heatmap(seen)
    side = reader.network.size
    assert heatmap.colours.shape == (side, side, 4)
    assert heatmap.colours[..., 3].max() == 255
    (face,) = faces.find(film[12])
    there = faces.TEMPLATE * side @ heatmap.place[:, :2].T + heatmap.place[:, 2]
    eyes = np.linalg.norm(face.landmarks[1] - face.landmarks[0])
    assert np.linalg.norm(there - face.landmarks, axis=1).max() < 0.25 * eyes
    again = faces.frame_of(face.landmarks, side)
    assert_allclose(heatmap.place[:, :2] @ again[:, :2], np.eye(2), atol=0.02)


def test_the_heatmap_is_of_what_is_said(reader, film):
    """Where the own neutral face changes the expression, the map is of the new one."""
    live = Live(reader)
    (seen,) = live.see(film[12], 0)
    live.own = dict.fromkeys(EMOTIONS, -6.0) | {"anger": -30.0}
    (other,) = live.see(film[12], 0.1)
    assert (seen.row["expressed"], other.row["expressed"]) == ("happy", "anger")
    maps = [live.heatmap(one).colours for one in (seen, other)]
    assert (maps[0] != maps[1]).any()


def test_a_large_network_names_on_the_way_to_its_heatmap(reader, film):
    """The faces are told before the map is there; both are those of two separate ways."""
    small = next(scene("p06", "anger", 4, (640, 480), 150))
    both = np.hstack([small[:, 190:450], film[12][:, 100:]])
    told = []
    live, apart = Live(reader), Live(reader)
    heatmap = live.see_and_explain(both, 0, told.append)
    for own in ({}, dict.fromkeys(EMOTIONS, -6.0) | {"anger": -30.0}):
        live.own = apart.own = own
        heatmap = live.see_and_explain(both, 0.1, lambda faces: told.append(list(faces)))
        apart.see(both, 0)
        seen = apart.see(both, 0.1)
        assert [one.row["face"] for one in told[-1]] == [1, 2]
        for one, other in zip(told[-1], seen, strict=True):
            assert one.row["expressed"] == other.row["expressed"]
            assert one.row["score"] == pytest.approx(other.row["score"], abs=1e-3)
        assert_allclose(heatmap.colours.astype(int), live.heatmap(seen[0]).colours, atol=1)
    assert told[-1][0].row["expressed"] == "anger"
    assert live.see_and_explain(np.full_like(both, 90), 0.2, told.append) is None
    assert told[-1] == []


def test_a_network_of_whole_pictures_needs_no_face(finished):
    """The frame is stretched as in its training, and its map lies over all of it."""
    from emorank.study.folder import open_study
    from emorank.study.readers import reader_of

    live = Live(reader_of(open_study(finished)))
    frame = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    (seen,) = live.see(frame, 0)
    assert "box_left" not in seen.row
    side = live.reader.network.size
    corners = np.array([(0, 0), (side, side)]) @ seen.place[:, :2].T + seen.place[:, 2]
    assert_allclose(corners, [(0, 0), (64, 48)])
    assert all(level is None for _, level in seen.strengths.values())
    assert live.take_neutral() == {}
