"""How far raters are."""

from emorank.room.invites import invite
from emorank.room.overview import progress
from emorank.room.store import Vote, submit


def test_progress_tells_how_far_and_whether_links_are_used(room):
    """Answers, median time, and the state of the link."""
    invite(room.project, room.raters["r1"])
    room.vote("r1", {showing.id: "Strong" for showing in room.showings("r1")[:5]})
    first, second = progress(room.project)
    assert (first.answered, first.total, first.median_ms, first.link) == (5, 13, 800, "open")
    assert (second.answered, second.median_ms, second.link) == (0, None, "none")
    assert (first.fast, second.fast) == (0, 0)
    hasty = Vote("hasty", room.showings("r2")[0].id, "Strong", 300, 0)
    submit(room.project, room.raters["r2"], [hasty])
    assert [row.fast for row in progress(room.project)] == [0, 1]
