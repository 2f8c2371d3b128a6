"""The rater's page, and what its script needs: to get pictures and to store answers."""

import hashlib
import json
from pathlib import Path as FilePath
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse, Response

from emorank.answers.scales import LONGEST_NAME
from emorank.room.invites import PASS_LIFE, invite, leave
from emorank.room.project import Project
from emorank.room.raters import rater_name
from emorank.room.stages import begun, stage_of
from emorank.room.store import (
    Fate,
    Standing,
    Vote,
    image_of,
    practice,
    practice_standing,
    scale_of_project,
    showings,
    standing,
    submit,
)
from emorank.web.rating.language import language_of, page_in
from emorank.web.rating.script_words import script_words
from emorank.web.rating.served import served_of
from emorank.web.visitors import (
    Rater,
    TheOrigins,
    TheProject,
    cookie_name,
    protocol_of,
    session_of,
)

router = APIRouter(prefix="/rate")

MAX_VOTES, MAX_SHOWINGS = 100, 200  # in one request
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
Key = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{8,64}$")]  # of a picture, in an address
Answer = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]  # of the project's scale
Side = Literal["left", "right"]
# At most a day; the page sends a day for a longer time.
Milliseconds = Annotated[int, Field(ge=0, le=24 * 60 * 60 * 1000)]


class Submission(BaseModel):
    """One answer, as the page sends it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    id: Id
    showing: Id
    answer: Answer
    reaction_ms: Milliseconds
    hidden_ms: Milliseconds
    change: bool
    was: Answer | None = None
    shown_ms: Milliseconds | None = None
    times_shown: Annotated[int, Field(ge=1, le=10_000)] | None = None


class Batch(BaseModel):
    """Some answers, in the order in which the rater gave them."""

    model_config = ConfigDict(extra="forbid", strict=True)
    votes: list[Submission] = Field(min_length=1, max_length=MAX_VOTES)


class Showing(BaseModel):
    """A picture of the rater's order; `answer` is the rater's own.

    `rest` says that a break comes before it; `expected` is told in practice only, with the
    positions that count as expected where it is one of a slider.
    """

    position: int
    id: str
    emotion: str
    answer: str | None
    rest: bool = False
    expected: str | None = None
    limits: tuple[float, float] | None = None


class Showings(BaseModel):
    """Some pictures, and how far the rater is."""

    standing: Standing
    showings: list[Showing]


class Receipt(BaseModel):
    """What happened to each answer, in the order in which they were sent."""

    outcomes: list[Fate]


class Link(BaseModel):
    """A link that continues this rater's work elsewhere."""

    link: str


@router.get("")
def show(
    request: Request, project: TheProject, rater: Rater, seen: Annotated[str, Query()] = ""
) -> Response:
    """What the rater has to do now: examples, practice, faces, questions, or nothing more."""
    protocol = protocol_of(request)
    stage = stage_of(project, protocol, rater)
    if stage in ("questions", "done"):
        return RedirectResponse(f"/rate/{stage}", 303)
    if protocol.examples and seen != "examples" and not begun(project, rater):
        return RedirectResponse("/rate/examples", 303)
    return _faces(request, project, rater, practice=stage == "practice")


def _faces(request: Request, project: Project, rater: str, practice: bool) -> Response:
    """The page with the faces, which its script fetches.

    The browser keeps answers that are not stored yet under `keep`, a name for this rater here.
    """
    about, protocol, language = project.about(), protocol_of(request), language_of(request)
    question = language.own(protocol.question) or about.question
    before, _, after = language.catalogue.gettext(question).partition("{emotion}")
    keep = hashlib.sha256(f"answers of {rater}".encode()).hexdigest()[:16]
    exposure = protocol.exposure
    return page_in(
        language,
        "rating/rater.html",
        title=language.own(protocol.title or about.title),
        before=before,
        after=after,
        name=rater_name(project, rater),
        scale=scale_of_project(project),
        shortest_ms=about.shortest_ms,
        keep=keep,
        words=script_words(language),
        practice=practice,
        exposure="" if exposure is None else json.dumps(msgspec.structs.asdict(exposure)),
        examples=bool(protocol.examples),
        more=bool(protocol.demographics or protocol.completion),
    )


Start = Annotated[int | None, Query(ge=0, le=2**31 - 1)]
Count = Annotated[int, Query(ge=1, le=MAX_SHOWINGS)]


@router.get("/showings")
def upcoming(
    request: Request, project: TheProject, rater: Rater, start: Start = None, count: Count = 50
) -> Showings:
    """Pictures from a position on; from the first without an answer if none is given."""
    now, language, breaks = (
        standing(project, rater),
        language_of(request),
        protocol_of(request).breaks,
    )
    pictures = [
        Showing(
            position=row.position,
            id=row.id,
            emotion=language.emotion(row.emotion),
            answer=row.answer,
            rest=breaks is not None and row.position > 0 and row.position % breaks.every == 0,
        )
        for row in showings(project, rater, now.next if start is None else start, count)
    ]
    return Showings(standing=now, showings=pictures)


@router.get("/practice/showings")
def practising(
    request: Request, project: TheProject, rater: Rater, start: Start = None, count: Count = 50
) -> Showings:
    """The same of the pictures for practice."""
    now, language = practice_standing(project, rater), language_of(request)
    tells, scale = protocol_of(request).practice.feedback, scale_of_project(project)
    pictures = [
        Showing(
            position=row.position,
            id=row.id,
            emotion=language.emotion(row.emotion),
            answer=row.answer,
            expected=row.expected if tells else None,
            limits=scale.limits(row.expected) if tells else None,
        )
        for row in practice(project, rater, now.next if start is None else start, count)
    ]
    return Showings(standing=now, showings=pictures)


@router.get("/picture/{showing}")
def picture(
    request: Request, project: TheProject, rater: Rater, showing: Key, side: Side | None = None
) -> Response:
    """The picture of one of the rater's own showings; of a pair the one on this side."""
    image = image_of(project, rater, showing, side)
    served_of(request).note(showing)
    return picture_file(project.picture(image))


@router.post("/votes")
def store(request: Request, project: TheProject, rater: Rater, batch: Batch) -> Receipt:
    """Store answers; the server answers when they are on its disk."""
    served = served_of(request)
    votes = [
        Vote(submission=v.id, served_ms=served.since(v.showing), **v.model_dump(exclude={"id"}))
        for v in batch.votes
    ]
    return Receipt(outcomes=submit(project, rater, votes, session_of(request, owner=False)))


@router.post("/link")
def elsewhere(project: TheProject, rater: Rater, origins: TheOrigins) -> Link:
    """A link to go on in another browser; it works once, within a day."""
    return Link(link=f"{origins.base}/invite/{invite(project, rater, PASS_LIFE, origins.base)}")


@router.post("/leave")
def end(request: Request, project: TheProject, rater: Rater, origins: TheOrigins) -> Response:
    """End this session."""
    leave(project, session_of(request, owner=False))
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(cookie_name(request, owner=False), secure=origins.secure)
    return answer


def picture_file(path: FilePath) -> Response:
    """A picture that only this browser may keep.

    Not a FileResponse, because the time of a file gives away the order of the data set.
    """
    headers = {"Cache-Control": "private, max-age=86400, immutable"}
    return Response(path.read_bytes(), media_type="image/jpeg", headers=headers)
