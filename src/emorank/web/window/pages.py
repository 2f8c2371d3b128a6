"""The page that reads pictures, and what its scripts ask for."""

import base64
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from emorank import heatmaps
from emorank.errors import PlanError
from emorank.framing import BOX
from emorank.printable import printable
from emorank.relevance import PRESETS
from emorank.room.address import THIS_MACHINE
from emorank.vocabulary import LEVELS, Emotion
from emorank.web.templating import page, text
from emorank.web.window.answering import AnsweringRoute, while_open
from emorank.web.window.panel import panel
from emorank.web.window.readings import Question, readings_of
from emorank.web.window.row_files import as_csv, as_json
from emorank.web.window.shelf import Answer, ShownPicture

router = APIRouter(route_class=AnsweringRoute)
PLANES = {"all": None, "red": 0, "green": 1, "blue": 2}
MOST = 2000  # faces of one table, pictures that are forgotten at once
_LONGEST = 200  # characters of a name

Id = Annotated[str, Path(pattern=r"^[\w-]{16,32}$")]
Ids = Annotated[list[Annotated[str, Field(max_length=32)]], Field(min_length=1, max_length=MOST)]
Channel = Literal["all", "red", "green", "blue"]
_FILES = {"json": ("application/json", as_json), "csv": ("text/csv; charset=utf-8", as_csv)}


class Wish(BaseModel):
    """What one wants to know of a face, as the page sends it; what is left out is as usual."""

    model_config = ConfigDict(extra="forbid")
    expression: Emotion | None = None
    against: Emotion | Literal["nothing"] | None = None
    preset: str | None = Field(None, max_length=40)
    channel: Channel = "all"

    def question(self) -> Question:
        """The same as the network is asked it; a PlanError if there is no such preset."""
        if self.preset not in (None, *PRESETS):
            raise PlanError(f"'{self.preset}' is no preset; expected one of {', '.join(PRESETS)}")
        alone = self.against == "nothing"
        against = None if alone or self.against is None else Emotion(self.against)
        return Question(self.expression, against, alone, self.preset)


class Table(BaseModel):
    """Which faces a table is to have, in this order."""

    model_config = ConfigDict(extra="forbid")
    faces: Ids


class Gone(BaseModel):
    """Which pictures are to be forgotten."""

    model_config = ConfigDict(extra="forbid")
    pictures: Ids


@router.get("/", include_in_schema=False)
async def window(request: Request) -> Response:
    """The page; its script asks for the example."""
    readings, origins = readings_of(request), request.app.state.origins
    network = readings.desk.network
    own = isinstance(network.heatmap, str)
    return page(
        "window/window.html",
        title="emorank: read a face",
        here=urlsplit(origins.base).hostname in THIS_MACHINE,
        base=origins.base,
        kept=readings.keep is not None,
        most=readings.desk.decoders.limits.bytes,
        classes=[one for one in Emotion if one in network.classes],
        neutral=Emotion.NEUTRAL if network.knows_neutral else None,
        presets=[name for name in PRESETS if name != network.heatmap],
        preset=network.heatmap if own else "the study's own",
        levels=LEVELS,
    )


@router.get("/window/example", include_in_schema=False)
async def example(request: Request) -> dict[str, Any]:
    """A rendered face, read like any other picture."""
    picture = await readings_of(request).example()
    return _described(picture) | {"note": "Rendered: this person does not exist."}


@router.post("/window/pictures", include_in_schema=False)
async def take(
    request: Request, name: Annotated[str, Query(max_length=1000)] = "a picture"
) -> dict[str, Any]:
    """Read the picture whose file is the body of the request."""
    called = printable(name)[-_LONGEST:].strip() or "a picture"
    reading = readings_of(request).read(await request.body(), called)
    return _described(await while_open(request, reading))


@router.post("/window/forget", include_in_schema=False)
async def forget(request: Request, gone: Gone) -> dict[str, str]:
    """Take pictures out of the memory."""
    for name in gone.pictures:
        readings_of(request).shelf.forget(name)
    return {"status": "forgotten"}


