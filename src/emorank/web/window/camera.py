"""The camera: frames come over a WebSocket, and what is seen in them goes back.

A browser sends messages of bytes, the number of a frame (32 bits, most significant byte first) and
the frame as a picture file; and messages of JSON: `{"heatmap": true}` to be sent heatmaps,
`{"neutral": "take"}` to take what was just seen for the own neutral face, `{"neutral": {…}}` to
bring one along, `{"neutral": null}` to forget it.

It gets JSON for each frame: `{"frame": 7, "size": [640, 480], "faces": […]}`, each face with its
row and the strength of each emotion, and the own neutral face; `{"frame": 7, "error": "…"}` for one
that cannot be read; `"dropped": true` for one whose place a newer one took, `"busy": true` where
too many ask. Heatmaps are bytes: the number of the frame, six numbers [A b] (float32) that say
where in the frame the map lies, and a PNG.

Only the newest frame counts. What comes while another is read takes its place, so there is never a
queue; the heatmap is made of the newest faces whenever the last one is done.
"""

import asyncio
import io
import json
import math
import struct
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

from fastapi import APIRouter
from PIL import Image
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from emorank.errors import ImageError
from emorank.reading.live import Heatmap, Live, Picture, Seen
from emorank.vocabulary import Emotion
from emorank.web.desk import BusyError, Desk

PATH = "/live"
"""Where browsers connect."""
AT_ONCE = 4
"""Cameras."""
IDLE = 60.0
"""Seconds without a message after which the camera is taken for switched off."""
PACE = 0.15
"""Seconds from one heatmap to the next, if the machine is fast enough."""
SHARE = 0.5
"""Of the time, for heatmaps; the rest is left to the frames."""
_AWAY, _FULL, _WRONG = 4000, 1013, 1008  # why a connection is closed; page and server agree
_GREATEST = 1000  # contrast that a browser may bring along; logits are far smaller
_HEAD = struct.Struct(">I")
_HEATMAP = struct.Struct(">I6f")

router = APIRouter()
Item = TypeVar("Item")


class Newest(Generic[Item]):
    """A place for one thing: what is put there takes the place of what nobody has taken yet."""

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._there = asyncio.Event()

    def put(self, item: Item) -> Item | None:
        """Put it there; what had to go for it."""
        old = self._items.pop() if self._items else None
        self._items.append(item)
        self._there.set()
        return old

    async def take(self) -> Item:
        """Wait until something is there, and take it."""
        await self._there.wait()
        self._there.clear()
        return self._items.pop()


class Cameras:
    """How many cameras are read at once."""

    def __init__(self, most: int = AT_ONCE) -> None:
        self.most, self.now = most, 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[bool]:
        """Whether there is a place; it is held until the end."""
        free = self.now < self.most
        self.now += free
        try:
            yield free
        finally:
            self.now -= free


@router.websocket(PATH)
async def live(socket: WebSocket) -> None:
    """Read one camera until it is switched off."""
    await socket.accept()
    cameras: Cameras = socket.app.state.cameras
    async with cameras.place() as free:
        if not free:
            await socket.close(_FULL, f"{cameras.most} cameras are being read; try again later")
            return
        await _Camera(socket, socket.app.state.desk).run()


