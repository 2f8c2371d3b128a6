"""The rater's page, and what its script asks for: pictures to come, and answers to store."""

from pathlib import Path as FilePath
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse, Response

from emorank.room.invites import PASS_LIFE, invite, leave
from emorank.room.raters import rater_name
from emorank.room.store import Standing, Vote, image_of, showings, standing, submit
from emorank.web.templating import page, word
from emorank.web.visitors import Rater, TheOrigins, TheProject, cookie_name, session_of

router = APIRouter(prefix="/rate")

MAX_VOTES, MAX_SHOWINGS = 100, 200  # in one request
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
Key = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{8,64}$")]  # of a picture, in an address
# A day; what stood longer on the screen is told as a day.
Milliseconds = Annotated[int, Field(ge=0, le=24 * 60 * 60 * 1000)]


class Sent(BaseModel):
    """One answer, as the page sends it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    id: Id
    showing: Id
    answer: Literal["Minimal", "Average", "Strong", "None", "Skip"]
    reaction_ms: Milliseconds
    hidden_ms: Milliseconds
    change: bool


class Batch(BaseModel):
    """Some answers, in the order in which they were given."""

    model_config = ConfigDict(extra="forbid", strict=True)
    votes: list[Sent] = Field(min_length=1, max_length=MAX_VOTES)


class Where(BaseModel):
    """How far the rater is."""

    total: int
    answered: int
    next: int
    pace_ms: int | None
    closed: bool


class Showing(BaseModel):
    """A picture to come, or one that was; `answer` is the rater's own."""

    position: int
    id: str
    emotion: str
    answer: str | None


class Showings(BaseModel):
    """Some pictures, and how far the rater is."""

    standing: Where
    showings: list[Showing]


class Stored(BaseModel):
    """What became of each answer, in the order in which they were sent."""

    outcomes: list[Literal["stored", "stale"]]


class Link(BaseModel):
    """A link that continues this rater's work elsewhere."""

    link: str


@router.get("")
def show(project: TheProject, rater: Rater) -> Response:
    """The page; pictures are fetched by its script."""
    about = project.about()
    before, _, after = about.question.partition("{emotion}")
    return page(
        "rate.html", title=about.title, before=before, after=after, name=rater_name(project, rater)
    )


@router.get("/showings")
def upcoming(
    project: TheProject,
    rater: Rater,
    start: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None,
    count: Annotated[int, Query(ge=1, le=MAX_SHOWINGS)] = 50,
) -> Showings:
    """Pictures from a position on; from the first without an answer if none is given."""
    where = standing(project, rater)
    rows = showings(project, rater, where.next if start is None else start, count)
    return Showings(
        standing=_where(where),
        showings=[
            Showing(position=row.position, id=row.id, emotion=word(row.emotion), answer=row.answer)
            for row in rows
        ],
    )


@router.get("/picture/{showing}")
def picture(project: TheProject, rater: Rater, showing: Key) -> Response:
    """The picture of one of the rater's own showings."""
    return picture_file(project.picture(image_of(project, rater, showing)))


@router.post("/votes")
def store(project: TheProject, rater: Rater, batch: Batch) -> Stored:
    """Store answers; they are on the disk when this is answered."""
    votes = [
        Vote(v.id, v.showing, v.answer, v.reaction_ms, v.hidden_ms, v.change) for v in batch.votes
    ]
    return Stored(outcomes=submit(project, rater, votes))


@router.post("/link")
def elsewhere(project: TheProject, rater: Rater, known: TheOrigins) -> Link:
    """A link, good for one claim within a day, to go on with another browser."""
    return Link(link=f"{known.base}/invite/{invite(project, rater, PASS_LIFE)}")


@router.post("/leave")
def end(request: Request, project: TheProject, rater: Rater, known: TheOrigins) -> Response:
    """End this session."""
    leave(project, session_of(request, owner=False))
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(cookie_name(request, owner=False), secure=known.secure)
    return answer


def picture_file(path: FilePath) -> Response:
    """A picture, its type said and kept by this browser only.

    Not a FileResponse: the time of the file would tell in which order the data set has them.
    """
    headers = {"Cache-Control": "private, max-age=86400, immutable"}
    return Response(path.read_bytes(), media_type="image/jpeg", headers=headers)


def _where(found: Standing) -> Where:
    return Where(
        total=found.total,
        answered=found.answered,
        next=found.next,
        pace_ms=found.pace_ms,
        closed=found.closed,
    )
