"""Work in threads ahead of whoever takes the results: order, errors, bounds, no thread left."""

import threading
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emorank.ahead import in_order
from emorank.cores import cores, threads_of


def always(item):
    return True


def threads_left():
    return [one.name for one in threading.enumerate() if one.name.startswith("ahead")]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers()), st.integers(1, 4), st.integers(1, 3))
def test_as_map(items, threads, some):
    """Whichever items may be worked on beside others, results are those of `map`, in order."""
    results = in_order(str, items, lambda item: item % some == 0, threads)
    assert list(results) == list(map(str, items))
    assert threads_left() == []


def test_two_at_once():
    """Both items wait for each other."""
    meeting = threading.Barrier(2, timeout=30)

    def work(item):
        if item:
            meeting.wait()
        return item

    assert list(in_order(work, [0, 1, 2], always, 2)) == [0, 1, 2]


def test_an_error_comes_when_it_is_its_turn():
    """What is before it is given first; what is after it is given up."""

    def work(item):
        if item == 2:
            raise ValueError("the third")
        return item

    results, taken = in_order(work, range(1000), always, 2), []
    with pytest.raises(ValueError, match="the third"):
        taken.extend(results)
    assert taken == [0, 1]
    assert threads_left() == []


@pytest.mark.parametrize("threads", [2, 3])
def test_no_more_is_begun_than_one_for_each_thread_and_one(threads):
    """However long nobody takes a result."""
    begun = []
    with closing(in_order(begun.append, range(1000), always, threads)) as results:
        for taken in range(1, 50):
            next(results)
            assert len(begun) - taken <= threads + 1
    assert threads_left() == []
    assert len(begun) < 1000


def test_what_may_not_be_beside_others_is_alone():
    """Nothing is at work before it has ended, and it begins when nothing is."""
    at_work, lock = [], threading.Lock()

    def work(item):
        with lock:
            at_work.append(item)
        together.append((item, len(at_work)))
        with lock:
            at_work.remove(item)

    together: list[tuple[int, int]] = []
    list(in_order(work, range(200), lambda item: item % 5, 3))
    assert {count for item, count in together if item % 5 == 0} == {1}


def test_what_is_loaded_once_is_loaded_by_the_first_item():
    """It is done before there is any other thread."""
    workers = list(
        in_order(lambda _: (threading.current_thread(), threads_left()), range(9), always, 2)
    )
    assert workers[0] == (threading.main_thread(), [])
    assert all(thread is not threading.main_thread() for thread, _ in workers[1:])


@pytest.mark.parametrize(("asked", "most"), [("1", 1), ("2", min(2, cores()))])
def test_no_more_threads_than_asked(monkeypatch, asked, most):
    """A worker process, which is given one thread, starts no other."""
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert threads_of(1) == most
    workers = set(in_order(lambda _: threading.current_thread(), range(20), always))
    assert len(workers - {threading.main_thread()}) <= (most if most > 1 else 0)


@pytest.mark.parametrize("workers", [1, 2, 1000])
def test_workers_share_the_cores(monkeypatch, workers):
    """Threads of all workers together are at most the cores, and each has one."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert 1 <= threads_of(workers) <= max(1, cores() // workers)
