"""Coroutines for tests that may run after a browser was opened."""

import asyncio
from concurrent.futures import ThreadPoolExecutor


def run_alone(work):
    """What a coroutine comes to, in a thread of its own: in this one Playwright has its loop."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(asyncio.run, work).result()
