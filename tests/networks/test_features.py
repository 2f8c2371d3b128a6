"""Frozen features: computed once, kept in half precision, whole after a kill."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
import torch

from emorank.networks.features import Features, features
from emorank.networks.normalisation import to_batch
from emorank.networks.training import Recipe, fresh
from emorank.networks.vgg16 import CUT_BLOCK5, CUT_HEAD

KEYS = ["a.0", "b.0", "c.0", "d.0", "e.0"]


class Reader:
    """Hands out images and remembers which."""

    def __init__(self, images, fail_at=None):
        self.images, self.fail_at, self.read = images, fail_at, []

    def __call__(self, places):
        for i in places:
            if i == self.fail_at:
                raise KeyboardInterrupt
            self.read.append(i)
            yield self.images[i]


@pytest.mark.parametrize("cut", [CUT_HEAD, CUT_BLOCK5])
def test_they_are_what_the_trunk_gives(own_cache, net, images, cut):
    """Batch by batch, any order: the trunk's output, to the precision of halves."""
    found = features(net, cut, 32, KEYS, partial(map, images.__getitem__), batch=2)
    with torch.inference_mode():
        expected = net.trunk(to_batch(images), cut)
    order = np.array([3, 0, 4])
    assert found.batch(order).dtype == torch.float32
    torch.testing.assert_close(found.batch(order), expected[order], rtol=1e-3, atol=1e-6)


def test_what_the_cache_has_is_not_read_again(own_cache, net, images):
    """A second call reads no image; a third with one more reads that one."""
    first, second, third = Reader(images), Reader(images), Reader(images)
    before = features(net, CUT_HEAD, 32, KEYS[:4], first)
    after = features(net, CUT_HEAD, 32, KEYS[:4], second)
    more = features(net, CUT_HEAD, 32, KEYS, third)
    assert (first.read, second.read, third.read) == ([0, 1, 2, 3], [], [4])
    rows = np.arange(4)
    assert torch.equal(before.batch(rows), after.batch(rows))
    assert torch.equal(before.batch(rows), more.batch(rows))


def test_a_kill_costs_one_batch(own_cache, net, images):
    """After a stop in the second batch the first is there, and the result is the unbroken one."""
    with pytest.raises(KeyboardInterrupt):
        features(net, CUT_HEAD, 32, KEYS, Reader(images, fail_at=3), batch=2)
    again = Reader(images)
    found = features(net, CUT_HEAD, 32, KEYS, again, batch=2)
    assert again.read == [2, 3, 4]
    with torch.inference_mode():
        expected = [net.trunk(to_batch(images[i : i + 2]), CUT_HEAD) for i in (0, 2, 4)]
    assert torch.equal(found.batch(np.arange(5)), torch.cat(expected).half().float())


def test_one_image_under_two_rows_is_computed_once(own_cache, net, images):
    """Doubled keys share a record and both rows find it."""
    reader = Reader([images[0], images[1], images[0]])
    found = features(net, CUT_HEAD, 32, ["a.0", "b.0", "a.0"], reader)
    assert len(reader.read) == 2
    rows = found.batch(np.arange(3))
    assert torch.equal(rows[0], rows[2])
    assert not torch.equal(rows[0], rows[1])


def test_other_weights_cuts_and_sizes_have_caches_of_their_own(own_cache, net, images):
    """Whatever the features depend on is in the name of their folder."""
    other = fresh(3, {}, Recipe(hidden=8, seed=2))
    for used, cut, side in ((net, CUT_HEAD, 32), (other, CUT_HEAD, 32), (net, CUT_BLOCK5, 32)):
        reader = Reader(images)
        features(used, cut, side, KEYS[:1], reader)
        assert reader.read == [0]
    large = Reader([np.zeros((64, 64, 3), np.uint8)])
    features(net, CUT_HEAD, 64, KEYS[:1], large)
    assert large.read == [0]
    assert len(list((own_cache / "features").iterdir())) == 4


def test_the_classifier_does_not_touch_the_cache(own_cache, net, images):
    """Another head over the same convolutions uses the same features."""
    features(net, CUT_HEAD, 32, KEYS[:2], partial(map, images.__getitem__))
    other = fresh(5, {}, Recipe(hidden=3, seed=9))
    other.features.load_state_dict(net.features.state_dict())
    reader = Reader(images)
    features(other, CUT_HEAD, 32, KEYS[:2], reader)
    assert reader.read == []


def test_another_process_that_fills_the_cache_is_waited_for(own_cache, net, images):
    """What it computed is not computed again; a full cache may be read by many."""
    begun, reader = threading.Event(), Reader(images)

    def slowly(i):
        begun.set()
        time.sleep(0.2)
        return images[i]

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(features, net, CUT_HEAD, 32, KEYS[:2], partial(map, slowly))
        assert begun.wait(30)
        second = pool.submit(features, net, CUT_HEAD, 32, KEYS[:2], reader)
        np.testing.assert_array_equal(
            first.result(60).batch(np.arange(2)), second.result(60).batch(np.arange(2))
        )
    assert reader.read == []


def test_progress_counts_what_is_missing(own_cache, net, images):
    """Told before each batch and at the end; silent when everything is there."""
    told = []
    for _ in range(2):
        features(
            net, CUT_HEAD, 32, KEYS, partial(map, images.__getitem__), batch=2,
            progress=lambda done, total, note="": told.append((done, total)),
        )  # fmt: skip
    assert told == [(0, 5), (2, 5), (4, 5), (5, 5)]


def test_each_core_computes_a_batch_of_its_own(own_cache, net, images, monkeypatch):
    """As one after the other; each in one thread of PyTorch's, which may have more afterwards."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    before, threads = torch.get_num_threads(), set()
    torch.set_num_threads(2)

    def image(place):
        threads.add(torch.get_num_threads())
        return images[place]

    try:
        kept = []
        for beside in (lambda place: place < 3, None):
            keys = [f"{key}{beside}" for key in KEYS]
            found = features(
                net, CUT_HEAD, 32, keys, partial(map, image), batch=2, beside=beside
            )  # fmt: skip
            kept.append(found.batch(np.arange(5)))
            assert threads == ({1} if beside else {1, 2})
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*kept)


def test_a_batch_is_a_copy():
    """Changing a batch leaves the stored features alone."""
    stored = Features(np.ones((2, 1, 1, 1), np.float16), np.arange(2))
    stored.batch(np.array([0])).zero_()
    np.testing.assert_array_equal(stored.records, np.ones((2, 1, 1, 1), np.float16))
