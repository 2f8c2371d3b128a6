"""How many cores this process may use."""

import os
from contextlib import suppress
from pathlib import Path


def cores() -> int:
    """The cores that the system, a scheduler such as SLURM or a container allows, at least 1."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = float("inf")
    with suppress(OSError, ValueError):  # a container without such a limit says "max"
        most, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        quota = int(most) / int(period)
    return max(1, int(min(allowed or 1, quota)))


def threads_of(workers: int) -> int:
    """Threads for each of some workers, so that all together have no more than the cores."""
    each = max(1, cores() // max(1, workers))
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(each, int(asked)) if asked.isdigit() and int(asked) else each
