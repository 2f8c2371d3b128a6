"""Bounds on a process that does a part of the work of another one."""

import signal
import sys
from pathlib import Path


def die_with_parent() -> None:
    """Ask Linux to end this process with its parent, also when it hangs in a decoder.

    For Linux the parent is the thread that started it, so this thread has to last.
    """
    if sys.platform != "linux":
        return
    import ctypes

    set_death_signal = 1
    ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)


def bound_memory(more: int) -> None:
    """Let this process take so many bytes more than it has; an allocation beyond them fails.

    0 sets no bound. Only Linux holds to it.
    """
    if sys.platform != "linux" or not more:
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + more
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
