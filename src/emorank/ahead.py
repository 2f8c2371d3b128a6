"""Work on items in threads, a few ahead of whoever takes the results; these come in order.

Only work that releases Python's lock gains by it: reading files, decoding, finding faces.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from emorank.cores import threads_of

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST = 8
"""Threads, however many cores there are: whoever has more pictures than this uses processes."""


def in_order(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    beside: Callable[[Item], bool],
    threads: int | None = None,
) -> Generator[Result]:
    """The result of each item, in the order of the items; an error comes when it is its turn.

    At most one item more than there are threads is begun and not yet taken. The first item is done
    before any thread is started, so that what is loaded once is loaded once. When the results are
    not taken to their end, the threads end with the items that they are at.

    Args:
        work: is called once with each item, in any thread.
        items: what to work on; one more is asked for when a thread is free.
        beside: whether an item may be worked on beside others; if not, it is done alone.
        threads: None: as many as cores, at most `MOST`, and no more than OMP_NUM_THREADS.
    """
    threads = min(threads_of(1), MOST) if threads is None else threads
    if threads < 2 or (isinstance(items, Sequence) and len(items) < 2):
        yield from map(work, items)
        return
    each = iter(items)
    for first in islice(each, 1):
        yield work(first)
    begun: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(threads, "ahead")
    try:
        for item in each:
            if beside(item):
                begun.append(pool.submit(work, item))
                if len(begun) > threads:
                    yield begun.popleft().result()
            else:
                while begun:
                    yield begun.popleft().result()
                yield work(item)
        while begun:
            yield begun.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
