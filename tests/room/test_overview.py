"""How far raters are."""

from emorank.room.invites import invite
from emorank.room.overview import answers, pictures, progress
from emorank.room.store import Vote, submit
from emorank.web.rating.panels import panels


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


def test_names_of_pictures_are_those_of_the_answers(make_room):
    """Also where a disk spells letters otherwise, or the question has a word of its own."""
    shown = [("happy/Zoe\u0308.png", "happy"), ("a/b#1.png", "Outrage")]
    room = make_room(shown=shown, repeats=0)
    room.vote_all("r1", lambda showing: "None")
    table = answers(room.project)
    assert {*zip(table["image"], table["emotion"], strict=True)} == pictures(room.project).keys()
    shown_again = panels(table, pictures(room.project))
    assert {case.name for case in shown_again.flagged} == {"happy/Zo\u00eb.png", "a/b#1.png"}
