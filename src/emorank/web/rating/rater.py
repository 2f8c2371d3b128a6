"""The rater's page, and what its script needs: to get pictures and to store answers."""

import hashlib
from pathlib import Path as FilePath
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse, Response

from emorank.answers.scales import LONGEST_NAME
from emorank.room.invites import PASS_LIFE, invite, leave
from emorank.room.raters import rater_name
from emorank.room.store import (
    Fate,
    Standing,
    Vote,
    image_of,
    scale_of_project,
    showings,
    standing,
    submit,
)
from emorank.vocabulary import Emotion
from emorank.web.rating.served import served_of
from emorank.web.templating import page
from emorank.web.visitors import Rater, TheOrigins, TheProject, cookie_name, session_of

router = APIRouter(prefix="/rate")

# Emotions as nouns, for "does this face express …".
_NOUNS = {Emotion.HAPPY.value: "happiness"}
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


class Batch(BaseModel):
    """Some answers, in the order in which the rater gave them."""

    model_config = ConfigDict(extra="forbid", strict=True)
    votes: list[Submission] = Field(min_length=1, max_length=MAX_VOTES)


class Showing(BaseModel):
    """A picture of the rater's order; `answer` is the rater's own."""

    position: int
    id: str
    emotion: str
    answer: str | None


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
def show(project: TheProject, rater: Rater) -> Response:
    """The page; pictures are fetched by its script.

    The browser keeps answers that are not stored yet under `keep`, a name for this rater here.
    """
    about = project.about()
    before, _, after = about.question.partition("{emotion}")
    name = rater_name(project, rater)
    keep = hashlib.sha256(f"answers of {rater}".encode()).hexdigest()[:16]
    return page(
        "rating/rater.html",
        title=about.title,
        before=before,
        after=after,
        name=name,
        scale=scale_of_project(project),
        shortest_ms=about.shortest_ms,
        keep=keep,
    )


@router.get("/showings")
def upcoming(
    project: TheProject,
    rater: Rater,
    start: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None,
    count: Annotated[int, Query(ge=1, le=MAX_SHOWINGS)] = 50,
) -> Showings:
    """Pictures from a position on; from the first without an answer if none is given."""
    now = standing(project, rater)
    pictures = [
        Showing(position=row.position, id=row.id, emotion=word(row.emotion), answer=row.answer)
        for row in showings(project, rater, now.next if start is None else start, count)
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


def word(emotion: str) -> str:
    """The word for an emotion in a question."""
    return _NOUNS.get(emotion, emotion)


def picture_file(path: FilePath) -> Response:
    """A picture that only this browser may keep.

    Not a FileResponse, because the time of a file gives away the order of the data set.
    """
    headers = {"Cache-Control": "private, max-age=86400, immutable"}
    return Response(path.read_bytes(), media_type="image/jpeg", headers=headers)
