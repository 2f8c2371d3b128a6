"""One network for all who ask at once, and a queue that ends."""

import asyncio
import threading

import numpy as np
import pytest
from tests.web.loops import run_alone
from tests.web.test_decoders import RGB, png

from emorank.errors import ImageError
from emorank.reading.ready import ready_network
from emorank.web.desk import AT_ONCE, BusyError, Desk


@pytest.fixture(scope="module")
def desk():
    """A desk at which two may stand."""
    opened = Desk(None, ready_network(), waiting=2)
    yield opened
    opened.close()


def test_pictures_are_decoded_and_readers_kept(desk):
    """Decoding is that of the processes; the same reader answers the same wish."""
    np.testing.assert_array_equal(run_alone(desk.decode(png(), "a.png")), RGB)
    with pytest.raises(ImageError, match=r"a\.txt"):
        run_alone(desk.decode(b"text", "a.txt"))
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

    assert run_alone(ask()) == (2, 7)


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

    run_alone(ask())
    assert done == ["third"]


def test_those_with_pictures_take_seats(desk):
    """Two may come at once; a seat that is left is free."""

    async def ask():
        async with desk.seat(), desk.seat():
            with pytest.raises(BusyError):
                async with desk.seat():
                    pass
        assert desk.begun()["seats"] == 0
        async with desk.seat():
            assert desk.begun()["seats"] == 1

    run_alone(ask())


def test_few_hold_a_decoded_picture_at_once():
    """The others wait for their seat, and who gives up waiting holds none."""
    desk = Desk(None, ready_network())

    async def ask():
        go, inside = asyncio.Event(), []

        async def sit():
            async with desk.seat():
                inside.append(1)
                await go.wait()

        sitting = [asyncio.create_task(sit()) for _ in range(AT_ONCE + 3)]
        await asyncio.sleep(0.05)
        assert (len(inside), desk.begun()["seats"]) == (AT_ONCE, AT_ONCE + 3)
        sitting[-1].cancel()
        await asyncio.sleep(0.05)
        assert desk.begun()["seats"] == AT_ONCE + 2
        go.set()
        await asyncio.gather(*sitting, return_exceptions=True)
        assert (len(inside), desk.begun()["seats"]) == (AT_ONCE + 2, 0)

    try:
        run_alone(ask())
    finally:
        desk.close()


def test_what_needs_no_network_is_done_beside(desk):
    """In other threads than that which computes, and it is counted."""
    before = desk.worked()["beside"]

    async def ask():
        name = await desk.beside(lambda: threading.current_thread().name)
        return name, await desk.work(lambda: threading.current_thread().name)

    beside, computing = run_alone(ask())
    assert beside.startswith("emorank-beside")
    assert computing.startswith("emorank-computing")
    assert desk.worked()["beside"] == before + 1
