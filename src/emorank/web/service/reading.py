"""From the pictures of a request to rows and explanations, in turn with everybody else's."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import numpy as np
from fastapi import Request
from jaxtyping import UInt8

from emorank.errors import ImageError, PlanError
from emorank.framing import View
from emorank.reading.reader import Reader
from emorank.web.desk import Desk
from emorank.web.service.answers import FRAMINGS, ExplanationQuery, FacesQuery
from emorank.web.service.explaining import explain
from emorank.web.service.networks import name_of
from emorank.web.service.problems import ProblemError
from emorank.web.service.rows import plain
from emorank.web.service.uploads import Upload

SECONDS = 120.0
"""How long a request may take, its waiting included."""
T = TypeVar("T")
Pixels = UInt8[np.ndarray, "height width 3"]


async def while_waited_for(request: Request, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of some work; None where nobody waits for it any more, and the work is given up.

    Raises:
        ProblemError: it took too long.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((task, gone), timeout=SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        if gone.done():
            return None
        raise ProblemError("unavailable", f"the answer was not ready within {SECONDS:g} seconds")
    finally:
        for one in (task, gone):
            one.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _gone(request: Request) -> None:
    """Wait until the client has hung up; the body has been read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def read_faces(desk: Desk, query: FacesQuery, found: list[Upload]) -> dict[str, Any]:
    """What is answered of some pictures, each decoded when the one before it is done.

    Raises:
        ProblemError: none of them can be read.
    """
    check_crop(query.crop)
    reader = await asyncio.to_thread(desk.reader, query.rank, query.emotion)
    async with desk.seat():
        pictures = [await _of_one(desk, reader, query, one) for one in found]
    if all(picture["width"] is None for picture in pictures):
        reasons = {picture["image"]: picture["reason"] for picture in pictures}
        detail = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        raise ProblemError("picture", detail, pictures=pictures)
    return {"network": name_of(desk), "pictures": pictures}


async def _of_one(desk: Desk, reader: Reader, query: FacesQuery, one: Upload) -> dict[str, Any]:
    """The faces of a picture, or why there are none; a batch of faces at a time."""
    about: dict[str, Any] = {"image": one.name, "width": None, "height": None, "faces": []}
    try:
        rgb = await desk.decode(one.data, one.name)
        about["height"], about["width"] = rgb.shape[:2]
        left = await desk.beside(_views, reader, query.crop, rgb, one.name, nearest=query.nearest)
        del rgb
        rows: list[dict[str, Any]] = []
        while left:
            rows += await desk.work(_rank, reader, query.crop, left[: reader.batch])
            left = left[reader.batch :]
    except ImageError as error:
        return about | {"reason": error.reason}
    return about | {"faces": rows, "reason": None}


def _views(
    reader: Reader, crop: str | None, rgb: Pixels, name: str, *, nearest: bool = False
) -> list[View]:
    """The faces of a picture as the network sees them; an ImageError where there is none."""
    return list(reader.views((rgb,), crop=crop, nearest=nearest, strict=True, names=(name,)))


def _rank(reader: Reader, crop: str | None, views: list[View]) -> list[dict[str, Any]]:
    """The rows of a batch."""
    return [plain(face.row) for face in reader.rank(views, crop)]


async def explained(desk: Desk, query: ExplanationQuery, one: Upload, png: bool) -> bytes:
    """The figure of a face as PNG, or its raw relevance as npz.

    Raises:
        ProblemError: the picture cannot be read, or has no such face.
    """
    check_crop(query.crop)
    reader = await asyncio.to_thread(desk.reader, (), query.emotion, heatmaps=True)
    try:
        async with desk.seat():
            rgb = await desk.decode(one.data, one.name)
            views = await desk.beside(_views, reader, query.crop, rgb, one.name)
            return await desk.work(_explain, reader, query, views, png)
    except ImageError as error:
        raise ProblemError("picture", f"{one.name}: {error.reason}") from error


def _explain(reader: Reader, query: ExplanationQuery, views: list[View], png: bool) -> bytes:
    if query.face > len(views):
        count = f"{len(views)} face{'' if len(views) == 1 else 's'}"
        raise PlanError(f"face={query.face}: the picture has {count}, the nearest is 1")
    one = explain(reader, views[query.face - 1], query.against, query.preset, query.crop)
    return one.png() if png else one.npz()


def check_crop(crop: str | None) -> None:
    """Refuse what is no way to frame a face; raises a PlanError."""
    if crop not in (None, *FRAMINGS):
        raise PlanError(f"crop={crop}: expected {' or '.join(FRAMINGS)}")
