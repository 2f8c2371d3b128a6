"""The words of the rater's scripts, handed over with the page."""

import json

from emorank.web.rating.language import Language

# {…} are filled in by the scripts.
WORDS = {
    "picture": "Picture {number} of {total}",
    "progress": "{number} of {total}",
    "face": "The face to rate, picture {number}",
    "leftFace": "The left face of pair {number}",
    "rightFace": "The right face of pair {number}",
    "spoken": "{emotion}, picture {number} of {total}",
    "spokenAnswered": "{emotion}, picture {number} of {total}, answered {answer}",
    "minute": "less than a minute left",
    "minutes": "about {number} min left",
    "hours": "about {number} h left",
    "kept": "Answers not stored yet: {count}. This browser keeps them.",
    "unkept": "Answers not stored yet: {count}. Leave this page open.",
    "offline": "No network …",
    "slow": "Waiting for the server …",
    "silent": "The server does not answer. Please try again.",
    "storing": "storing {count} …",
    "elsewhere": "You went on elsewhere meanwhile; this is where you are.",
    "tooSoon": "An answer came too soon after its picture and was not stored; please answer again.",
    "sending": "Sending the answers that this browser has kept …",
    "nextStored": "The next picture comes when your answers are stored …",
    "loading": "Waiting for the picture …",
    "lastStored": "Storing your last answers …",
    "closed": "This rating is closed",
    "closedText": "No more answers are taken. What you gave is stored. Thank you.",
    "signOut": "Sign out when they are stored.",
    "asExpected": "Yes: this face is an example of “{level}”.",
    "notAsExpected": "This face is meant as an example of “{level}”.",
    "asAwaited": "Yes: “{level}” was expected.",
    "notAsAwaited": "Here “{level}” was expected.",
    "rest": "{number} of {total} pictures are done. Rest your eyes for a moment.",
}


def script_words(_: Language) -> str:
    """The words in a language, as JSON."""
    return json.dumps({key: str(_(text)) for key, text in WORDS.items()}, ensure_ascii=False)
