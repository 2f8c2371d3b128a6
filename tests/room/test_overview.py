"""How far raters are."""

from emorank.room.invites import invite
from emorank.room.overview import progress


def test_progress_tells_how_far_and_whether_links_are_used(room):
    """Answers, median time, and the state of the link."""
    invite(room.project, room.raters["r1"])
    room.vote("r1", {showing.id: "Strong" for showing in room.showings("r1")[:5]})
    first, second = progress(room.project)
    assert (first.answered, first.total, first.median_ms, first.link) == (5, 13, 800, "open")
    assert (second.answered, second.median_ms, second.link) == (0, None, "none")
