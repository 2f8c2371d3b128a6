"""Bounds on a process."""

import subprocess
import sys

import pytest

TAKES = """
import resource
from emorank.child_process import bound_memory
if {hard}:
    pages = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (pages + {hard}, pages + {hard}))
bound_memory({more})
try:
    bytearray({size})
except MemoryError:
    print("refused")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the bound holds on Linux")
@pytest.mark.parametrize(
    ("more", "hard", "size", "said"),
    [
        (200_000_000, 0, 300_000_000, "refused"),
        (200_000_000, 0, 100_000_000, ""),
        (0, 0, 300_000_000, ""),
        (800_000_000, 200_000_000, 300_000_000, "refused"),
    ],
)
def test_an_allocation_beyond_the_bound_fails(more, hard, size, said):
    """So does one beyond a bound of the system's that is lower; without a bound none does."""
    code = TAKES.format(more=more, hard=hard, size=size)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.returncode) == (said, 0), done.stderr
