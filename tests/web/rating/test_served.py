"""When a server first sent each picture."""

import pytest

from emorank.room.overview import answers
from emorank.web.rating import served
from emorank.web.rating.served import Served


def test_the_first_sending_counts():
    """Milliseconds since then; of what was not sent nothing is known."""
    now = [10.0]
    sent = Served(clock=lambda: now[0])
    sent.note("a")
    now[0] = 10.2509
    sent.note("a")
    assert sent.since("a") == 250
    assert sent.since("b") is None


def test_memory_has_a_bound(monkeypatch):
    """The oldest is forgotten."""
    monkeypatch.setattr(served, "MOST", 2)
    sent = Served()
    for name in "abc":
        sent.note(name)
    assert sent.since("a") is None
    assert None not in (sent.since("b"), sent.since("c"))


@pytest.mark.parametrize("database", [None])
def test_an_answer_right_after_its_picture_is_refused(visit, app, room):
    """Whatever time it claims; later it is taken."""
    now = [0.0]
    app.app.state.served.clock = lambda: now[0]
    rater = visit("r1")
    first = rater.showings()[0]["id"]
    rater.get(f"/rate/picture/{first}")
    now[0] = 0.2
    assert rater.vote(first).json() == {"outcomes": ["fast"]}
    assert answers(room.project).empty
    now[0] = 0.3
    assert rater.vote(first).json() == {"outcomes": ["stored"]}
