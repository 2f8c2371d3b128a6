"""Processes that decode pictures from strangers: one may hang or crash, and the server goes on."""

import json
import logging
import queue
import signal
import threading
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import numpy as np
from jaxtyping import UInt8

from emorank import images
from emorank.child_process import bound_memory, die_with_parent
from emorank.errors import ImageError, of_one_image

_LOG = logging.getLogger(__name__)
LIMITS = images.Limits(bytes=32_000_000, pixels=50_000_000)
"""Of a picture that is sent to a server: a phone's at its finest."""
SECONDS = 20.0
"""How long a picture may take to decode."""
_REASON, _HEAD = 1000, 10_000  # characters of a reason, bytes of what comes before the pixels
_MEMORY = 2 * LIMITS.memory  # bytes of a process beyond what it has when it is ready


class Decoders:
    """Some processes, each of which decodes one picture at a time.

    One that dies or takes too long costs the picture that it had; another takes its place.

    Args:
        count: of processes.
        seconds: that a picture may take.
        limits: on a picture.
        memory: bytes of a process beyond what it has at first.
    """

    def __init__(
        self,
        count: int = 2,
        seconds: float = SECONDS,
        limits: images.Limits = LIMITS,
        memory: int = _MEMORY,
    ) -> None:
        self.count, self.seconds, self.limits, self.memory = count, seconds, limits, memory
        self.deaths = 0
        self._turn = threading.Lock()
        self._closed = False
        self._free: queue.SimpleQueue[_Decoder] = queue.SimpleQueue()
        self._all = [_Decoder(limits, memory) for _ in range(count)]
        for decoder in self._all:
            self._free.put(decoder)

    def pids(self) -> list[int]:
        """The numbers that the system has for the processes."""
        with self._turn:
            return [decoder.process.pid or 0 for decoder in self._all]

    def decode(self, data: bytes, name: str) -> UInt8[np.ndarray, "height width 3"]:
        """Decode the content of a picture's file as upright 8-bit RGB; any thread may ask.

        Raises:
            ImageError: as `images.decode`; or the process died of it, or took too long.
        """
        if len(data) > self.limits.bytes:
            raise ImageError(
                name, f"has {len(data):,} bytes; expected at most {self.limits.bytes:,}"
            )
        decoder = self._free.get()
        try:
            if not decoder.process.is_alive():  # it was killed while it waited
                decoder = self._another(decoder)
            return decoder.decode(data, name, self.seconds)
        except _GoneError as gone:
            decoder = self._another(decoder)
            raise ImageError(name, str(gone)) from None
        finally:
            self._free.put(decoder)

    def close(self) -> None:
        """End the processes."""
        with self._turn:
            self._closed = True
        for _ in range(self.count):
            self._free.get().kill()

    def _another(self, dead: "_Decoder") -> "_Decoder":
        """A process in the place of one that died, unless there shall be none any more."""
        dead.kill()
        _LOG.info("a process that decodes pictures has ended; another takes its place")
        with self._turn:
            self.deaths += 1
            if self._closed:
                return dead
            another = _Decoder(self.limits, self.memory)
            self._all[self._all.index(dead)] = another
            return another


class _GoneError(Exception):
    """A process died or had to be ended; says why."""


class _Decoder:
    """A process, and the way to it."""

    def __init__(self, limits: images.Limits, memory: int) -> None:
        self.pixels = limits.pixels
        context = get_context("spawn")
        self.connection, there = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=_serve, args=(there, limits, memory), daemon=True, name="emorank-decoder"
        )
        self.process.start()
        there.close()

    def decode(self, data: bytes, name: str, seconds: float) -> UInt8[np.ndarray, "height width 3"]:
        try:
            self.connection.send_bytes(name.encode("utf-8", "replace"))
            self.connection.send_bytes(data)
            if not self.connection.poll(seconds):
                raise _GoneError(f"was not decoded within {seconds:g} seconds")
            # JSON, because a process that a picture has taken over must not be believed a pickle.
            answer = json.loads(self.connection.recv_bytes(_HEAD))
            if "reason" in answer:
                raise ImageError(name, str(answer["reason"]))
            height, width = (int(side) for side in answer["size"])
            if not 0 < height * width <= self.pixels:
                raise ValueError(answer)
            pixels = np.empty((height, width, 3), np.uint8)
            self.connection.recv_bytes_into(pixels.data.cast("B"))
            return pixels
        except (EOFError, OSError, ValueError, KeyError, TypeError) as error:
            raise _GoneError("made its decoder crash") from error

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


def _serve(connection: Connection, limits: images.Limits, memory: int) -> None:
    """Decode pictures until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server ends its processes itself
    die_with_parent()
    bound_memory(memory)
    with suppress(EOFError, OSError):
        while True:
            name = connection.recv_bytes().decode()
            data = connection.recv_bytes(limits.bytes)
            try:
                with of_one_image(name):
                    rgb = images.decode(data, name, limits)
            except ImageError as error:
                connection.send_bytes(json.dumps({"reason": error.reason[:_REASON]}).encode())
                continue
            finally:
                del data
            connection.send_bytes(json.dumps({"size": rgb.shape[:2]}).encode())
            connection.send_bytes(rgb.data.cast("B"))
            del rgb
