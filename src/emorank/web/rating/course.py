"""The pages before and after the faces: examples, questions about the rater, the end."""

import math
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import JSONResponse, RedirectResponse, Response

from emorank.answers.scales import LEFT, RIGHT, TIE, Scale
from emorank.errors import RatingError
from emorank.room.demographics import read_answer, store_demographics
from emorank.room.protocol import Question
from emorank.room.stages import stage_of
from emorank.room.store import UnknownShowing, scale_of_project
from emorank.vocabulary import NONE
from emorank.web.rating.language import Language, language_of, page_in
from emorank.web.rating.rater import Key, picture_file
from emorank.web.visitors import Rater, TheProject, protocol_of

router = APIRouter(prefix="/rate")
# The questions that come with emorank, with their answers.
AGE, GENDER = "How old are you, in years?", "What is your gender?"
GENDERS = {"woman": "woman", "man": "man", "nonbinary": "non-binary", "other": "other"}


@dataclass(frozen=True)
class Asked:
    """A question, in the rater's language."""

    key: str
    kind: str
    words: str
    least: int
    most: int
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Example:
    """One picture, or the two of a pair, each with the words below it."""

    pictures: tuple[tuple[str, str], ...]


@router.get("/examples")
def examples(request: Request, project: TheProject, _: Rater) -> Response:
    """What the answers mean: pictures of each emotion, the weakest first, or pairs."""
    language, protocol = language_of(request), protocol_of(request)
    scale = scale_of_project(project)
    groups: dict[str, list[Example]] = {}
    for one in sorted(protocol.examples, key=lambda one: _strength(scale, one.expected)):
        words = _words_below(language, scale, one.expected)
        pictures = tuple(zip(one.pictures, words, strict=True))
        groups.setdefault(language.emotion(one.emotion), []).append(Example(pictures))
    title = language.own(protocol.title or project.about().title)
    return page_in(
        language, "rating/examples.html", title=title, groups=list(groups.items()), scale=scale
    )


def _strength(scale: Scale, expected: str) -> float:
    """Where an example stands among the others; that which is not the emotion is last."""
    if scale.kind == "levels":
        return (*scale.levels, NONE).index(expected)
    return float(expected.partition("-")[0]) if expected[:1].isdigit() else math.inf


def _words_below(language: Language, scale: Scale, expected: str) -> tuple[str, ...]:
    """The words below the picture of an example; of a pair those below each."""
    if scale.kind == "pairs":
        stronger, equal = str(language("stronger")), str(language("equally strong"))
        below = {LEFT: (stronger, ""), RIGHT: ("", stronger), TIE: (equal, equal)}
        return below[expected]
    if expected == NONE:
        return (str(language("Not this emotion")),)
    return (str(language(expected)) if scale.kind == "levels" else expected.replace("-", "–"),)


@router.get("/example/{image}")
def example(request: Request, project: TheProject, _: Rater, image: Key) -> Response:
    """The picture of an example, by its id."""
    if image not in {name for one in protocol_of(request).examples for name in one.pictures}:
        raise UnknownShowing("there is no such example")
    return picture_file(project.picture(image))


@router.get("/questions")
def questions(request: Request, project: TheProject, rater: Rater) -> Response:
    """The optional questions, once all faces are answered."""
    language, protocol = language_of(request), protocol_of(request)
    if stage_of(project, protocol, rater) != "questions":
        return RedirectResponse("/rate", 303)
    asked = [_asked(question, language) for question in protocol.demographics]
    title = language.own(protocol.title or project.about().title)
    return page_in(language, "rating/questions.html", title=title, questions=asked)


async def _sent(request: Request) -> FormData:
    return await request.form(max_files=0, max_fields=100)


@router.post("/questions")
def answer(
    request: Request,
    project: TheProject,
    rater: Rater,
    sent: Annotated[FormData, Depends(_sent)],
) -> Response:
    """Keep what the rater has answered."""
    protocol, language = protocol_of(request), language_of(request)
    if stage_of(project, protocol, rater) != "questions":
        return RedirectResponse("/rate", 303)
    answers: dict[str, str] = {}
    for question in protocol.demographics:
        try:
            text = sent.get(question.key, "")
            answers[question.key] = read_answer(_whole(question), str(text))
        except RatingError:
            detail = language("Please look at this answer again: {question}",
                              question=_asked(question, language).words)  # fmt: skip
            return JSONResponse({"detail": str(detail)}, 422)
    store_demographics(project, rater, answers)
    return RedirectResponse("/rate", 303)


@router.get("/done")
def done(request: Request, project: TheProject, rater: Rater) -> Response:
    """Thanks, the code, and the way back; only when everything is answered."""
    language, protocol = language_of(request), protocol_of(request)
    if stage_of(project, protocol, rater) != "done":
        return RedirectResponse("/rate", 303)
    end, title = protocol.completion, language.own(protocol.title or project.about().title)
    code, address = ("", "") if end is None else (end.code, end.address.replace("{code}", end.code))
    return page_in(language, "rating/done.html", title=title, code=code, address=address)


def _whole(question: Question) -> Question:
    """A question with the options that come with emorank, if it has none of its own."""
    if question.key == "gender" and question.kind == "choice" and not question.options:
        return Question("gender", "choice", question.words, options=dict(GENDERS))
    return question


def _asked(question: Question, language: Language) -> Asked:
    whole, standard = _whole(question), not question.options
    words = language.own(question.words)
    if not words:
        words = str(language(AGE if question.key == "age" else GENDER))
    options = tuple(
        (value, str(language(str(text))) if standard else language.own(text))
        for value, text in whole.options.items()
    )
    return Asked(whole.key, whole.kind, words, whole.least, whole.most, options)
