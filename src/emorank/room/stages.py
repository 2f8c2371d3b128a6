"""Where in the course of a study a rater is."""

from typing import Literal

from emorank.room.consent import has_agreed
from emorank.room.demographics import answered
from emorank.room.project import Project
from emorank.room.protocol import Protocol
from emorank.room.store import standing
from emorank.room.trials import tally

Stage = Literal["consent", "practice", "rating", "questions", "done"]


def stage_of(project: Project, protocol: Protocol, rater: str) -> Stage:
    """What a rater (id) has to do next; "rating" too when all is answered and nothing follows."""
    with project.database.reading() as connection:
        if protocol.consent is not None and not has_agreed(connection, rater):
            return "consent"
        trials, done, _ = tally(connection, rater, "practice")
    if done < trials:
        return "practice"
    now = standing(project, rater)
    if now.answered < now.total or not (protocol.demographics or protocol.completion):
        return "rating"
    if protocol.demographics and not answered(project, rater):
        return "questions"
    return "done"


def begun(project: Project, rater: str) -> bool:
    """Whether a rater has answered anything, in practice or in the study."""
    with project.database.reading() as connection:
        practised = tally(connection, rater, "practice")[1]
    return practised > 0 or standing(project, rater).answered > 0
