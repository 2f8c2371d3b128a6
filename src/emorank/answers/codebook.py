"""The data dictionary: what each column of an exported table means."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from emorank.answers.scales import TOP, Scale


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        type: "text", "whole number", "number", "yes or no" or "time".
        unit: "ms", "CSS pixels", …; empty without one.
        levels: the values that there are, as (value, meaning); empty if any value may be there.
        missing: what an empty cell means; empty if there is none.
    """

    name: str
    type: str
    meaning: str
    unit: str = ""
    levels: tuple[tuple[str, str], ...] = ()
    missing: str = ""


_BOOL = (("true", "yes"), ("false", "no"))
_COMMON = (
    Column("image", "text", "the image's name in the data set"),
    Column("emotion", "text", "the emotion that was asked for", missing="not known"),
    Column("rater", "text", "who answered: a name that the owner gave, or forgotten rater 1, 2 …"),
    Column("repeat", "yes or no", "whether this was the second showing of the same face or pair to "
           "this rater", levels=_BOOL),
    Column("reaction_ms", "whole number", "from the painted picture to the answer, without "
           "hidden_ms", "ms", missing="not measured"),
    Column("hidden_ms", "whole number", "how long the page was hidden meanwhile", "ms",
           missing="not measured"),
    Column("shortest_ms", "whole number", "the shortest viewing time then: earlier answers did not "
           "count", "ms", missing="there was none, or it is not known"),
    Column("exposure_ms", "whole number", "how long the face was to be seen", "ms",
           missing="until the answer"),
    Column("shown_ms", "whole number", "how long the face was seen, as the browser measured", "ms",
           missing="until the answer"),
    Column("times_shown", "whole number", "how often the face began to be shown for that time; "
           "more than once where the page was loaded again, hidden or covered before the answer",
           missing="until the answer, or not known"),
    Column("at", "time", "when the server stored the answer, ISO 8601", "UTC", missing="not known"),
)  # fmt: skip
_PAIRS = (
    Column("first", "text", "one face of the pair; first and second are the same for all raters"),
    Column("second", "text", "the other face of the pair"),
    Column("left", "text", "the face that stood on the left"),
    Column("stronger", "text", "the face that was chosen; Tie for equally strong",
           missing="skipped"),
)  # fmt: skip
_DISPLAYS = (
    Column("display", "whole number", "number of the display, as in the log"),
    Column("number", "whole number", "number of the display, as in the log"),
    Column("since", "time", "from when on the session had this display, ISO 8601", "UTC"),
    Column("session", "whole number", "number of the session"),
    Column("theme", "text", "the theme that the browser prefers",
           levels=(("light", "light"), ("dark", "dark"))),
    Column("width", "whole number", "of the window", "CSS pixels"),
    Column("height", "whole number", "of the window", "CSS pixels"),
    Column("pixel_ratio", "number", "pixels of the screen per CSS pixel"),
    Column("face_px", "whole number", "side of the square in which faces were shown", "CSS pixels"),
    Column("pointer", "text", "what the rater pointed with",
           levels=(("mouse", "mouse"), ("touch", "touch"), ("none", "neither"))),
    Column("browser", "text", "family of browser, and system"),
    Column("face_size", "whole number", "what the project asked for", "CSS pixels",
           missing="as large as the window allowed"),
    Column("background", "text", "of the page, #rrggbb", missing="of the rater's theme"),
)  # fmt: skip
_LOG = (
    Column("seq", "whole number", "order of events"),
    Column("kind", "text", "what happened: vote, change, import, invite, claim, revoke, close, …"),
    Column("detail", "text", "what else the event is about", missing="nothing else"),
)
_SCORES = (
    Column("score", "number", "of a face: mean of numbers, or Bradley-Terry score in logits",
           missing="no rating"),
    Column("low", "number", "lower end of the 95 % interval", missing="fewer than two ratings"),
    Column("high", "number", "upper end of the 95 % interval", missing="fewer than two ratings"),
    Column("error", "number", "standard error of the score", missing="fewer than two ratings"),
    Column("n", "whole number", "ratings, or comparisons"),
    Column("median", "number", "of the ratings", missing="no rating"),
    Column("n_none", "whole number", "raters who said that the face does not express the emotion"),
    Column("group", "whole number", "faces of one emotion with the same number can be compared"),
    Column("score_without", "number", "the score without the raters whom the rule leaves out",
           missing="no rating is left"),
)  # fmt: skip
_COURSE = (
    Column("position", "whole number", "place among the rater's pictures, from 0"),
    Column("expected", "text", "the answer that the study expects"),
    Column("passed", "yes or no", "whether the answer was the expected one", levels=_BOOL),
    Column("language", "text", "of the rater's pages, as a code"),
    Column("text_hash", "text", "SHA-256 of the text that the rater agreed to"),
)
OWN = "of this project; its owner knows what it means"
_PEOPLE = (
    Column("subject_id", "text", "the rater: a number without a name"),
    Column("answers", "whole number", "that the rater gave, repeats too"),
    Column("total", "whole number", "pictures that the rater was to answer, repeats too"),
    Column("person", "text", "who is on the image", missing="not known"),
)


def codebook(columns: Iterable[str], scale: Scale) -> tuple[Column, ...]:
    """What each of these columns means, for a project with this scale; `OWN` if not known."""
    tables = (*_COMMON, *_PAIRS, *_DISPLAYS, *_LOG, *_SCORES, *_COURSE, *_PEOPLE)
    known = {column.name: column for column in tables}
    known |= {column.name: column for column in (_answer(scale), _value(scale))}
    return tuple(known.get(name) or Column(name, "text", OWN) for name in columns)


def as_json(columns: Iterable[Column]) -> str:
    """The dictionary as JSON."""
    rows = [
        asdict(one) | {"levels": [{"value": v, "meaning": m} for v, m in one.levels]}
        for one in columns
    ]
    values = {"emorank": "codebook", "columns": rows}
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def as_markdown(columns: Iterable[Column], title: str) -> str:
    """The dictionary as a table for people."""
    lines = [f"# {title}", "", "| column | type | unit | meaning | values | empty |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for one in columns:
        levels = "; ".join(v if v == m else f"{v}: {m}" for v, m in one.levels)
        cells = (f"`{one.name}`", one.type, one.unit, one.meaning, levels, one.missing)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, ""])


def _answer(scale: Scale) -> Column:
    meanings = {
        "None": "the face does not express the emotion at all",
        "Skip": "no answer to the question",
        "Left": "the left face is stronger",
        "Right": "the right face is stronger",
        "Tie": "both are equally strong",
    }
    ranks = {word: f"level {n} of {len(scale.levels)}, weakest first"
             for n, word in enumerate(scale.levels, start=1)}  # fmt: skip
    levels = tuple((word, (ranks | meanings)[word]) for word in scale.words)
    if scale.kind == "slider":
        position = f"position on the slider: 0 not at all, {TOP} as strongly as possible"
        levels = ((f"0 to {TOP}", position), *levels)
    return Column("answer", "text", "the rater's answer", levels=levels)


def _value(scale: Scale) -> Column:
    if scale.kind == "slider":
        return Column("value", "number", f"position from 0 to {TOP}", missing="None or Skip")
    most = len(scale.levels)
    return Column("value", "number", f"the level as a number from 1 to {most}",
                  missing="None or Skip")  # fmt: skip
