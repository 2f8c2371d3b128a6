"""Timing that holds on a noisy machine: candidates in turn, medians, ratios."""

import os
import platform
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TypeVar

import torch

from emorank.progress import Progress, silent

Name = TypeVar("Name")


def interleaved(
    candidates: dict[Name, Callable[[], object]], rounds: int, progress: Progress = silent
) -> dict[Name, float]:
    """Median seconds of each candidate; one uncounted round first, then A B C, A B C."""
    seconds: dict[Name, list[float]] = {name: [] for name in candidates}
    for number in range(rounds + 1):
        for place, (name, run) in enumerate(candidates.items()):
            done = number * len(candidates) + place
            progress(done, (rounds + 1) * len(candidates), f"round {number}, {name}")
            took = timed(run)
            if number:
                seconds[name].append(took)
    return {name: median(values) for name, values in seconds.items()}


def timed(run: Callable[[], object]) -> float:
    """Seconds that it takes once."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))


def machine() -> str:
    """Date, commit, processor, threads: what a committed result has to say."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(": ")[1] for line in lines if line.startswith("model name")]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit or 'unknown'}, "
        f"{names[0] if names else platform.machine()}, {torch.get_num_threads()} threads, "
        f"torch {torch.__version__}, Python {platform.python_version()}"
    )


def table(header: list[str], rows: list[list[object]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
