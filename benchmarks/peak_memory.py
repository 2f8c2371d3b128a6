"""Peak memory of one candidate above model and images, in a process of its own.

On the CPU the kernel counts: its peak of resident memory (VmHWM, set back before) less what is
resident when model and images are there. What a candidate prepares, modified weights for instance,
counts as its own. On a GPU, torch's allocator counts.
"""

import ctypes
import gc
import json
import subprocess
import sys
from pathlib import Path

import torch

from benchmarks.candidates import Candidate, made_ready, network, pictures

MIB = 2**20


def peak_mib(candidate: Candidate, batch: int, device: str) -> float:
    """Start a process that explains one batch twice, and return what it says.

    Raises:
        RuntimeError: it failed; with what it printed.
    """
    order = json.dumps([candidate.who, candidate.preset, candidate.layout, batch, device])
    command = [sys.executable, "-m", "benchmarks.peak_memory", order]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{candidate.name}, batch {batch}: {done.stderr[-2000:]}")
    return float(done.stdout.split()[-1])


def _measure(candidate: Candidate, batch: int, device: str) -> float:
    net, images = network(candidate.layout, device), pictures(batch, candidate.layout, device)
    gc.collect()
    if device == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
    else:
        # Memory that making the net has freed must not serve the candidate unseen.
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")  # VmHWM starts from here
        before = _status("VmRSS")
    run = made_ready(candidate, net, images)
    for _ in range(2):
        run()
    if device == "cuda":
        torch.cuda.synchronize()
        return (torch.cuda.max_memory_allocated() - before) / MIB
    return (_status("VmHWM") - before) / MIB


def _status(field: str) -> int:
    """Bytes of a field of the kernel's account of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(field))


if __name__ == "__main__":
    *who, size, where = json.loads(sys.argv[1])
    print(_measure(Candidate(*who), size, where))
