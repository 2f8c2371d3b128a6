"""How long a study takes a rater, as the page behind the link announces it."""

import math

from emorank.room.protocol import Protocol

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
