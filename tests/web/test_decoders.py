"""Pictures from strangers are decoded in processes that may die."""

import io
import os
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from emorank import images
from emorank.errors import ImageError
from emorank.web.decoders import LIMITS, Decoders

RGB = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)


def png(rgb=RGB):
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def decoders():
    """One process, so that whatever happens to it happens to the next picture."""
    started = Decoders(1)
    yield started
    started.close()


def process(decoders):
    """The process that will have the next picture."""
    decoder = decoders._free.get()
    decoders._free.put(decoder)
    return decoder.process


def test_a_picture_is_what_decoding_here_gives(decoders):
    """Upright 8-bit RGB, as `images.decode` gives it."""
    np.testing.assert_array_equal(decoders.decode(png(), "a.png"), images.decode(png(), "a.png"))


@pytest.mark.parametrize("data", [b"", b"<html>", png()[:200], b"/etc/passwd"])
def test_what_is_no_picture_is_refused_by_its_name(decoders, data):
    """With the reason that decoding here would give, and the process lives on."""
    before = process(decoders).pid
    with pytest.raises(ImageError) as here:
        images.decode(data, "x.png")
    with pytest.raises(ImageError) as there:
        decoders.decode(data, "x.png")
    assert (there.value.file, there.value.reason) == ("x.png", here.value.reason)
    assert process(decoders).pid == before


def test_too_many_bytes_are_not_handed_over(decoders):
    """They are refused before any process has them."""
    with pytest.raises(ImageError, match="32,000,000"):
        decoders.decode(bytes(LIMITS.bytes + 1), "large.png")


def test_a_process_that_was_killed_while_it_waited_costs_nothing(decoders):
    """The next picture is decoded by another one."""
    before, deaths = process(decoders), decoders.deaths
    os.kill(before.pid, signal.SIGKILL)
    before.join()
    np.testing.assert_array_equal(decoders.decode(png(), "a.png"), RGB)
    assert decoders.deaths == deaths + 1


def test_a_process_that_dies_costs_its_one_picture(decoders):
    """Stopped and then killed while it has a picture: that one is named, the next is read."""
    os.kill(process(decoders).pid, signal.SIGSTOP)
    timer = threading.Timer(0.2, process(decoders).kill)
    timer.start()
    with pytest.raises(ImageError, match=r"poison.png: made its decoder crash"):
        decoders.decode(png(), "poison.png")
    np.testing.assert_array_equal(decoders.decode(png(), "a.png"), RGB)


def test_a_picture_that_takes_too_long_is_given_up():
    """The process that hangs is ended."""
    decoders = Decoders(1, seconds=0.2)
    try:
        hangs = process(decoders)
        os.kill(hangs.pid, signal.SIGSTOP)
        with pytest.raises(ImageError, match=r"was not decoded within 0.2 seconds"):
            decoders.decode(png(), "slow.png")
        assert not hangs.is_alive()
    finally:
        decoders.close()


def test_memory_of_a_process_is_bounded():
    """A picture that is allowed by its size and needs more than there is: named, and no crash."""
    decoders = Decoders(1, memory=64_000_000, limits=replace(LIMITS, memory=10**9))
    try:
        with pytest.raises(ImageError, match="memory"):
            decoders.decode(png(np.zeros((6000, 8000, 3), np.uint8)), "large.png")
        assert decoders.deaths == 0
    finally:
        decoders.close()
