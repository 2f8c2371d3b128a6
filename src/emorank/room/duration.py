"""How long a study takes a rater: as the page behind the link announces it, and as it was."""

import math
from itertools import pairwise
from statistics import median

from sqlalchemy import func, select

from emorank.room.project import Project
from emorank.room.protocol import Protocol
from emorank.room.schema import EVENTS, SHOWINGS, VOTES

# Our guesses for people who are in no hurry; the study declares the time for a face itself.
CHARACTERS = 1000  # of the information that are read in a minute: about 180 English words
IDEOGRAPH = 4  # characters of other scripts that take as long to read as a Chinese one
FEEDBACK, EXAMPLE, QUESTION, BREAK = 2, 3, 10, 15  # seconds


def minutes(protocol: Protocol, faces: int, information: str = "") -> int:
    """Whole minutes, rounded up, for so many faces, practice and checks among them.

    Besides there is time for reading the `information`, for examples, feedback in practice, breaks
    and the questions about the rater.
    """
    practice = len(protocol.practice.faces)
    seconds = faces * protocol.trial_ms / 1000
    seconds += len(protocol.examples) * EXAMPLE + len(protocol.demographics) * QUESTION
    if protocol.practice.feedback:
        seconds += practice * FEEDBACK
    if protocol.breaks is not None:
        seconds += max(faces - practice - 1, 0) // protocol.breaks.every * BREAK
    length = sum(IDEOGRAPH if "\u3040" <= sign <= "\ud7ff" else 1 for sign in information)
    return math.ceil((seconds + 60 * length / CHARACTERS) / 60)


PAUSE = 5 * 60 * 1000  # ms between two events; whoever does nothing for longer was away
_DONE = ("claim", "arrive", "consent", "practice", "check", "vote", "change")


def minutes_taken(project: Project) -> tuple[int, float] | None:
    """How many raters have answered everything, and the median of the minutes that it took them.

    From coming in to the last answer, by the server's clock, without pauses; None if nobody has.
    """
    counts = (
        select(SHOWINGS.c.rater_id)
        .outerjoin(VOTES, VOTES.c.showing_id == SHOWINGS.c.id)
        .group_by(SHOWINGS.c.rater_id)
        .having(func.count(SHOWINGS.c.id) == func.count(VOTES.c.seq))
    )
    events = (
        select(EVENTS.c.rater_id, EVENTS.c.at, EVENTS.c.kind)
        .where(EVENTS.c.rater_id.in_(counts), EVENTS.c.kind.in_((*_DONE, "import")))
        .order_by(EVENTS.c.seq)
    )
    times: dict[str, list[int]] = {}
    elsewhere = set()
    with project.database.reading() as connection:
        for row in connection.execute(events):
            times.setdefault(row.rater_id, []).append(row.at)
            if row.kind == "import":
                elsewhere.add(row.rater_id)
    lengths = [
        sum(later - earlier for earlier, later in pairwise(mine) if 0 <= later - earlier <= PAUSE)
        for rater, mine in times.items()
        if rater not in elsewhere
    ]
    return (len(lengths), median(lengths) / 60_000) if lengths else None
