"""Which controls of a Label Studio export hold the answers, and the answer in each result.

A control is one element of the labeling configuration, such as `<Choices name="intensity">`; each
result of an annotation names its control (`from_name`), its type and its value. An export does not
say which control the ranks are in.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from emorank.answers.answers_table import RANKS
from emorank.answers.declared import Declared
from emorank.answers.tabular import quoted
from emorank.errors import VotesError
from emorank.vocabulary import emotion_of

_NUMBERS = ("rating", "number")
_HINT = "say what words and numbers mean with --map or --cut, and which control with --control"


class Result(msgspec.Struct):
    """What a rater gave with one control; `id` is that of the region, if it is on one."""

    type: str = ""
    from_name: str = ""
    value: Any = None
    id: Any = None


@dataclass(frozen=True)
class Controls:
    """The controls to read.

    Attributes:
        answers: names of those that hold answers; several only if each is named after an emotion.
        emotion: name of the one in which raters say which emotion they see; None if there is none.
    """

    answers: tuple[str, ...]
    emotion: str | None = None


def find_controls(results: Sequence[tuple[str, Result]], declared: Declared) -> Controls:
    """The controls that hold answers, of all results of an export with their places.

    Raises:
        VotesError: there is none, or there are several and `declared` chooses none of them.
    """
    used: dict[str, list[tuple[str, Result]]] = {}
    for place, result in results:
        used.setdefault(result.from_name, []).append((place, result))
    if declared.control and used and declared.control not in used:
        raise VotesError(f"there is no control '{declared.control}'; there are {_listed(used)}")
    named = [name for name in used if emotion_of(name)]
    able = [name for name, given in used.items() if name in named or _may_answer(given, declared)]
    others = [name for name in used if name not in able and _has_other_words(used[name])]
    if declared.control:
        able = [declared.control]
    elif able and able != named:
        # A number, or None, beside words that are not understood: those may be the ranks.
        unsure = others and not _names_ranks(used[able[0]], declared)
        may = {name: used[name] for name in (*able, *(others if unsure else ()))}
        if len(may) > 1:
            raise VotesError(
                f"several controls may hold the answers: {_listed(may)}; choose one with --control"
            )
    elif used and not able:
        place, first = results[0]
        try:
            answer_in(first, place, declared)
        except VotesError as error:
            raise VotesError(f"{error}. No control holds ranks: {_listed(used)}; {_HINT}") from None
    say = [name for name in used if name not in able and _say_emotions(used[name])]
    return Controls(tuple(sorted(able)), say[0] if len(say) == 1 else None)


def answer_in(result: Result, place: str, declared: Declared) -> str:
    """The answer in a result.

    Raises:
        VotesError: its type holds no answer, or its value is none; it names task, control, type.
    """
    where = f"{place}: control '{result.from_name}' ({result.type or 'no type'})"
    value = result.value.get(result.type) if isinstance(result.value, dict) else None
    try:
        if result.type in _NUMBERS and isinstance(value, int | float):
            return declared.number(value)
        if result.type == "choices":
            return declared.answer(_choice(result))
    except VotesError as error:
        raise VotesError(f"{where}: {error}") from None
    raise VotesError(
        f"{where}: expected a choice, or a rating or number with --cut or --map; this type of "
        "result holds no rank"
    )


def check_regions(results: Sequence[Result], answers: Collection[str], where: str) -> None:
    """Raise a VotesError if answers of one task are on different regions of its image.

    A region may be in a result of another control, which has the same id as the answer.
    """
    drawn = {str(one.id): one.value for one in results if _is_region(one.value)}
    on = [one for one in results if one.from_name in answers]
    of_another = {str(one.id) for one in on if one.id is not None} & drawn.keys()
    regions = {str(one.id): one.value for one in on if _is_region(one.value)}
    regions |= {name: drawn[name] for name in of_another - regions.keys()}
    first = next(iter(regions.values()), None)
    if any(not _overlap(first, other) for other in [*regions.values()][1:]):
        raise VotesError(
            f"{where}: answers on {len(regions)} regions, which are different faces; expected one "
            "face for each task. Cut each face out as an image of its own"
        )


def emotion_in(result: Result) -> str | None:
    """The emotion that a result names; None if it names none."""
    try:
        return emotion_of(_choice(result)) if result.type == "choices" else None
    except VotesError:
        return None


def _is_region(value: Any) -> bool:
    return isinstance(value, dict) and bool({"x", "points", "rle"} & value.keys())


def _overlap(one: Any, other: Any) -> bool:
    """Whether two rectangles have a point in common; other regions cannot be compared."""
    try:
        return all(
            one[start] < other[start] + other[length] and other[start] < one[start] + one[length]
            for start, length in (("x", "width"), ("y", "height"))
        )
    except (KeyError, TypeError):
        return False


def _choice(result: Result) -> str:
    """The only choice in a result."""
    choices = result.value.get("choices") if isinstance(result.value, dict) else result.value
    if isinstance(choices, list) and len(choices) == 1 and isinstance(choices[0], str):
        return choices[0]
    raise VotesError(f"expected one choice, came {choices!r:.60}")


def _may_answer(given: Sequence[tuple[str, Result]], declared: Declared) -> bool:
    """Whether a control may hold ranks; a number may always, once its meaning is declared."""
    for place, result in given:
        if result.type in _NUMBERS:
            return True
        try:
            answer_in(result, place, declared)
        except VotesError:
            continue
        return True
    return False


def _names_ranks(given: Sequence[tuple[str, Result]], declared: Declared) -> bool:
    """Whether some word of a control names a rank, which a number or None alone does not."""
    for _, result in given:
        try:
            word = _choice(result)
            if declared.answer(word) in RANKS and not word.strip()[:1].isdecimal():
                return True
        except VotesError:
            continue
    return False


def _has_other_words(given: Sequence[tuple[str, Result]]) -> bool:
    """Whether a control has choices that are not all emotions."""
    return any(result.type == "choices" for _, result in given) and not _say_emotions(given)


def _say_emotions(given: Sequence[tuple[str, Result]]) -> bool:
    return all(emotion_in(result) is not None for _, result in given)


def _listed(used: dict[str, list[tuple[str, Result]]]) -> str:
    """Controls with their types, the first words in them, and where they are used first."""
    return "; ".join(f"'{name}' ({_described(given)})" for name, given in list(used.items())[:8])


def _described(given: Sequence[tuple[str, Result]]) -> str:
    types = ", ".join(sorted({result.type or "no type" for _, result in given}))
    words: dict[str, None] = {}
    for _, result in given:
        value = result.value.get(result.type) if isinstance(result.value, dict) else None
        for word in value if isinstance(value, list) else [value]:
            if isinstance(word, str | int | float):
                words[quoted(str(word))] = None
    seen = ": " + ", ".join(list(words)[:5]) if words else ""
    return f"{types}{seen}; first in {given[0][0]}"