class _Camera:
    """One camera, from its first frame to its last."""

    def __init__(self, socket: WebSocket, desk: Desk) -> None:
        self.socket, self.desk = socket, desk
        self.files: Newest[tuple[int, bytes]] = Newest()
        self.pictures: Newest[tuple[int, Picture]] = Newest()
        self.seen: Newest[tuple[int, Seen]] = Newest()
        self.wants_heatmap = False
        self.asked: dict[str, Any] = {}  # what the next frame begins with

    async def run(self) -> None:
        """Until the browser goes, or says nothing for too long."""
        try:
            self.live: Live = await self.desk.work(lambda: Live(self.desk.reader()))
        except BusyError as error:
            await self.socket.close(_FULL, str(error))
            return
        steps = (self._receive, self._decode, self._look, self._explain)
        tasks = [asyncio.create_task(step()) for step in steps]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except (WebSocketDisconnect, RuntimeError):
            if self._is_open():  # otherwise the browser went while it was spoken to
                raise
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _is_open(self) -> bool:
        states = self.socket.client_state, self.socket.application_state
        return states == (WebSocketState.CONNECTED, WebSocketState.CONNECTED)

    async def _receive(self) -> None:
        """Take messages as fast as they come, and keep the newest frame."""
        while True:
            try:
                message = await asyncio.wait_for(self.socket.receive(), IDLE)
            except TimeoutError:
                await self.socket.close(_AWAY, f"no frame for {IDLE:g} seconds")
                return
            if message["type"] == "websocket.disconnect":
                return
            frame = message.get("bytes")
            if frame is not None and len(frame) > _HEAD.size:
                new = _HEAD.unpack_from(frame)[0], frame[_HEAD.size :]
                await self._drop(self.files.put(new))
            elif frame is None and (said := _said(message.get("text") or "")) is not None:
                self.wants_heatmap = said.pop("heatmap", self.wants_heatmap)
                self.asked |= said
            else:
                await self.socket.close(_WRONG, "no message that a camera sends")
                return

    async def _decode(self) -> None:
        while True:
            number, content = await self.files.take()
            try:
                picture = await self.desk.decode(content, f"frame {number}")
            except (ImageError, BusyError) as error:
                await self._refuse(number, error)
            else:
                await self._drop(self.pictures.put((number, picture)))

    async def _look(self) -> None:
        explained = False
        while True:
            number, picture = await self.pictures.take()
            asked, self.asked = self.asked, {}
            # A large network makes every second heatmap on the way of a frame that it names.
            explained = self.wants_heatmap and self.desk.network.large and not explained
            try:
                if explained:
                    await self._both(number, picture, asked)
                    continue
                took, faces = await self.desk.work(self._see, picture, asked)
            except BusyError as error:
                self.asked = asked | self.asked
                await self._refuse(number, error)
                continue
            if faces and self.wants_heatmap and not self.desk.network.large:
                self.seen.put((number, faces[0]))
            await self._tell_faces(number, picture, took, faces)

    async def _both(self, number: int, picture: Picture, asked: Mapping[str, Any]) -> None:
        """Tell what is in a frame as soon as it is named, then send its heatmap."""
        loop = asyncio.get_running_loop()
        named: asyncio.Future[list[Seen]] = loop.create_future()
        took: list[bool | None] = []

        def name(faces: list[Seen]) -> None:
            if not named.done():  # nobody waits any longer
                named.set_result(faces)

        def tell(faces: list[Seen]) -> None:
            loop.call_soon_threadsafe(name, faces)

        def compute() -> bytes | None:
            took.append(self._listen(asked))
            heatmap = self.live.see_and_explain(picture, time.monotonic(), tell)
            return None if heatmap is None else _packed(number, heatmap)

        work = asyncio.create_task(self.desk.work(compute))
        try:
            await asyncio.wait((work, named), return_when=asyncio.FIRST_COMPLETED)
            if not named.done():
                await work  # it was turned away, or failed
            await self._tell_faces(number, picture, took[0], await named)
            if (content := await work) is not None:
                await self.socket.send_bytes(content)
        finally:
            work.cancel()

    async def _tell_faces(
        self, number: int, picture: Picture, took: bool | None, faces: list[Seen]
    ) -> None:
        height, width = picture.shape[:2]
        told = {"frame": number, "size": [width, height], "neutral": self.live.own or None}
        if took is not None:
            told["took"] = took
        await self._tell(told | {"faces": [_told(one) for one in faces]})

    async def _explain(self) -> None:
        while True:
            number, seen = await self.seen.take()
            begun = time.monotonic()
            try:
                picture = await self.desk.work(_picture, self.live, number, seen)
            except BusyError as error:
                await asyncio.sleep(error.seconds)
                continue
            await self.socket.send_bytes(picture)
            took = time.monotonic() - begun
            await asyncio.sleep(max(PACE - took, took * (1 - SHARE) / SHARE))

    def _see(self, picture: Picture, asked: Mapping[str, Any]) -> tuple[bool | None, list[Seen]]:
        """What is in a frame, and whether the own neutral face is what was asked for."""
        return self._listen(asked), self.live.see(picture, time.monotonic())

    def _listen(self, asked: Mapping[str, Any]) -> bool | None:
        """Take, bring or forget the own neutral face; whether there is what was asked for."""
        match asked.get("neutral", ...):
            case "take":
                return bool(self.live.take_neutral())
            case None:
                self.live.own = {}
            case dict() as brought:
                self.live.bring_neutral(brought)
            case _:
                return None
        return True

    async def _drop(self, old: tuple[int, Any] | None) -> None:
        if old is not None:
            await self._tell({"frame": old[0], "dropped": True})

    async def _refuse(self, number: int, error: ImageError | BusyError) -> None:
        busy = isinstance(error, BusyError)
        await self._tell({"frame": number} | ({"busy": True} if busy else {"error": str(error)}))

    async def _tell(self, what: Mapping[str, Any]) -> None:
        await self.socket.send_text(json.dumps(what, default=float, allow_nan=False))


def _said(text: str) -> dict[str, Any] | None:
    """What a browser says beside frames; None where it is nothing that it may say."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or not said or set(said) - {"heatmap", "neutral"}:
        return None
    neutral = said.get("neutral")
    known = neutral in (None, "take") or (
        isinstance(neutral, dict) and all(_is_contrast(*item) for item in neutral.items())
    )
    return said if known and isinstance(said.get("heatmap", True), bool) else None


def _is_contrast(name: str, value: object) -> bool:
    return name in set(Emotion) and isinstance(value, int | float) and abs(value) < _GREATEST


def _told(seen: Seen) -> dict[str, Any]:
    """What the browser is told of a face; numbers that are not finite become null."""
    row = {key: value for key, value in seen.row.items() if key != "image"}
    return {
        "row": {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in row.items()
        },
        "strengths": seen.strengths,
    }


def _picture(live: Live, number: int, seen: Seen) -> bytes:
    return _packed(number, live.heatmap(seen))


def _packed(number: int, heatmap: Heatmap) -> bytes:
    """A heatmap as the browser gets it."""
    buffer = io.BytesIO(_HEATMAP.pack(number, *heatmap.place.ravel()))
    buffer.seek(0, io.SEEK_END)
    Image.fromarray(heatmap.colours).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
