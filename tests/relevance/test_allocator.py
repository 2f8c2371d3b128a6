"""The memory of activations is used again."""

import os
import platform
import resource
import subprocess
import sys

import pytest

PROBE = """
import resource, torch
from torch import nn
from emorank.relevance import prepare
prepare(nn.Sequential(nn.Flatten(), nn.Linear(3, 2)))
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    tensors = [torch.ones(2**20) for _ in range(8)]
    del tensors
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults(), faults()
print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators keep memory")
def test_memory_that_tensors_have_freed_costs_no_faults():
    """Eight tensors of 4 MiB that come again and again: 8,192 pages if they were given back."""
    plain = {key: value for key, value in os.environ.items() if not key.startswith("MALLOC_")}
    command = [sys.executable, "-c", PROBE]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=plain)
    assert int(done.stdout) * resource.getpagesize() < 2**20
