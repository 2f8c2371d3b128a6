"""One network for all who ask at the same time, and a queue that ends before memory does."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import ParamSpec, TypeVar, cast

import numpy as np
from fastapi import Request
from jaxtyping import UInt8

from emorank.cores import threads_of
from emorank.reading.emotion_network import EmotionNetwork
from emorank.reading.reader import Reader
from emorank.study.folder import Study
from emorank.study.readers import reader_of
from emorank.web.decoders import Decoders

WAITING = 32
"""How many pieces of work may be begun or wait at once."""
BESIDE = min(threads_of(1), 8)
"""How many threads find faces."""
AT_ONCE = BESIDE + 2
"""How many pictures may be decoded and not yet read at once; one may take 150 MB."""
_SECONDS = 2  # after which somebody who was turned away may try again

P = ParamSpec("P")
T = TypeVar("T")


class BusyError(Exception):
    """There is more to do than may wait; try again after `seconds`."""

    def __init__(self, seconds: int = _SECONDS) -> None:
        super().__init__(f"There is too much to do just now; try again in {seconds} seconds.")
        self.seconds = seconds


class Desk:
    """A network in memory, processes that decode, and one thread that computes.

    Args:
        study: whose ranks there are beside those of the network; None for the shipped network.
        network: of the study, or the shipped one.
        waiting: how many pieces of work of each kind may be begun or wait at once.
        decoders: that decode the pictures.
    """

    def __init__(
        self,
        study: Study | None,
        network: EmotionNetwork,
        *,
        waiting: int = WAITING,
        decoders: Decoders | None = None,
    ) -> None:
        self.study, self.network, self.waiting = study, network, waiting
        self.decoders = decoders or Decoders()
        self._computing = ThreadPoolExecutor(1, "emorank-computing", network.take_threads)
        self._decoding = ThreadPoolExecutor(self.decoders.count, "emorank-decoding")
        self._turn = threading.Lock()
        self._beside = ThreadPoolExecutor(BESIDE, "emorank-beside")
        self._kinds: dict[str, Executor] = {
            "decoding": self._decoding, "beside": self._beside, "computing": self._computing,
        }  # fmt: skip
        self._begun: dict[Executor, int] = dict.fromkeys(self._kinds.values(), 0)
        self._worked: dict[Executor, int] = dict.fromkeys(self._begun, 0)
        self._seated, self._room = 0, asyncio.Semaphore(AT_ONCE)
        self._readers = lru_cache(32)(self._reader)

    def reader(
        self,
        ranks: Sequence[str] = (),
        emotion: str | None = None,
        *,
        neutral: bool = False,
        heatmaps: bool = False,
    ) -> Reader:
        """A reader by the network, as `reader_of` makes it; it raises the same errors."""
        return self._readers(tuple(ranks), emotion, neutral, heatmaps)

    async def decode(self, data: bytes, name: str) -> UInt8[np.ndarray, "height width 3"]:
        """The content of a picture's file as upright 8-bit RGB.

        Raises:
            BusyError: too many wait.
            ImageError: it cannot be decoded.
        """
        return await self._in_turn(self._decoding, self.decoders.decode, data, name)

    async def work(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What a function returns, which is called in the thread that computes, in its turn.

        Whoever stops waiting before the turn has come causes no work.

        Raises:
            BusyError: too many wait.
        """
        return await self._in_turn(self._computing, function, *args, **kwargs)

    async def beside(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same in one of several threads, for what needs no network: finding faces, say."""
        return await self._in_turn(self._beside, function, *args, **kwargs)

    @asynccontextmanager
    async def seat(self) -> AsyncIterator[None]:
        """A place for somebody with a picture, to be decoded and read: few hold one at once.

        So the decoded pictures of those who wait take no memory.

        Raises:
            BusyError: too many wait.
        """
        if self._seated >= self.waiting:
            raise BusyError
        self._seated += 1
        try:
            async with self._room:
                yield
        finally:
            self._seated -= 1

    def begun(self) -> dict[str, int]:
        """How many pieces of work are begun or wait, of each kind."""
        with self._turn:
            kinds = {name: self._begun[one] for name, one in self._kinds.items()}
        return {"seats": self._seated} | kinds

    def worked(self) -> dict[str, int]:
        """How many pieces of work have come to their turn, of each kind."""
        with self._turn:
            return {name: self._worked[one] for name, one in self._kinds.items()}

    def close(self) -> None:
        """End the threads, when what has begun is done, and the processes."""
        for executor in self._begun:
            executor.shutdown(cancel_futures=True)
        self.decoders.close()

    async def _in_turn(
        self, executor: Executor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        with self._turn:
            if self._begun[executor] >= self.waiting:
                raise BusyError
            self._begun[executor] += 1

        def begin() -> T:
            with self._turn:
                self._worked[executor] += 1
            return function(*args, **kwargs)

        future = executor.submit(begin)
        future.add_done_callback(lambda _: self._count_out(executor))
        return await asyncio.wrap_future(future)

    def _count_out(self, executor: Executor) -> None:
        with self._turn:
            self._begun[executor] -= 1

    def _reader(
        self, ranks: tuple[str, ...], emotion: str | None, neutral: bool, heatmaps: bool
    ) -> Reader:
        return reader_of(
            self.study, ranks, emotion, network=self.network, neutral=neutral, heatmaps=heatmaps
        )


def desk_of(request: Request) -> Desk:
    """The desk of the server that has this request."""
    return cast(Desk, request.app.state.desk)
