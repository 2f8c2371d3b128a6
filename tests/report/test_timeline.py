"""The figure of a film: clear for one person, many, an hour, and nobody."""

import numpy as np
import pytest
from tests.report.film_tables import EXPRESSED, frames_and_events

from emorank.report import style
from emorank.report.film_curves import persons_of
from emorank.report.timeline import FACES, PERSONS, POINTS, drawn, spread, timeline

FACE = np.full((112, 112, 3), 200, np.uint8)


def figure_of(frames, events, seconds, title="film.mp4", **options):
    persons = persons_of(frames, 1.0, POINTS, -np.inf)
    faces = dict.fromkeys(drawn(persons, events), FACE)
    return timeline(title, seconds, persons, events, faces, **options)


def texts(figure):
    found = [text.get_text() for axes in figure.axes for text in axes.texts]
    return found + [text.get_text() for text in figure.texts]


def faces_of(axes):
    return [one for one in axes.artists if type(one).__name__ == "AnnotationBbox"]


def test_events_are_marked_and_faces_joined_to_their_apexes():
    shown = {1: [("happy", 2.0, 6.0), ("anger", 5.0, 3.0)], 2: []}
    frames, events = frames_and_events(8, 25, shown)
    figure = figure_of(frames, events, 8.0)
    first, second = figure.axes
    assert sorted(face.xy for face in faces_of(first)) == [(2.0, 6.0), (5.0, 3.0)]
    happy = style.COLOURS_OF_EMOTIONS["happy"]
    assert happy in [line.get_color() for line in first.lines]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Anger", "Happy"]
    assert {"Person 1", "Person 2", "None", "Minimal", "Average", "Strong"} <= set(texts(figure))
    assert "no expression reaches the level Average" in [t.get_text() for t in second.texts]
    assert style.png(figure) == style.png(figure_of(frames, events, 8.0))
    assert style.pdf(figure).startswith(b"%PDF")


def test_an_hour_is_thinned_and_says_minutes():
    apexes = [(EXPRESSED[k % 7], 10.0 + 20 * k, 2.0 + k % 5) for k in range(170)]
    frames, events = frames_and_events(3600, 5, {1: apexes})
    figure = figure_of(frames, events, 3600.0)
    (axes,) = figure.axes
    assert max(len(line.get_xdata()) for line in axes.lines) < 1.2 * POINTS
    assert len(faces_of(axes)) == FACES
    assert axes.get_xlabel() == "time (min:s)"


def test_of_many_persons_those_with_most_events_are_drawn():
    shown = {k: [("fear", 3.0, 4.0)] * (k > 4) for k in range(1, 13)}
    frames, events = frames_and_events(6, 10, shown)
    figure = figure_of(frames, events, 6.0)
    names = [text for text in texts(figure) if text.startswith("Person")]
    assert names == [f"Person {k}" for k in range(5, 13)]
    assert len(figure.axes) == PERSONS
    assert any("4 more persons" in text for text in texts(figure))


@pytest.mark.parametrize(
    ("seconds", "words"), [(3.0, "no face was found"), (0.0, "no frame was read")]
)
def test_nobody_is_said_to_be_nobody(seconds, words):
    frames, events = frames_and_events(seconds, 10, {})
    figure = figure_of(frames, events, seconds, note="Rendered.")
    assert words in texts(figure)
    assert "Rendered." in texts(figure)
    assert style.png(figure).startswith(b"\x89PNG")


def test_a_network_without_neutral_has_probabilities_and_no_levels():
    frames, events = frames_and_events(2, 10, {1: []})
    bare = frames[["frame", "time", "track"]].assign(p_happy=0.75, p_anger=0.25)
    figure = figure_of(bare, events, 2.0, odds=False)
    assert figure.axes[0].get_ylim() == (0, 1)
    assert "Strong" not in texts(figure)
    assert any("probability of each emotion" in text for text in texts(figure))


def test_a_hostile_name_is_a_name():
    frames, events = frames_and_events(1, 10, {1: []})
    figure = figure_of(frames, events, 1.0, title="$\\frac{1}{2}$\n\x1b[31m" + "x" * 300)
    assert style.png(figure).startswith(b"\x89PNG")
    assert max(map(len, texts(figure))) < 130


def test_faces_are_spread_as_near_as_may_be():
    np.testing.assert_allclose(spread(np.array([0.5, 0.5, 0.9]), 0.1), [0.45, 0.55, 0.9])
    np.testing.assert_allclose(spread(np.array([0.0, 1.0]), 0.2), [0.1, 0.9])
    crowded = spread(np.full(9, 1.0), 0.1)
    assert np.diff(crowded).min() >= 0.1 - 1e-9
    assert crowded[-1] == pytest.approx(0.95)
    assert len(spread(np.zeros(0), 0.1)) == 0