@router.get("/window/pictures/{name}.jpg", include_in_schema=False)
async def whole(request: Request, name: Id) -> Response:
    """A picture, upright, not larger than a screen."""
    return Response(readings_of(request).shelf.picture(name).jpeg, media_type="image/jpeg")


@router.get("/window/faces/{name}/pixels.jpg", include_in_schema=False)
async def pixels(request: Request, name: Id) -> Response:
    """What the network saw of a face."""
    seen = readings_of(request).shelf.face(name).view.pixels
    return Response(heatmaps.jpeg(seen), media_type="image/jpeg")


@router.get("/window/faces/{name}", include_in_schema=False)
async def face(request: Request, name: Id, wish: Annotated[Wish, Query()]) -> dict[str, Any]:
    """What is said of a face, as a piece of the page, and its heatmap."""
    readings = readings_of(request)
    asking = readings.answer(readings.shelf.face(name), wish.question())
    answer = await while_open(request, asking)
    classes, asked = readings.desk.network.classes, wish.expression is not None
    shown = panel(answer, tuple(readings.ranks), classes, asked=asked)
    heatmap, scale = _heatmap(answer, wish.channel)
    return {
        "html": text(
            "window/face.html", face=shown, levels=LEVELS, channel=wish.channel, scale=scale
        ),
        "heatmap": "data:image/png;base64," + base64.b64encode(heatmap).decode(),
        "expressed": answer.face.row["expressed"],
        "against": answer.against or "nothing",
        "sentence": answer.face.sentence,
    }


@router.get("/window/faces/{name}/figure.png", include_in_schema=False)
async def figure(request: Request, name: Id, wish: Annotated[Wish, Query()]) -> Response:
    """The figure of a face, as `emorank explain` draws it."""
    readings = readings_of(request)
    drawing = readings.figure(readings.shelf.face(name), wish.question())
    drawn = await while_open(request, drawing)
    return Response(drawn, media_type="image/png")


@router.get("/window/faces/{name}/row.{kind}", include_in_schema=False)
async def row(
    request: Request, name: Id, kind: Literal["json", "csv"], wish: Annotated[Wish, Query()]
) -> Response:
    """The row of a face by every rank at hand."""
    readings = readings_of(request)
    answer = await readings.answer(readings.shelf.face(name), wish.question())
    return _file([answer.face.row], kind)


@router.post("/window/rows.{kind}", include_in_schema=False)
async def rows(request: Request, kind: Literal["json", "csv"], table: Table) -> Response:
    """The rows of several faces by the first rank, as a file."""
    shelf = readings_of(request).shelf
    return _file([shelf.face(name).row for name in table.faces], kind)


def _file(found: list[dict[str, Any]], kind: str) -> Response:
    media, write = _FILES[kind]
    return Response(write(found), media_type=media)


def _described(picture: ShownPicture) -> dict[str, Any]:
    """A picture and its faces, as the page's script needs them; boxes are shares of the sides."""
    sides = (picture.width, picture.height) * 2
    faces = [
        {
            "id": one.id,
            "number": one.row["face"],
            "box": [one.row[edge] / side for edge, side in zip(BOX, sides, strict=True)]
            if BOX[0] in one.row
            else None,
            "named": one.row["predicted"],
            "level": one.row["rank"] or "unsure",
            "score": None if one.row["score"] != one.row["score"] else one.row["score"],
        }
        for one in picture.faces
    ]
    return {
        "id": picture.id,
        "name": picture.name,
        "width": picture.width,
        "height": picture.height,
        "faces": faces,
    }


def _heatmap(answer: Answer, channel: Channel) -> tuple[bytes, str]:
    """Of all channels or of one, to be laid over the face, as PNG; and what its colours mean."""
    (relevance,) = answer.explanation.maps.values()
    at = PLANES[channel]
    plane = relevance.sum(axis=0) if at is None else relevance[at]
    # As in the figures: the channels share one scale, their sum has its own.
    scale = heatmaps.scale(plane if at is None else relevance)
    return heatmaps.png(heatmaps.glass(plane, scale.full)), str(scale)
