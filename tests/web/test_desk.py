"""One network for all who ask at once, and a queue that ends."""

import asyncio
import threading

import numpy as np
import pytest
from tests.web.test_decoders import RGB, png

from emorank.errors import ImageError
from emorank.reading.ready import ready_network
from emorank.web.desk import BusyError, Desk


@pytest.fixture(scope="module")
def desk():
    """A desk at which two may stand."""
    opened = Desk(None, ready_network(), waiting=2)
    yield opened
    opened.close()


def test_pictures_are_decoded_and_readers_kept(desk):
    """Decoding is that of the processes; the same reader answers the same wish."""
    np.testing.assert_array_equal(asyncio.run(desk.decode(png(), "a.png")), RGB)
    with pytest.raises(ImageError, match=r"a\.txt"):
        asyncio.run(desk.decode(b"text", "a.txt"))
    assert desk.reader(["contrast"]) is desk.reader(("contrast",))
    assert desk.reader().network is desk.network


def test_who_comes_when_too_many_wait_is_turned_away(desk):
    """The third is told when to try again; when the others are done there is room."""
    go = threading.Event()

    async def ask():
        first = [asyncio.create_task(desk.work(go.wait, 60)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError) as busy:
            await desk.work(int)
        go.set()
        assert await asyncio.gather(*first) == [True, True]
        return busy.value.seconds, await desk.work(int, "7")

    assert asyncio.run(ask()) == (2, 7)


def test_who_leaves_before_the_turn_causes_no_work(desk):
    """Their place is free at once."""
    go, done = threading.Event(), []

    async def ask():
        first = asyncio.create_task(desk.work(go.wait, 60))
        second = asyncio.create_task(desk.work(done.append, "second"))
        await asyncio.sleep(0.05)
        second.cancel()
        await asyncio.sleep(0.05)
        third = asyncio.create_task(desk.work(done.append, "third"))
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(first, third)

    asyncio.run(ask())
    assert done == ["third"]
