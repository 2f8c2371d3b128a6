"""Links and sessions: once, in time, for one person; whatever the database."""

from dataclasses import replace

import pytest

from emorank.errors import RatingError
from emorank.room.invites import (
    INVITE_LIFE,
    PASS_LIFE,
    SESSION_LIFE,
    Visitor,
    addressee,
    claim,
    invite,
    invited,
    leave,
    move,
    printed_elsewhere,
    revoke,
    visitor,
)
from emorank.room.overview import log, progress
from emorank.room.raters import rater_id, rater_name


def at(project, ms):
    """The project at another time."""
    return replace(project, clock=lambda: ms / 1000)


def test_a_link_works_once(room):
    """Looking at it claims nothing; the session is its rater's."""
    rater = room.raters["r1"]
    secret = invite(room.project, rater)
    assert invited(room.project, secret) == Visitor(rater)
    session, person = claim(room.project, secret)
    assert person == Visitor(rater)
    assert not person.owner
    assert visitor(room.project, session) == person
    for again in (invited, claim):
        with pytest.raises(RatingError, match="used already"):
            again(room.project, secret)
    assert log(room.project)["kind"].tolist()[-2:] == ["invite", "claim"]


def test_links_and_sessions_end_in_time(room):
    """To the millisecond."""
    project = at(room.project, 10**12)
    secret = invite(project, None, PASS_LIFE)
    last = 10**12 + PASS_LIFE - 1
    with pytest.raises(RatingError):
        invited(at(project, last + 1), secret)
    assert invited(at(project, last), secret).owner
    session, _ = claim(at(project, last), secret)
    assert visitor(at(project, last + SESSION_LIFE - 1), session) == Visitor(None)
    assert visitor(at(project, last + SESSION_LIFE), session) is None
    assert tuple(days * 86_400_000 for days in (1, 30, 60)) == (
        PASS_LIFE,
        INVITE_LIFE,
        SESSION_LIFE,
    )


def test_a_new_link_replaces_the_old_one_of_the_same_person(room):
    """Not those of others, nor the sessions."""
    one, other = room.raters["r1"], room.raters["r2"]
    session, _ = claim(room.project, invite(room.project, one))
    old, foreign, owners = (invite(room.project, who) for who in (one, other, None))
    new = invite(room.project, one)
    with pytest.raises(RatingError):
        invited(room.project, old)
    for secret in (new, foreign, owners):
        invited(room.project, secret)
    assert visitor(room.project, session) == Visitor(one)


def test_the_owners_links_stay_until_they_are_withdrawn(room):
    """A server that starts makes another one; the one that was printed first still works."""
    printed, started = (invite(room.project, None) for _ in "ab")
    claim(room.project, started)
    assert invited(room.project, printed).owner
    revoke(room.project, None)
    with pytest.raises(RatingError):
        invited(room.project, printed)


def test_links_remember_what_they_began_with(room):
    """Open ones that begin otherwise than the server's address, by that address and person."""
    project, old = room.project, room.project.about().base_url
    for name in ("r2", "r1"):
        invite(project, room.raters[name])
    invite(project, None, base_url="https://b")
    claim(project, invite(project, room.raters["r2"]))
    assert printed_elsewhere(project, old) == {"https://b": ["the owner"]}
    move(project, "https://b")
    invite(project, room.raters["r2"])
    assert printed_elsewhere(project, "https://b") == {old: ["r1"]}
    move(project, "https://b")
    assert log(project)["kind"].tolist().count("move") == 1


def test_a_link_tells_whose_it_was(room):
    """Even when it works no more; nothing is known of others."""
    secret = invite(room.project, room.raters["r1"])
    claim(room.project, secret)
    assert addressee(room.project, secret) == Visitor(room.raters["r1"])
    assert addressee(room.project, "unknown") is None


def test_revoking_ends_links_and_sessions_of_one_person(room):
    """The owner's are ended apart from the raters'."""
    one, other = room.raters["r1"], room.raters["r2"]
    sessions = {
        who: claim(room.project, invite(room.project, who))[0] for who in (one, other, None)
    }
    link = invite(room.project, one)
    revoke(room.project, one)
    with pytest.raises(RatingError):
        claim(room.project, link)
    assert visitor(room.project, sessions[one]) is None
    assert visitor(room.project, sessions[other]) == Visitor(other)
    assert visitor(room.project, sessions[None]).owner
    revoke(room.project, None)
    assert visitor(room.project, sessions[None]) is None
    assert visitor(room.project, sessions[other]) == Visitor(other)


def test_leaving_ends_one_session(room):
    """Others of the same rater go on."""
    first, second = (claim(room.project, invite(room.project, room.raters["r1"]))[0] for _ in "ab")
    leave(room.project, first)
    assert visitor(room.project, first) is None
    assert visitor(room.project, second) is not None
    assert visitor(room.project, "unknown") is None


def test_the_state_of_links(room):
    """None, open, claimed, ended, revoked, expired: that of the newest link, or of a session."""
    rater = room.raters["r1"]

    def state(ms):
        return progress(at(room.project, ms))[0].link

    now = 10**12
    assert state(now) == "none"
    secret = invite(at(room.project, now), rater)
    assert state(now) == "open"
    assert state(now + INVITE_LIFE) == "expired"
    claim(at(room.project, now), secret)
    assert state(now + SESSION_LIFE - 1) == "claimed"
    assert state(now + SESSION_LIFE) == "ended"
    revoke(at(room.project, now), rater)
    invite(at(room.project, now + 1), rater)
    revoke(at(room.project, now + 2), rater)
    assert state(now + 3) == "revoked"


def test_raters_by_name(room):
    """An unknown name is answered with those that there are."""
    assert rater_name(room.project, rater_id(room.project, "r2")) == "r2"
    with pytest.raises(RatingError, match="there is no rater 'x'; there are r1, r2"):
        rater_id(room.project, "x")
