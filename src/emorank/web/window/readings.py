"""What the page asks of the network: read a picture; say of one face how strongly, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from emorank.datasets import load
from emorank.framing import View, batches
from emorank.heatmaps import Pixels
from emorank.reading.questions import explain_emotion
from emorank.reading.reader import Rank, Reader
from emorank.report.explained import draw_explanation
from emorank.report.reading import draw_reading
from emorank.vocabulary import Emotion
from emorank.web.desk import Desk
from emorank.web.window.kept_pictures import keep_picture
from emorank.web.window.shelf import (
    Answer,
    ForgottenError,
    Shelf,
    ShownFace,
    ShownPicture,
    shown,
)

EXAMPLE = "faces/p05_happy_4.jpg"
"""A face of the sample, which is shown before anybody has given a picture."""


@dataclass(frozen=True)
class Question:
    """What one wants to know of a face: why this expression, and not that one.

    Attributes:
        expression: None for the most probable one that is not neutral.
        against: None for neutral.
        alone: the logit of the expression, held against nothing.
        preset: rules of the relevance; None for those of the network's heatmaps.
    """

    expression: Emotion | None = None
    against: Emotion | None = None
    alone: bool = False
    preset: str | None = None


class Readings:
    """The pictures of a server, read by the network of its desk.

    Args:
        ranks: by their names; the first one is that of a picture's faces, all are asked about a
            face that is looked at.
        keep: a folder for the pictures that were read; None to store none.
    """

    def __init__(self, desk: Desk, ranks: Mapping[str, Rank], keep: Path | None = None) -> None:
        self.desk, self.ranks, self.keep = desk, ranks, keep
        self.shelf = Shelf()
        self._example = ""
        first = next(iter(ranks))
        self._first = Reader(desk.network, {first: ranks[first]})
        self._all = Reader(desk.network, ranks)

    async def read(self, data: bytes, name: str) -> ShownPicture:
        """Find and rank the faces of a picture, the bytes of its file.

        Raises:
            BusyError: there is too much to do just now.
            ImageError: it cannot be decoded, or there is no face in it.
            OSError: it cannot be kept.
        """
        picture = await self._look(data, name)
        if self.keep is not None:
            rows = [face.row for face in picture.faces]
            await run_in_threadpool(keep_picture, self.keep, data, rows)
        self.shelf.put(picture)
        return picture

    async def example(self) -> ShownPicture:
        """A rendered face of the sample; the same one as long as it is in memory."""
        try:
            return self.shelf.picture(self._example)
        except ForgottenError:
            path = load(None, "sample").root / EXAMPLE
            data = await run_in_threadpool(path.read_bytes)
            picture = await self._look(data, "a rendered face of the sample")
            self.shelf.put(picture)
            self._example = picture.id
            return picture

    async def answer(self, face: ShownFace, asked: Question) -> Answer:
        """What the network says of a face; an answer that was given before is not computed again.

        Raises:
            BusyError: there is too much to do just now.
            RelevanceError: the rules do not fit the network.
        """
        known = self.shelf.answered(face, asked)
        if known is None:
            known = await self.desk.work(self._answer, face, asked)
            self.shelf.keep(face, asked, known)
        return known

    async def figure(self, face: ShownFace, asked: Question) -> bytes:
        """The figure of an answer, as `emorank explain` draws it: a PNG. Raises as `answer`."""
        answer = await self.answer(face, asked)
        return await self.desk.work(self._figure, face, answer)

    async def _look(self, data: bytes, name: str) -> ShownPicture:
        async with self.desk.seat():
            rgb = await self.desk.decode(data, name)
            views = await self.desk.beside(self._views, rgb, name)
            rows: list[dict[str, Any]] = []
            for some in batches(views, self._first.batch):
                rows += await self.desk.work(self._rows, some)
            return await self.desk.beside(shown, name, rgb, list(zip(views, rows, strict=True)))

    def _views(self, rgb: Pixels, name: str) -> list[View]:
        return list(self._first.views(rgb, names=[name], strict=True))

    def _rows(self, views: list[View]) -> list[dict[str, Any]]:
        return [face.row for face in self._first.rank(views)]

    def _answer(self, face: ShownFace, asked: Question) -> Answer:
        network = self.desk.network
        (read,) = replace(self._all, emotion=asked.expression).rank([face.view])
        emotion = Emotion(read.row["expressed"])
        against = asked.against
        if against in (None, emotion):  # another face may be named what this one is held against
            against = Emotion.NEUTRAL if network.knows_neutral else None
        if asked.alone:
            against = None
        explanation = explain_emotion(network, face.view, emotion, against, asked.preset)
        (heatmap,) = explanation.maps.values()
        return Answer(replace(read, relevance=None, heatmap=heatmap), explanation, against)

    def _figure(self, face: ShownFace, answer: Answer) -> bytes:
        """With the line of the contrast where the heatmap is of this contrast."""
        network, why = self.desk.network, answer.explanation
        (rules,) = why.maps
        if "contrast" not in self.ranks or not answer.to_neutral or rules != network.heatmap:
            return draw_explanation(why)
        contrast = {"contrast": self.ranks["contrast"]}
        emotion = Emotion(answer.face.row["expressed"])
        (read,) = Reader(network, contrast, emotion).rank([face.view])
        return draw_reading(replace(read, heatmap=answer.face.heatmap))


def readings_of(request: Request) -> Readings:
    """Those of the server that has this request."""
    return cast(Readings, request.app.state.readings)
